//! Where names of data sets and vocabularies become folders and files: the folders given by `--data`.
//!
//! `"photos/val"` is split `val` of `photos`; without a split, `train` is meant. For every given DIR, in order, these are tried:
//! 1. `DIR/photos`, a folder;
//! 2. DIR itself, if it is called `photos`;
//! 3. DIR itself, if it holds captions of the split (so `--data` may name the data set's own folder);
//! 4. DIR itself, if it is a `.json` file.
//!
//! `"scenes"` is built in and needs no folder. What a folder must look like is said in the module `folder`.
//!
//! ```
//! use chiasm::data::Library;
//! use chiasm::recipe::Data;
//! let data = Data::pairs(["nowhere"]);
//! let error = Library::new(["/no/data"]).open(&data).unwrap_err();
//! assert!(error.to_string().contains("no such folder"), "{error}");
//! ```

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::{Error, folder, scenes};
use crate::recipe::{AugmentSet, Data, DataKind, Rows, Transform};

/// The folders given by `--data`.
#[derive(Clone, Debug, Default)]
pub struct Library {
    roots: Vec<PathBuf>,
}

impl Library {
    /// Names are looked up in these, in order.
    pub fn new<P: Into<PathBuf>>(roots: impl IntoIterator<Item = P>) -> Self {
        Self { roots: roots.into_iter().map(Into::into).collect() }
    }

    /// The folders.
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// Whether this version reads such data; no file is opened.
    ///
    /// # Errors
    /// What it does not read.
    pub fn reads(data: &Data) -> Result<(), Error> {
        readable(data).map(|_| ())
    }

    /// Opens all sets of a recipe as one. Reads annotations, not pictures.
    ///
    /// # Errors
    /// A name that is not found, annotations that cannot be read, or no usable row in all of them.
    pub fn open(&self, data: &Data) -> Result<Dataset, Error> {
        let (prompt, names) = readable(data)?;
        let mut dataset = Dataset::new(&names.join(" and "), prompt);
        for name in names {
            let (name, split) = parts(name);
            match name {
                "scenes" => scenes::open(split, &mut dataset)?,
                _ => self.open_folder(name, split, &mut dataset)?,
            }
        }
        dataset.usable()
    }

    fn open_folder(&self, name: &str, split: &str, dataset: &mut Dataset) -> Result<(), Error> {
        for root in &self.roots {
            let inside = root.join(name);
            if inside.is_dir() {
                return folder::open(&inside, split, dataset);
            }
            if is_named(root, name) || root.is_file() || folder::has(root, split) {
                return folder::open(root, split, dataset);
            }
            if !root.exists() {
                return Err(Error::NoFolder(root.clone()));
            }
        }
        let mut known: Vec<String> = self.roots.iter().flat_map(|root| folder::folders(root)).collect();
        known.push("scenes".into());
        Err(Error::Unknown { name: name.into(), roots: self.roots.clone(), known })
    }

    /// The first of these files below a root's `tokenizers/NAME/`, or directly in a folder of that name.
    pub(super) fn tokenizer_file(&self, name: &str, files: &[&str]) -> Result<PathBuf, Error> {
        let folders =
            self.roots.iter().flat_map(|root| [root.join("tokenizers").join(name), root.join(name)]);
        let looked: Vec<PathBuf> = folders.flat_map(|f| files.iter().map(move |file| f.join(file))).collect();
        match looked.iter().find(|path| path.is_file()) {
            Some(path) => Ok(path.clone()),
            None => Err(Error::NoVocabulary { name: name.into(), looked }),
        }
    }
}

/// The prompt and the names of data that this version reads; all other data is refused by name.
fn readable(data: &Data) -> Result<(Option<String>, &[String]), Error> {
    let later = |what: String| Err(Error::Later { what });
    for transform in &data.transforms {
        match transform {
            Transform::Jitter(_) => return later("jitter(…)".into()),
            Transform::RandAugment { set: AugmentSet::Vilt | AugmentSet::Timm, .. } => {
                return later("randaug(…) with this set".into());
            }
            _ => {}
        }
    }
    if let Some(column) = data.columns.iter().find(|c| c.other || c.name != c.from) {
        return later(format!("the column `{}` made of `{}`", column.name, column.from));
    }
    match &data.rows {
        Rows::Sets { kind: DataKind::Pairs { prompt }, names } => Ok((prompt.clone(), names)),
        Rows::Sets { kind, .. } => later(format!("{}(…)", kind.name())),
        Rows::Mixed(_) => later("a mixture of sources".into()),
        Rows::Recaptioned { .. } => later("recaption(…)".into()),
        Rows::Kept { .. } => later("keep(…)".into()),
    }
}

/// The name and the split of `"name/split"`.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or((name, "train"))
}

fn is_named(root: &Path, name: &str) -> bool {
    root.is_dir() && root.file_name().is_some_and(|last| last == name)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn the_split_is_what_follows_the_last_slash() {
        assert_eq!(parts("coco/val"), ("coco", "val"));
        assert_eq!(parts("coco"), ("coco", "train"));
    }
}
