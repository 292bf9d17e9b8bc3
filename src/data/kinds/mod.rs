//! Data sets of every kind: which files of a folder hold rows, and what rows they make.
//!
//! | kind | files of split S | a row |
//! |---|---|---|
//! | `pairs` | captions in COCO's or Karpathy's form ([`folder`](super::folder)) | `image text image_id` |
//! | `captioned` | as `labelled` | the same; a class name within the template is the text |
//! | `images` | every picture below `S/`, or below the folder if there is no `S/` | `image` |
//! | `texts` | `S.jsonl` (`text`), `S.txt` (a text a line) | `text` |
//! | `labelled` | a folder a class below `S/` | `image label` |
//! | `entail` | `S.jsonl` or `*_S.jsonl` (SNLI-VE's fields) | `image text verdict` |
//! | `nlvr` | `pairs_S.jsonl`, `S.jsonl`, `S.json` a line a statement (NLVR2's fields) | `left right text truth` |
//! | `vqa` | `questions_S.json` with `annotations_S.json` (VQA 2), `S/questions.json`, `S.json` | `image text question answer weight scores` |
//!
//! Invariant: what cannot be used is counted in the report and left out; a file that is no annotation at all is an error.
//!
//! ```no_run
//! use chiasm::data::Library;
//! use chiasm::recipe::{Data, DataKind};
//! let flowers = Data::sets(DataKind::Labelled, ["flowers5/val"]);
//! let dataset = Library::new(["sets"]).open(&flowers)?;
//! println!("{:?}", dataset.classes());
//! # Ok::<(), chiasm::data::Error>(())
//! ```

mod answers;
mod entail;
mod images;
mod labelled;
mod lines;
mod nlvr;
mod pictures;
mod texts;
mod vqa;

pub use answers::plain as plain_answer;

use super::dataset::Dataset;
use super::library::Ask;
use super::{Error, folder};
use crate::recipe::DataKind;
use std::path::{Path, PathBuf};

/// Reads a data set from its folder.
pub(super) fn open(ask: &Ask<'_>, dataset: &mut Dataset) -> Result<(), Error> {
    match ask.kind {
        DataKind::Pairs { wrong, .. } if *wrong > 0.0 => Err(Error::NotWrong { name: ask.name.into() }),
        DataKind::Pairs { prompt, .. } => {
            let path = ask.library.find(ask.name, |root| folder::has(root, ask.split))?;
            folder::open(&path, ask.split, prompt.as_deref(), dataset)
        }
        DataKind::Captioned { template } => labelled::open(ask, Some(template), dataset),
        DataKind::Labelled => labelled::open(ask, None, dataset),
        DataKind::Images => images::open(ask, dataset),
        DataKind::Texts => texts::open(ask, dataset),
        DataKind::Entail => entail::open(ask, dataset),
        DataKind::Nlvr => nlvr::open(ask, dataset),
        DataKind::Vqa { answers } => vqa::open(ask, *answers, dataset),
    }
}

/// The texts of a file: a JSON list, or a text a line up to its first tab; each once, in order.
pub(super) fn texts_of(path: &Path) -> Result<Vec<String>, Error> {
    let text = lines::text(path)?;
    let all: Vec<String> = match path.extension().is_some_and(|end| end == "json") {
        true => serde_json::from_str(&text).map_err(|source| Error::Json {
            path: path.into(),
            expected: "a list of texts",
            source,
        })?,
        false => {
            text.lines().filter_map(|line| line.split('\t').next()).map(|line| line.trim().into()).collect()
        }
    };
    let mut seen = std::collections::HashSet::new();
    Ok(all.into_iter().filter(|text| !text.is_empty() && seen.insert(text.clone())).collect())
}

/// The first of these files of a data set's folder, which may itself be one.
fn annotations(ask: &Ask<'_>, candidates: impl Fn(&Path) -> Vec<PathBuf>) -> Result<Found, Error> {
    let first = |folder: &Path| candidates(folder).into_iter().find(|path| path.is_file());
    let path = ask.library.find(ask.name, |root| first(root).is_some())?;
    if path.is_file() {
        let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        return Ok(Found { folder, file: path });
    }
    match first(&path) {
        Some(file) => Ok(Found { folder: path, file }),
        None => Err(nothing(ask, &path, &candidates(&path))),
    }
}

/// A data set's folder and its annotations of a split.
struct Found {
    folder: PathBuf,
    file: PathBuf,
}

fn nothing(ask: &Ask<'_>, folder: &Path, candidates: &[PathBuf]) -> Error {
    let short = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    Error::NoRows {
        folder: folder.into(),
        kind: ask.kind.name(),
        split: ask.split.into(),
        expected: candidates.iter().map(short).collect::<Vec<_>>().join(", "),
    }
}

/// Files of a folder whose names end so, in alphabetical order.
fn ending(folder: &Path, end: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let ends = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end));
    let mut found: Vec<PathBuf> = files.filter(ends).collect();
    found.sort();
    found
}
