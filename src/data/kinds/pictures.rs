//! Pictures that annotations name: where their files are, and their numbers in the data set.

use super::super::dataset::{Dataset, Picture};
use super::super::library::Ask;
use super::super::report::Problem;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Endings of files that can be decoded.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// The pictures of a data set that were named so far.
pub(super) struct Pictures {
    places: Vec<PathBuf>,
    known: HashMap<String, Option<usize>>,
}

impl Pictures {
    /// Names are looked up below the data set's folder and those of its split, beside that folder, and below the folders of `--data`.
    pub(super) fn new(ask: &Ask<'_>, folder: &Path) -> Self {
        let mut places = vec![folder.to_path_buf(), folder.join("images")];
        for split in ["", "2014", "2015", "2017"].map(|year| format!("{}{year}", ask.split)) {
            let own = folder.join(&split);
            places.extend([own.join("images"), own, folder.join("images").join(split)]);
        }
        places.extend(folder.parent().map(Path::to_path_buf));
        places.extend(ask.library.roots().iter().cloned());
        places.retain(|place| place.is_dir());
        Self { places, known: HashMap::new() }
    }

    /// The number of a picture, the same for the same name; none if there is no such file.
    pub(super) fn find(&mut self, name: &str, dataset: &mut Dataset) -> Option<usize> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let file = self.places.iter().map(|place| place.join(name)).find(|path| path.is_file());
        let number = file.map(|path| dataset.add_picture(Picture::File(path)));
        self.known.insert(name.to_string(), number);
        number
    }

    /// The same; a missing one is reported.
    pub(super) fn number(&mut self, name: &str, dataset: &mut Dataset) -> Option<usize> {
        let number = self.find(name, dataset);
        if number.is_none() {
            dataset.report_mut().note(Problem::MissingFile, name);
        }
        number
    }
}

/// All picture files below a folder, in alphabetical order of their paths.
pub(super) fn below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            // Links to folders are not followed, so this ends.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(_) if is_picture(&entry.path()) => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn is_picture(path: &Path) -> bool {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase());
    end.is_some_and(|end| ENDINGS.contains(&end.as_str()))
}
