//! Pictures alone: every picture file below the split's folder, or below the whole folder if there is none of the split.

use super::super::dataset::{Dataset, Picture};
use super::super::library::Ask;
use super::super::{Cell, Error};
use super::pictures::below;
use std::path::{Path, PathBuf};

pub(super) fn open(ask: &Ask<'_>, dataset: &mut Dataset) -> Result<(), Error> {
    let folder = ask.library.find(ask.name, |root| place(root, ask.split).is_some())?;
    let place = place(&folder, ask.split).unwrap_or_else(|| folder.clone());
    let files = below(&place);
    if files.is_empty() {
        return Err(super::nothing(ask, &folder, &[folder.join(ask.split).join("*.jpg")]));
    }
    for file in files {
        let picture = dataset.add_picture(Picture::File(file));
        dataset.add_row([("image", Cell::Picture(picture))]);
    }
    Ok(())
}

fn place(folder: &Path, split: &str) -> Option<PathBuf> {
    let places = ["", "2014", "2017"].map(|year| format!("{split}{year}"));
    let places = places.iter().flat_map(|place| [folder.join(place), folder.join("images").join(place)]);
    { places }.find(|place| place.is_dir())
}
