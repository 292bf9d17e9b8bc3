//! Pictures with their captions: what a recipe's data is once its names are found.
//!
//! A row is one picture with one of its captions. Invariant: the rows of a picture are neighbours, in the order of pictures, and every
//! picture has at least one.
//!
//! ```
//! use chiasm::data::Library;
//! use chiasm::recipe::Data;
//! let data = Data::pairs(["scenes/val"]);
//! let dataset = Library::default().open(&data)?;
//! assert_eq!((dataset.pictures(), dataset.rows()), (500, 2500));
//! assert_eq!(dataset.image_of(dataset.captions_of(7).start), 7);
//! # Ok::<(), chiasm::data::Error>(())
//! ```

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::image::Pixels;
use super::report::{Problem, Report};
use super::scenes::Scene;
use super::transform::Augmentation;
use super::{Column, Error, Values, Vocabulary, image};
use crate::recipe::Transform;

/// Where the pixels of a picture come from.
#[derive(Clone, Debug)]
pub enum Picture {
    /// Decoded when needed.
    File(PathBuf),
    /// Drawn when needed.
    Scene(Scene),
}

/// Rows of one or several sets, read as one.
#[derive(Debug)]
pub struct Dataset {
    name: String,
    prompt: Option<String>,
    pictures: Vec<Picture>,
    /// The first row of every picture, and the number of rows.
    first: Vec<usize>,
    captions: Vec<String>,
    owners: Vec<u32>,
    opened: Report,
    /// Found while reading: picture and reason.
    broken: Mutex<BTreeSet<(usize, String)>>,
}

impl Dataset {
    pub(super) fn new(name: &str, prompt: Option<String>) -> Self {
        Self {
            name: name.into(),
            prompt,
            pictures: Vec::new(),
            first: vec![0],
            captions: Vec::new(),
            owners: Vec::new(),
            opened: Report::default(),
            broken: Mutex::default(),
        }
    }

    pub(super) fn add_file(&mut self, path: PathBuf, captions: &[&str]) {
        self.add(Picture::File(path), captions);
    }

    pub(super) fn add<S: AsRef<str>>(&mut self, picture: Picture, captions: &[S]) {
        let owner = self.pictures.len() as u32;
        self.pictures.push(picture);
        for caption in captions {
            self.captions.push(prompted(self.prompt.as_deref(), caption.as_ref()));
            self.owners.push(owner);
        }
        self.first.push(self.captions.len());
    }

    pub(super) fn report_mut(&mut self) -> &mut Report {
        &mut self.opened
    }

    pub(super) fn usable(self) -> Result<Self, Error> {
        if self.rows() > 0 {
            return Ok(self);
        }
        let problems = if self.opened.is_empty() {
            "its annotations list no picture of this split".into()
        } else {
            self.opened.to_string()
        };
        Err(Error::Empty { name: self.name, problems })
    }

    /// The names of the recipe.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Pairs of a picture and a caption.
    pub fn rows(&self) -> usize {
        self.captions.len()
    }

    /// Distinct pictures.
    pub fn pictures(&self) -> usize {
        self.pictures.len()
    }

    /// The caption of a row, within the prompt. `row < rows()`.
    pub fn caption(&self, row: usize) -> &str {
        &self.captions[row]
    }

    /// The picture of a row, as in the column `image_id`. `row < rows()`.
    pub fn image_of(&self, row: usize) -> usize {
        self.owners[row] as usize
    }

    /// The rows of a picture. `picture < pictures()`.
    pub fn captions_of(&self, picture: usize) -> Range<usize> {
        self.first[picture]..self.first[picture + 1]
    }

    /// The first row of every picture, and the number of rows.
    pub(super) fn first_rows(&self) -> &[usize] {
        &self.first
    }

    /// Where a picture comes from. `picture < pictures()`.
    pub fn picture(&self, picture: usize) -> &Picture {
        &self.pictures[picture]
    }

    /// One line for people.
    pub fn describe(&self) -> String {
        format!("{}: {} pictures, {} captions", self.name, self.pictures(), self.rows())
    }

    /// Everything that was wrong so far, while opening and while reading; grows as broken pictures are met.
    pub fn report(&self) -> Report {
        let mut report = self.opened.clone();
        for (_, reason) in lock(&self.broken).iter() {
            report.note(Problem::UnreadableFile, reason);
        }
        report
    }

    /// Pixels of a picture; scenes are drawn `side` wide, files keep their size. `picture < pictures()`.
    ///
    /// # Errors
    /// A file that cannot be decoded; it is also noted in the report, once.
    pub fn load(&self, picture: usize, side: usize) -> Result<Pixels, Error> {
        match &self.pictures[picture] {
            Picture::Scene(scene) => Ok(scene.draw(side)),
            Picture::File(path) => image::open(path).inspect_err(|error| {
                self.broken
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert((picture, error.to_string()));
            }),
        }
    }

    /// Pictures in the given order, `[n, 3, side, side]`, without chance: of the transforms only `center` counts, otherwise
    /// pictures are squashed to the square. A picture that cannot be read is grey, and in the report.
    ///
    /// # Errors
    /// `NothingReadable` if all of them (and at least one was asked for) are broken, `Wish` if `side` is 0.
    pub fn images(&self, pictures: &[usize], side: usize, transforms: &[Transform]) -> Result<Column, Error> {
        if side == 0 {
            return Err(Error::Wish {
                name: "image".into(),
                reason: "an image has at least one pixel".into(),
            });
        }
        let size = 3 * side * side;
        let mut values = vec![0.5; pictures.len() * size];
        let failures = self.fill(&mut values, pictures, side, &Augmentation::fixed(transforms));
        match failures.last() {
            Some(last) if failures.len() == pictures.len() => {
                Err(Error::NothingReadable { tried: failures.len(), last: last.clone() })
            }
            _ => {
                let dims = vec![pictures.len(), 3, side, side];
                Ok(Column { name: "image".into(), dims, values: Values::Floats(values), lengths: None })
            }
        }
    }

    /// Writes pictures on all cores; gives the reasons why some could not be read.
    fn fill(
        &self,
        values: &mut [f32],
        pictures: &[usize],
        side: usize,
        augmentation: &Augmentation,
    ) -> Vec<String> {
        let size = 3 * side * side;
        let each = pictures.len().div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
        let failures = Mutex::new(Vec::new());
        let one = |picture: usize, out: &mut [f32]| match self.load(picture, side) {
            Ok(pixels) => augmentation.apply(pixels, side, None).write(out),
            Err(error) => lock(&failures).push(error.to_string()),
        };
        thread::scope(|scope| {
            for (numbers, out) in pictures.chunks(each).zip(values.chunks_mut(each * size)) {
                scope.spawn(move || {
                    numbers.iter().zip(out.chunks_mut(size)).for_each(|(n, out)| one(*n, out))
                });
            }
        });
        failures.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Captions in the given order, `[n, length]` ids with their lengths.
    ///
    /// # Errors
    /// `Wish` if `length` is below 2.
    pub fn texts(&self, rows: &[usize], vocabulary: &Vocabulary, length: usize) -> Result<Column, Error> {
        let captions: Vec<&str> = rows.iter().map(|row| self.caption(*row)).collect();
        vocabulary.column("text", &captions, length)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prompted(prompt: Option<&str>, caption: &str) -> String {
    match prompt {
        Some(prompt) if prompt.contains("{}") => prompt.replace("{}", caption),
        Some(prompt) => format!("{} {caption}", prompt.trim_end()),
        None => caption.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_surrounds_the_caption() {
        assert_eq!(prompted(Some("a picture of {}"), "a cat"), "a picture of a cat");
        assert_eq!(prompted(Some("a picture of "), "a cat"), "a picture of a cat");
        assert_eq!(prompted(None, "a cat"), "a cat");
    }
}
