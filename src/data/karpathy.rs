//! Karpathy's JSON: one file for all splits; every image has `split`, `filename`, perhaps `filepath`, and `sentences` with `raw`.
//!
//! `restval` belongs to `train`, as everybody who trains on COCO counts it.
//!
//! ```json
//! {"images": [{"split": "train", "filename": "7.jpg", "imgid": 7, "sentences": [{"raw": "A cat."}]}], "dataset": "coco"}
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Error;
use super::coco::Id;
use super::folder::{Entry, FORMATS};
use super::report::{Problem, Report};

const EXPECTED: &str =
    "Karpathy's JSON (an object with `images`, each with `split`, `filename`, `sentences`)";

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    split: String,
    filename: String,
    filepath: Option<String>,
    cocoid: Option<Id>,
    imgid: Option<Id>,
    #[serde(default)]
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    raw: Option<String>,
}

/// Whether a file is of this kind rather than COCO captions: it has no list of annotations.
pub(super) fn is(path: &Path, text: &str) -> Result<bool, Error> {
    let source = |source| Error::Json { path: path.into(), expected: FORMATS, source };
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_str(text).map_err(source)?;
    if keys.contains_key("images") {
        return Ok(!keys.contains_key("annotations"));
    }
    let names: Vec<String> = keys.keys().take(6).map(|key| format!("`{key}`")).collect();
    let reason =
        format!("is an object of {}", if names.is_empty() { "nothing".into() } else { names.join(", ") });
    Err(Error::Captions { path: path.into(), reason, expected: FORMATS })
}

/// The pictures of a split in the order of the file.
pub(super) fn read(path: &Path, text: &str, split: &str, report: &mut Report) -> Result<Vec<Entry>, Error> {
    let file: File = serde_json::from_str(text).map_err(|source| Error::Json {
        path: path.into(),
        expected: EXPECTED,
        source,
    })?;
    if !file.images.iter().any(|image| belongs(&image.split, split)) {
        let known: BTreeSet<String> = file.images.into_iter().map(|image| image.split).collect();
        let known = known.into_iter().collect();
        return Err(Error::NoAnnotations { folder: path.into(), split: split.into(), known });
    }
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for image in file.images.into_iter().filter(|image| belongs(&image.split, split)) {
        let id = image.cocoid.or(image.imgid);
        if let Some(id) = id.as_ref().filter(|id| !seen.insert((*id).clone())) {
            report.note(Problem::DuplicateId, format!("image {id}"));
            continue;
        }
        entries.push(Entry {
            id: id.map_or_else(|| image.filename.clone(), |id| id.to_string()),
            captions: image.sentences.into_iter().map(|s| s.raw.unwrap_or_default()).collect(),
            file: image.filename,
            folder: image.filepath.filter(|folder| !folder.is_empty()),
        });
    }
    Ok(entries)
}

fn belongs(image: &str, split: &str) -> bool {
    image == split || (split == "train" && image == "restval")
}
