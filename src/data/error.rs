//! What can stop data from being read. Every message says where, what was expected, what was found, and what to do.
//!
//! ```
//! let error = chiasm::data::Error::TooFew { rows: 3, batch: 8 };
//! assert_eq!(error.to_string(), "the data has 3 rows, a batch wants 8; choose a smaller batch");
//! ```

use chiasm_dsl::diagnostic::nearest;
use std::path::PathBuf;

/// How many known names a message lists.
const NAMED: usize = 8;

/// Why data cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Data of the language that this version does not read.
    #[error("{what} is in the language, but this version cannot read it yet; it reads pairs(…)")]
    Later {
        /// What was asked for.
        what: String,
    },
    /// No folder answers to the name.
    #[error("data set `{name}` was not found{}; say `--data DIR` where DIR/{name} is its folder{}", places(.roots), choice(name, .known))]
    Unknown {
        /// As the model names it, without the split.
        name: String,
        /// The folders of `--data`.
        roots: Vec<PathBuf>,
        /// What lies in them.
        known: Vec<String>,
    },
    /// A folder of `--data` that is not there.
    #[error("`--data {}`: there is no such folder", .0.display())]
    NoFolder(PathBuf),
    /// A folder without annotations of the split.
    #[error("{} has no captions of split `{split}`{}", .folder.display(), splits(split, .known))]
    NoAnnotations {
        /// The folder of the data set.
        folder: PathBuf,
        /// The split asked for.
        split: String,
        /// The splits that have captions.
        known: Vec<String>,
    },
    /// A built-in set has no such split.
    #[error("`{name}` has no split `{split}`; it has {known}")]
    NoSplit {
        /// The data set.
        name: String,
        /// The split asked for.
        split: String,
        /// What there is.
        known: String,
    },
    /// The operating system refused.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A text that cannot hold captions at all.
    #[error("{} {reason}; expected {expected}", .path.display())]
    Captions {
        /// Which file.
        path: PathBuf,
        /// What it is.
        reason: String,
        /// The formats.
        expected: &'static str,
    },
    /// Not the JSON that was expected.
    #[error("{} is not {expected}: {source}", .path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// The format.
        expected: &'static str,
        /// With line and column.
        source: serde_json::Error,
    },
    /// Nothing to train on.
    #[error("{name} has no usable row: {problems}")]
    Empty {
        /// The data set.
        name: String,
        /// The report in one line.
        problems: String,
    },
    /// Fewer rows than one batch.
    #[error("the data has {rows} rows, a batch wants {batch}; choose a smaller batch")]
    TooFew {
        /// Rows of the data set.
        rows: usize,
        /// Rows of a batch.
        batch: usize,
    },
    /// A picture that cannot be turned into pixels: its file, and what is wrong with it.
    #[error("{0}")]
    Picture(String),
    /// All pictures failed.
    #[error("none of the {tried} pictures could be read; the last one: {last}")]
    NothingReadable {
        /// How many.
        tried: usize,
        /// What was wrong with the last one.
        last: String,
    },
    /// A vocabulary that is neither built in nor found.
    #[error("vocabulary `{name}` is not built in and was not found; looked for {}", listed(.looked))]
    NoVocabulary {
        /// As the model names it.
        name: String,
        /// Every file that was tried.
        looked: Vec<PathBuf>,
    },
    /// A vocabulary file that cannot be used.
    #[error("vocabulary {name}: {reason}")]
    Vocabulary {
        /// Name or file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A wish that cannot be granted.
    #[error("input `{name}`: {reason}")]
    Wish {
        /// Of the input.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A worker thread ended without a batch.
    #[error("a loader thread stopped; this is a mistake in the program, please report it")]
    Worker,
}

fn listed(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "nothing, as no `--data` folder was given".into();
    }
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn places(roots: &[PathBuf]) -> String {
    if roots.is_empty() {
        ", as no `--data` folder was given".into()
    } else {
        format!(" in {}", listed(roots))
    }
}

/// What there is, the nearest first.
fn choice(wrong: &str, known: &[String]) -> String {
    let near = nearest(wrong, known.iter().map(String::as_str));
    let meant = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let more = if known.len() > NAMED { ", ..." } else { "" };
    let names: Vec<String> = known.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    if names.is_empty() { meant } else { format!("{meant} There is {}{more}", names.join(", ")) }
}

fn splits(wrong: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!(
            " or any other; expected annotations/captions_{wrong}.json as COCO has it, or Karpathy's dataset.json"
        );
    }
    choice(wrong, known)
}
