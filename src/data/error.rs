//! What can stop data from being read. Every message says where, what was expected, what was found, and what to do.
//!
//! ```
//! let error = chiasm::data::Error::TooFew { rows: 3, batch: 8 };
//! assert_eq!(error.to_string(), "the data has 3 rows, a batch wants 8; choose a smaller batch");
//! ```

use std::path::PathBuf;

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
    #[error("data set `{name}` was not found; looked for {}; say `--data DIR` where DIR/{name} is its folder", listed(.looked))]
    Unknown {
        /// As the model names it, without the split.
        name: String,
        /// Every place that was tried.
        looked: Vec<PathBuf>,
    },
    /// A folder without annotations of the split.
    #[error("no captions of split `{split}` in {}; looked for {}", .folder.display(), listed(.looked))]
    NoAnnotations {
        /// The folder of the data set.
        folder: PathBuf,
        /// The split asked for.
        split: String,
        /// Every file that was tried.
        looked: Vec<PathBuf>,
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
    /// A picture that cannot be turned into pixels.
    #[error("picture {name}: {reason}")]
    Picture {
        /// File or number.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Picture after picture failed.
    #[error("none of {tried} pictures tried could be read; the last one: {last}")]
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
