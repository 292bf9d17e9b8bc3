//! Rows with columns: what a recipe's data is once its names are found.
//!
//! Of pairs, a row is one picture with one of its captions. Rows that belong together, as those of a picture, are a group: neighbours,
//! of which no batch wants two. Invariant: every column has a cell for every row, and every group at least one row.
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

use super::image::Pixels;
use super::report::{Problem, Report};
use super::scenes::Scene;
use super::{Cell, Cells, Error, image};
use crate::random::hash_of;

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
    pictures: Vec<Picture>,
    /// The first row of every group, and the number of rows.
    first: Vec<usize>,
    columns: Vec<(&'static str, Cells)>,
    classes: Vec<String>,
    opened: Report,
    /// Found while reading: picture, with its name and the reason.
    broken: Mutex<BTreeMap<usize, String>>,
}

impl Dataset {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            pictures: Vec::new(),
            first: vec![0],
            columns: Vec::new(),
            classes: Vec::new(),
            opened: Report::default(),
            broken: Mutex::default(),
        }
    }

    /// One more picture; gives its number.
    pub(super) fn add_picture(&mut self, picture: Picture) -> usize {
        self.pictures.push(picture);
        self.pictures.len() - 1
    }

    /// A picture and its captions, as a group.
    pub(super) fn add_captioned(&mut self, picture: Picture, captions: impl IntoIterator<Item = String>) {
        let number = self.add_picture(picture);
        for caption in captions {
            self.extend_group(image_and_text(number, caption));
        }
        self.end_group();
    }

    /// One more row of the last group. All rows have the same columns.
    pub(super) fn extend_group(&mut self, row: impl IntoIterator<Item = (&'static str, Cell)>) {
        for (name, cell) in row {
            match self.columns.iter_mut().find(|(known, _)| *known == name) {
                Some((_, cells)) => {
                    let fits = cells.push(cell);
                    debug_assert!(fits, "{name} holds {}", cells.kind());
                }
                None => self.columns.push((name, Cells::of(cell))),
            }
        }
    }

    /// What was added since the last group is one.
    pub(super) fn end_group(&mut self) {
        let rows = self.columns.first().map_or(0, |(_, cells)| cells.len());
        if self.first.last() != Some(&rows) {
            self.first.push(rows);
        }
    }

    /// A row that is a group.
    pub(super) fn add_row(&mut self, row: impl IntoIterator<Item = (&'static str, Cell)>) {
        self.extend_group(row);
        self.end_group();
    }

    /// The number of a class, by its name.
    pub(super) fn class(&mut self, name: &str) -> i32 {
        let known = self.classes.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.classes.push(name.to_string());
            self.classes.len() - 1
        }) as i32
    }

    /// The classes are these.
    pub(super) fn name_classes(&mut self, names: Vec<String>) {
        self.classes = names;
    }

    pub(super) fn report_mut(&mut self) -> &mut Report {
        &mut self.opened
    }

    pub(super) fn usable(self) -> Result<Self, Error> {
        if let Some((name, _)) = self.columns.iter().find(|(_, cells)| cells.len() != self.rows()) {
            return Err(Error::Uneven { name: self.name, column: name.to_string() });
        }
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

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.first.last().copied().unwrap_or(0)
    }

    /// Distinct pictures.
    pub fn pictures(&self) -> usize {
        self.pictures.len()
    }

    /// The names of the classes that ids of the column `label` mean.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// A column by its name.
    pub fn cells(&self, column: &str) -> Option<&Cells> {
        self.columns.iter().find(|(name, _)| *name == column).map(|(_, cells)| cells)
    }

    /// All columns with their names.
    pub(super) fn all_cells(&self) -> impl Iterator<Item = (&'static str, &Cells)> {
        self.columns.iter().map(|(name, cells)| (*name, cells))
    }

    /// A hash of the texts of all rows, by which the data is known again.
    pub fn fingerprint(&self) -> String {
        let texts = self.columns.iter().filter_map(|(name, cells)| match cells {
            Cells::Texts(texts) => Some((name, texts)),
            _ => None,
        });
        let parts = texts.flat_map(|(name, texts)| {
            std::iter::once(*name).chain(texts.iter().flat_map(|text| ["\n", text.as_str()]))
        });
        format!("{:016x}", hash_of(parts.map(str::as_bytes)))
    }

    /// The names of its columns.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// The text of a row; empty if the column has none. `row < rows()`.
    pub fn text(&self, column: &str, row: usize) -> &str {
        match self.cells(column) {
            Some(Cells::Texts(texts)) => &texts[row],
            _ => "",
        }
    }

    /// The picture of a row in a column of pictures. `row < rows()`.
    pub fn picture_in(&self, column: &str, row: usize) -> Option<usize> {
        match self.cells(column) {
            Some(Cells::Pictures(pictures)) => Some(pictures[row] as usize),
            _ => None,
        }
    }

    /// The caption of a row, within the prompt. `row < rows()`.
    pub fn caption(&self, row: usize) -> &str {
        self.text("text", row)
    }

    /// The picture of a row, as in the column `image_id`; 0 without pictures. `row < rows()`.
    pub fn image_of(&self, row: usize) -> usize {
        self.picture_in("image", row).unwrap_or(0)
    }

    /// The rows of a picture that was added with its captions. `picture < pictures()`.
    pub fn captions_of(&self, picture: usize) -> Range<usize> {
        self.first[picture]..self.first[picture + 1]
    }

    /// The first row of every group, and the number of rows.
    pub(super) fn first_rows(&self) -> &[usize] {
        &self.first
    }

    /// Where a picture comes from. `picture < pictures()`.
    pub fn picture(&self, picture: usize) -> &Picture {
        &self.pictures[picture]
    }

    /// One line for people.
    pub fn describe(&self) -> String {
        match (self.pictures(), self.cells("image_id")) {
            (0, _) => format!("{}: {} rows", self.name, self.rows()),
            (pictures, Some(_)) => format!("{}: {pictures} pictures, {} captions", self.name, self.rows()),
            (pictures, None) => format!("{}: {} rows on {pictures} pictures", self.name, self.rows()),
        }
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The row of a pair.
pub(super) fn image_and_text(picture: usize, text: String) -> [(&'static str, Cell); 3] {
    [("image", Cell::Picture(picture)), ("text", Cell::Text(text)), ("image_id", Cell::Id(picture as i32))]
}
