//! COCO captions: one JSON object with `images` (`id`, `file_name`) and `annotations` (`image_id`, `caption`), of one split.
//!
//! ```json
//! {"images": [{"id": 7, "file_name": "7.jpg"}], "annotations": [{"id": 1, "image_id": 7, "caption": "a cat"}]}
//! ```

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::Error;
use super::folder::Entry;
use super::report::{Problem, Report};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Image {
    id: Id,
    file_name: String,
}

#[derive(Deserialize)]
struct Annotation {
    id: Option<Id>,
    image_id: Id,
    caption: Option<String>,
}

/// Numbers in COCO itself, strings in some of its descendants.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The pictures of the file in its order, each with its captions in their order.
pub(super) fn read(path: &Path, text: &str, report: &mut Report) -> Result<Vec<Entry>, Error> {
    let expected = "COCO captions (an object with `images` and `annotations`)";
    let file: File =
        serde_json::from_str(text).map_err(|source| Error::Json { path: path.into(), expected, source })?;
    let (mut entries, places) = list(file.images, report);
    let mut seen = HashSet::new();
    for annotation in file.annotations {
        if let Some(id) = annotation.id.filter(|id| !seen.insert(id.clone())) {
            report.note(Problem::DuplicateId, format!("annotation {id}"));
            continue;
        }
        match places.get(&annotation.image_id) {
            Some(place) => entries[*place].captions.push(annotation.caption.unwrap_or_default()),
            None => report.note(Problem::CaptionWithoutPicture, format!("image {}", annotation.image_id)),
        }
    }
    Ok(entries)
}

fn list(images: Vec<Image>, report: &mut Report) -> (Vec<Entry>, HashMap<Id, usize>) {
    let mut entries = Vec::with_capacity(images.len());
    let mut places = HashMap::with_capacity(images.len());
    for image in images {
        if places.contains_key(&image.id) {
            report.note(Problem::DuplicateId, format!("image {}", image.id));
            continue;
        }
        entries.push(Entry {
            id: image.id.to_string(),
            file: image.file_name,
            folder: None,
            captions: Vec::new(),
        });
        places.insert(image.id, entries.len() - 1);
    }
    (entries, places)
}
