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
use super::derived::Derived;
use super::{Error, folder, kinds, scenes};
use crate::recipe::{Data, DataKind, Rows};

/// The folders given by `--data`.
#[derive(Clone, Debug, Default)]
pub struct Library {
    roots: Vec<PathBuf>,
    /// Where rows lie that stages derived.
    derived: Option<PathBuf>,
}

impl Library {
    /// Names are looked up in these, in order.
    pub fn new<P: Into<PathBuf>>(roots: impl IntoIterator<Item = P>) -> Self {
        Self { roots: roots.into_iter().map(Into::into).collect(), derived: None }
    }

    /// The same, with the rows that the stages of a run folder derived.
    #[must_use]
    pub fn of_run(self, run: &Path) -> Self {
        Self { derived: Some(run.to_path_buf()), ..self }
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

    /// The rows of which others are derived: with every column, so that they are the same whoever reads them.
    ///
    /// # Errors
    /// As [`Library::open`].
    pub fn open_whole(&self, data: &Data) -> Result<Dataset, Error> {
        let all: Vec<&str> = data.columns.iter().map(|column| column.from.as_str()).collect();
        self.open_for(data, &all)
    }

    fn fill(&self, rows: &Rows, wanted: &[&str], dataset: &mut Dataset) -> Result<(), Error> {
        match rows {
            Rows::Sets { kind, names } => names.iter().try_for_each(|name| {
                let (name, split) = parts(name);
                let ask = Ask { library: self, name, split, kind, wanted };
                if name == "scenes" { scenes::open(&ask, dataset) } else { kinds::open(&ask, dataset) }
            }),
            Rows::Mixed(all) => all.iter().try_for_each(|one| self.fill(&one.rows, wanted, dataset)),
            Rows::Recaptioned { data, .. } | Rows::Kept { data, .. } => {
                let file = self.derived.as_ref().and_then(|run| rows.derived_in(run)).filter(|f| f.is_file());
                let stage = rows.maker().unwrap_or_default().to_string();
                let missing = || Error::NotDerived { what: rows.to_string(), stage };
                let file = file.ok_or_else(missing)?;
                Derived::read(&file)?.add(&file, self.open_whole(data)?, dataset)
            }
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

    /// The texts of a list: `"vqa/answers"` is `answers.json`, a list of texts, or `answers.txt`, a text a line up to its first tab, in
    /// the folder of `vqa`. Each text counts once.
    ///
    /// # Errors
    /// There is no such file, or none that can be read.
    pub fn list(&self, name: &str) -> Result<Vec<String>, Error> {
        let (folder, list) = name.rsplit_once('/').unwrap_or(("", name));
        let files = |folder: &Path| ["json", "txt"].map(|end| folder.join(format!("{list}.{end}")));
        let first = |folder: &Path| files(folder).into_iter().find(|path| path.is_file());
        let folders: Vec<PathBuf> = match folder {
            "" => self.roots.clone(),
            folder => vec![self.find(folder, |root| first(root).is_some())?],
        };
        let places = folders.iter().flat_map(|at| [at.clone(), at.join("annotations")]);
        let Some(path) = places.clone().find_map(|place| first(&place)) else {
            return Err(Error::NoList {
                name: name.into(),
                looked: places.flat_map(|at| files(&at)).collect(),
            });
        };
        kinds::texts_of(&path)
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
        Rows::Recaptioned { data, .. } | Rows::Kept { data, .. } => readable(data),
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
