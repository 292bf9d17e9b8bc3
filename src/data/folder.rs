//! From a data set's folder to rows: finds the annotations and the picture files.
//!
//! Annotations of split S, the first that exists, in `annotations/` or in the folder itself:
//! `captions_S.json`, `captions_S2017.json`, `captions_S2014.json` (COCO captions); then Karpathy's one file for all splits:
//! `dataset.json`, `dataset_*.json` or `karpathy*.json` (`restval` belongs to `train`).
//!
//! A picture's file is looked for in these folders, in order: `S/`, `S2017/`, `S2014/`, each also below `images/`; then
//! `images/`, `Images/`, the folder itself, and the other splits' folders. Karpathy's `filepath` is tried first.
//!
//! Example: `photos/annotations/captions_val.json` with `photos/val/1.jpg` is split `val` of `photos`.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::dataset::{Dataset, Picture};
use super::report::Problem;
use super::{Error, coco, karpathy};

/// What can be read.
pub(super) const FORMATS: &str = "captions as COCO has them (an object with `images` and `annotations`) or Karpathy's JSON (`images` with `sentences`)";

/// A listed picture with its captions, in the order of the file.
pub(super) struct Entry {
    /// For the report.
    pub id: String,
    /// Below `folder`, if that is known.
    pub file: String,
    /// Karpathy's `filepath`.
    pub folder: Option<String>,
    /// As typed.
    pub captions: Vec<String>,
}

/// The files that could hold the captions of a split, in order.
pub(super) fn candidates(folder: &Path, split: &str) -> Vec<PathBuf> {
    let places = [folder.join("annotations"), folder.to_path_buf()];
    let mut files = Vec::new();
    for place in &places {
        files.extend(["", "2017", "2014"].map(|year| place.join(format!("captions_{split}{year}.json"))));
    }
    for place in &places {
        files.push(place.join("dataset.json"));
        files.extend(karpathy_files(place));
    }
    files
}

fn karpathy_files(place: &Path) -> Vec<PathBuf> {
    let matches = |name: &str| {
        (name.starts_with("dataset_") || name.starts_with("karpathy"))
            && name.to_lowercase().ends_with(".json")
    };
    let mut found: Vec<PathBuf> = names(place)
        .iter()
        .filter_map(|n| n.to_str())
        .filter(|n| matches(n))
        .map(|n| place.join(n))
        .collect();
    found.sort();
    found
}

/// Whether the folder holds captions of the split, or of all splits in one file.
pub(super) fn has(folder: &Path, split: &str) -> bool {
    candidates(folder, split).iter().any(|file| file.is_file())
}

/// Reads a folder, or one JSON file, into the data set.
pub(super) fn open(
    path: &Path,
    split: &str,
    prompt: Option<&str>,
    dataset: &mut Dataset,
) -> Result<(), Error> {
    if path.is_file() {
        let folder = path.parent().unwrap_or(Path::new("."));
        let outer = if folder.ends_with("annotations") { folder.parent().unwrap_or(folder) } else { folder };
        return read(path, outer, (split, prompt), dataset);
    }
    match candidates(path, split).iter().find(|file| file.is_file()) {
        Some(file) => read(file, path, (split, prompt), dataset),
        None => Err(Error::NoAnnotations { folder: path.into(), split: split.into(), known: splits(path) }),
    }
}

/// The splits that have captions in COCO's form, in alphabetical order.
fn splits(folder: &Path) -> Vec<String> {
    let files = [folder.join("annotations"), folder.to_path_buf()]
        .iter()
        .flat_map(|place| names(place))
        .collect::<Vec<_>>();
    let split = |name: &OsString| {
        let split = name.to_str()?.strip_prefix("captions_")?.strip_suffix(".json")?;
        Some(split.trim_end_matches("2017").trim_end_matches("2014").to_string())
    };
    files.iter().filter_map(split).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The names of the folders in a folder, in alphabetical order.
pub(super) fn folders(folder: &Path) -> Vec<String> {
    let mut found: Vec<String> = names(folder)
        .into_iter()
        .filter(|name| folder.join(name).is_dir())
        .filter_map(|name| name.into_string().ok())
        .collect();
    found.sort();
    found
}

fn read(
    file: &Path,
    folder: &Path,
    (split, prompt): (&str, Option<&str>),
    dataset: &mut Dataset,
) -> Result<(), Error> {
    let bytes = fs::read(file).map_err(|source| Error::Read { path: file.into(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{FEFF}');
    plausible(file, &bytes, text)?;
    let report = dataset.report_mut();
    let entries = if karpathy::is(file, text)? {
        karpathy::read(file, text, split, report)?
    } else {
        coco::read(file, text, report)?
    };
    add(entries, &Shelves::new(folder, split), prompt, dataset);
    Ok(())
}

/// Refuses what the JSON parser would only call an unexpected character.
fn plausible(path: &Path, bytes: &[u8], text: &str) -> Result<(), Error> {
    let wide = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let reason = match text.trim_start().chars().next() {
        _ if wide => "is UTF-16, not UTF-8",
        None => "is empty",
        Some('[') => "holds a list",
        Some('{') => return Ok(()),
        Some(_) => "holds no JSON object",
    };
    Err(Error::Captions { path: path.into(), reason: reason.into(), expected: FORMATS })
}

fn add(entries: Vec<Entry>, shelves: &Shelves, prompt: Option<&str>, dataset: &mut Dataset) {
    for entry in entries {
        let captions = usable(&entry, dataset);
        if captions.is_empty() {
            dataset.report_mut().note(Problem::PictureWithoutCaption, entry.id);
            continue;
        }
        match shelves.find(&entry) {
            Some(path) => {
                let captions = captions.into_iter().map(|caption| prompted(prompt, caption));
                dataset.add_captioned(Picture::File(path), captions);
            }
            None => dataset.report_mut().note(Problem::MissingFile, entry.file),
        }
    }
}

/// Captions that say something; replaced bytes are reported, not dropped.
fn usable<'e>(entry: &'e Entry, dataset: &mut Dataset) -> Vec<&'e str> {
    let report = dataset.report_mut();
    let mut kept = Vec::new();
    for caption in entry.captions.iter().map(|c| c.trim()) {
        if caption.is_empty() {
            report.note(Problem::EmptyCaption, format!("image {}", entry.id));
            continue;
        }
        if caption.contains('\u{FFFD}') {
            report.note(Problem::NotUtf8, format!("image {}", entry.id));
        }
        kept.push(caption);
    }
    kept
}

/// The folders pictures may lie in, with what lies there: listed once instead of asking the file system for every picture.
struct Shelves {
    folder: PathBuf,
    listed: Vec<(PathBuf, HashSet<OsString>)>,
}

impl Shelves {
    fn new(folder: &Path, split: &str) -> Self {
        let of = |split: &str| {
            let names = ["", "2017", "2014"].map(|year| format!("{split}{year}"));
            names
                .into_iter()
                .flat_map(|name| [folder.join(&name), folder.join("images").join(&name)])
                .collect::<Vec<_>>()
        };
        let mut places = of(split);
        places.extend(["images", "Images", ""].map(|name| folder.join(name)));
        places.extend(["train", "val", "test"].into_iter().filter(|other| *other != split).flat_map(of));
        let listed = places.into_iter().map(|place| (place.clone(), names(&place)));
        Self { folder: folder.into(), listed: listed.filter(|(_, names)| !names.is_empty()).collect() }
    }

    fn find(&self, entry: &Entry) -> Option<PathBuf> {
        let named = entry.folder.as_ref().map(|f| Path::new(f).join(&entry.file));
        let direct = named.iter().flat_map(|n| [self.folder.join(n), self.folder.join("images").join(n)]);
        if let Some(path) = direct.into_iter().find(|path| path.is_file()) {
            return Some(path);
        }
        let name = OsString::from(&entry.file);
        let shelf = self.listed.iter().find(|(_, names)| names.contains(&name));
        let below = |place: &PathBuf| Some(place.join(&entry.file)).filter(|path| path.is_file());
        match shelf {
            Some((place, _)) => Some(place.join(&entry.file)),
            None if entry.file.contains('/') => self.listed.iter().find_map(|(place, _)| below(place)),
            None => None,
        }
    }
}

fn names(folder: &Path) -> HashSet<OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).collect()
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
