//! A folder a class: `S/daisy/1.jpg` is a picture of the class `daisy`. Classes are numbered in alphabetical order.
//!
//! As `captioned`, the class name within a template is the text: `"a photo of a {}."` and `red_rose` make "a photo of a red rose.".

use super::super::dataset::{Dataset, Picture, image_and_text};
use super::super::folder::folders;
use super::super::library::Ask;
use super::super::{Cell, Error};
use super::pictures::below;
use std::path::{Path, PathBuf};

pub(super) fn open(ask: &Ask<'_>, template: Option<&str>, dataset: &mut Dataset) -> Result<(), Error> {
    let folder = ask.library.find(ask.name, |root| !folders(&root.join(ask.split)).is_empty())?;
    let place = place(&folder, ask.split);
    let classes = place.as_ref().map(|place| folders(place)).unwrap_or_default();
    if classes.is_empty() {
        return Err(super::nothing(ask, &folder, &[folder.join(ask.split).join("CLASS").join("*.jpg")]));
    }
    for class in classes {
        let label = dataset.class(&words(&class));
        for file in place.iter().flat_map(|place| below(&place.join(&class))) {
            let picture = dataset.add_picture(Picture::File(file));
            match template {
                None => {
                    dataset.add_row([("image", Cell::Picture(picture)), ("label", Cell::Id(label))]);
                }
                Some(template) => {
                    dataset.add_row(image_and_text(picture, template.replace("{}", &words(&class))));
                }
            }
        }
    }
    Ok(())
}

/// The folder with the classes: of the split, or the whole one, if it has no folders of splits.
fn place(folder: &Path, split: &str) -> Option<PathBuf> {
    let is_split = |name: &str| folder.join(name).is_dir();
    match is_split(split) {
        true => Some(folder.join(split)),
        false => (!["train", "val", "test"].into_iter().any(is_split)).then(|| folder.to_path_buf()),
    }
}

/// A folder's name as people say it.
fn words(class: &str) -> String {
    class.replace('_', " ")
}
