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

use std::collections::BTreeMap;
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
    /// Found while reading: picture, with its name and the reason.
    broken: Mutex<BTreeMap<usize, String>>,
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
        let problems = match &self.opened {
            none if none.is_empty() => "its annotations list no picture".into(),
            found if found.count(Problem::MissingFile) > 0 => {
                format!("{found}; pictures belong into its folder, or images/ or the split's name below that")
            }
            found => found.to_string(),
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
        for reason in lock(&self.broken).values() {
            report.note(Problem::UnreadableFile, reason);
        }
        report
    }

    /// Pixels of a picture; scenes are drawn `side` wide, files keep their size. `picture < pictures()`.
    ///
    /// # Errors
    /// A file that cannot be decoded; it is also noted in the report, and not read again.
    pub fn load(&self, picture: usize, side: usize) -> Result<Pixels, Error> {
        let path = match &self.pictures[picture] {
            Picture::Scene(scene) => return Ok(scene.draw(side)),
            Picture::File(path) => path,
        };
        if let Some(known) = lock(&self.broken).get(&picture) {
            return Err(Error::Picture(known.clone()));
        }
        image::open(path).inspect_err(|error| {
            lock(&self.broken).insert(picture, error.to_string());
        })
    }

    /// That no picture can be read, once all were tried.
    pub(super) fn nothing_readable(&self) -> Option<Error> {
        let broken = lock(&self.broken);
        let last = broken.values().next_back().filter(|_| broken.len() == self.pictures())?;
        Some(Error::NothingReadable { tried: broken.len(), last: last.clone() })
    }

    /// Pictures in the given order, `[n, 3, side, side]`, without chance: of the transforms only `center` counts, otherwise
    /// pictures are squashed to the square. A picture that cannot be read is grey, and in the report.
    ///
    /// # Errors
    /// `NothingReadable` if every picture of the set was found to be broken, `Wish` if `side` is 0.
    pub fn images(&self, pictures: &[usize], side: usize, transforms: &[Transform]) -> Result<Column, Error> {
        if side == 0 {
            return Err(Error::Wish {
                name: "image".into(),
                reason: "an image has at least one pixel".into(),
            });
        }
        let mut values = vec![0.5; pictures.len() * 3 * side * side];
        self.fill(&mut values, pictures, side, &Augmentation::fixed(transforms));
        match self.nothing_readable() {
            Some(error) => Err(error),
            None => {
                let dims = vec![pictures.len(), 3, side, side];
                Ok(Column { name: "image".into(), dims, values: Values::Floats(values), lengths: None })
            }
        }
    }

    /// Writes the pictures that can be read, on all cores.
    fn fill(&self, values: &mut [f32], pictures: &[usize], side: usize, augmentation: &Augmentation) {
        let size = 3 * side * side;
        let each = pictures.len().div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
        let one = |picture: usize, out: &mut [f32]| {
            if let Ok(pixels) = self.load(picture, side) {
                augmentation.apply(pixels, side, None).write(out);
            }
        };
        thread::scope(|scope| {
            for (numbers, out) in pictures.chunks(each).zip(values.chunks_mut(each * size)) {
                scope.spawn(move || {
                    numbers.iter().zip(out.chunks_mut(size)).for_each(|(n, out)| one(*n, out))
                });
            }
        });
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
