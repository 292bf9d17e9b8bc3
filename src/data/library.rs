//! Where names of data sets and vocabularies become folders and files: the folders given by `--data`.
//!
//! `"photos/val"` is split `val` of `photos`; without a split, `train` is meant. For every given DIR, in order, these are tried:
//! 1. `DIR/photos`, a folder; then `DIR/…_photos` and `DIR/…/photos`;
//! 2. DIR itself, if it is called `photos`;
//! 3. DIR itself, if it holds rows of the kind and split (so `--data` may name the data set's own folder);
//! 4. DIR itself, if it is a file.
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
use super::{Error, folder, kinds, scenes};
use crate::recipe::{Data, DataKind, Rows};

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
        self.open_for(data, &[])
    }

    /// The same, knowing which columns will be read: of questions, `answer` among them makes a row of every answer.
    ///
    /// # Errors
    /// As [`Library::open`].
    pub fn open_for(&self, data: &Data, wanted: &[&str]) -> Result<Dataset, Error> {
        readable(data)?;
        let mut dataset = Dataset::new(&data.names().join(" and "));
        self.fill(&data.rows, wanted, &mut dataset)?;
        dataset.usable()
    }

    fn fill(&self, rows: &Rows, wanted: &[&str], dataset: &mut Dataset) -> Result<(), Error> {
        match rows {
            Rows::Sets { kind, names } => names.iter().try_for_each(|name| {
                let (name, split) = parts(name);
                let ask = Ask { library: self, name, split, kind, wanted };
                if name == "scenes" { scenes::open(&ask, dataset) } else { kinds::open(&ask, dataset) }
            }),
            Rows::Mixed(all) => all.iter().try_for_each(|one| self.fill(&one.rows, wanted, dataset)),
            // `readable` was asked before.
            Rows::Recaptioned { .. } | Rows::Kept { .. } => Ok(()),
        }
    }

    /// The folder or file of a data set. `holds` says whether a folder given by `--data` is the data set itself.
    pub(super) fn find(&self, name: &str, holds: impl Fn(&Path) -> bool) -> Result<PathBuf, Error> {
        for root in &self.roots {
            if let Some(inside) = inside(root, name) {
                return Ok(inside);
            }
            if is_named(root, name) || root.is_file() || holds(root) {
                return Ok(root.clone());
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

/// What is asked of a data set.
pub(super) struct Ask<'a> {
    /// Where to look.
    pub library: &'a Library,
    /// The data set, without its split.
    pub name: &'a str,
    /// The split.
    pub split: &'a str,
    /// What rows should have.
    pub kind: &'a DataKind,
    /// The columns that will be read.
    pub wanted: &'a [&'a str],
}

/// The folder of a data set in a root: itself, one called `kind_NAME`, or one in a folder of the root.
fn inside(root: &Path, name: &str) -> Option<PathBuf> {
    let direct = Some(root.join(name)).filter(|path| path.is_dir());
    direct.or_else(|| {
        let folders = folder::folders(root);
        let called =
            folders.iter().find(|folder| folder.strip_suffix(name).is_some_and(|f| f.ends_with('_')));
        let deeper = || folders.iter().map(|folder| root.join(folder).join(name)).find(|path| path.is_dir());
        called.map(|folder| root.join(folder)).or_else(deeper)
    })
}

/// Refuses data that this version does not read.
fn readable(data: &Data) -> Result<(), Error> {
    let later = |what: String| Err(Error::Later { what });
    match &data.rows {
        Rows::Sets { .. } => Ok(()),
        Rows::Mixed(all) => all.iter().try_for_each(|one| match one.transforms.is_empty() {
            true => readable(one),
            false => later("a mixture whose sources have transforms of their own".into()),
        }),
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
