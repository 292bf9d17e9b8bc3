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
    #[error("{what} is in the language, but this version cannot read it yet")]
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
    /// A folder without rows of the kind and split.
    #[error("{} has no rows of {kind}(…) for split `{split}`; looked for {expected}", .folder.display())]
    NoRows {
        /// The folder of the data set.
        folder: PathBuf,
        /// The kind of data.
        kind: &'static str,
        /// The split asked for.
        split: String,
        /// Files that would hold them, in the folder.
        expected: String,
    },
    /// A built-in set does not have this kind of rows.
    #[error("`{name}` cannot be read as {kind}(…); it can as {known}")]
    NoKind {
        /// The data set.
        name: &'static str,
        /// What was asked for.
        kind: &'static str,
        /// What there is.
        known: &'static str,
    },
    /// Rows that a stage has yet to derive.
    #[error(
        "{what} has not been derived: it needs the stage `{stage}`, trained; `chiasm train` derives it in the run folder"
    )]
    NotDerived {
        /// As the language writes it.
        what: String,
        /// The stage whose model makes the rows.
        stage: String,
    },
    /// A file of derived rows that does not fit.
    #[error("{} cannot be used: {reason}; remove it, and the rows are derived anew", .path.display())]
    Derived {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No file holds a list of texts.
    #[error("there is no list `{name}`; looked for {}", listed(.looked))]
    NoList {
        /// As the model names it.
        name: String,
        /// The files that would hold it.
        looked: Vec<PathBuf>,
    },
    /// Wrong captions of a set whose pictures nobody can check.
    #[error(
        "`wrong: …` draws wrong captions for `scenes`, not for `{name}`; leave it out, or read \"scenes\""
    )]
    NotWrong {
        /// The data set.
        name: String,
    },
    /// Sources read as one that do not have the same columns.
    #[error("the sources of {name} are read as one, but not all have a column `{column}`")]
    Uneven {
        /// The sources.
        name: String,
        /// A column that some lack.
        column: String,
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
    #[error("{} {}", .path.display(), unlike(expected, source))]
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
    #[error("vocabulary `{name}` is not built in and was not found; looked for {}; `chiasm vocabulary FILE` learns one of WordPiece", listed(.looked))]
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
    let names: Vec<String> = known.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let names = names.join(", ") + if known.len() > NAMED { ", ..." } else { "" };
    match near {
        _ if known.is_empty() => String::new(),
        Some(near) => format!("; did you mean `{near}`? There is {names}"),
        None => format!("; there is {names}"),
    }
}

fn splits(wrong: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!(
            " or any other; expected annotations/captions_{wrong}.json as COCO has it, or Karpathy's dataset.json"
        );
    }
    choice(wrong, known)
}

/// Text that is no JSON at all is told from JSON of another form.
fn unlike(expected: &str, source: &serde_json::Error) -> String {
    match source.is_data() {
        true => format!("is not {expected}: {source}"),
        false => format!("is broken JSON: {source}; expected {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(name: &str, known: &[&str]) -> String {
        let known = known.iter().map(ToString::to_string).collect();
        Error::Unknown { name: name.into(), roots: vec!["sets".into()], known }.to_string()
    }

    #[test]
    fn what_there_is_follows_as_a_sentence() {
        let lead = "data set `coca` was not found in sets; say `--data DIR` where DIR/coca is its folder";
        assert_eq!(unknown("coca", &[]), lead);
        let near = format!("{lead}; did you mean `coco`? There is `coco`, `photos`");
        assert_eq!(unknown("coca", &["coco", "photos"]), near);
        assert_eq!(unknown("coca", &["photos"]), format!("{lead}; there is `photos`"));
        let many: Vec<String> = (0..9).map(|i| format!("set-{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(unknown("coca", &many).ends_with("`set-7`, ..."), "{}", unknown("coca", &many));
    }

    #[test]
    fn missing_splits_say_what_there_is() {
        let of = |known: &[&str]| {
            let known = known.iter().map(ToString::to_string).collect();
            Error::NoAnnotations { folder: "coco".into(), split: "vall".into(), known }.to_string()
        };
        assert_eq!(
            of(&["train", "val"]),
            "coco has no captions of split `vall`; did you mean `val`? There is `train`, `val`"
        );
        assert_eq!(of(&["train"]), "coco has no captions of split `vall`; there is `train`");
        assert!(
            of(&[]).starts_with("coco has no captions of split `vall` or any other; expected annotations/")
        );
    }

    /// Every other message with example values.
    #[test]
    fn messages_are_sentences() {
        let path = || PathBuf::from("a.json");
        let io = || std::io::Error::new(std::io::ErrorKind::NotFound, "not found");
        let json = serde_json::from_str::<u8>("x").expect_err("no number");
        let said = [
            (
                Error::Later { what: "vqa(…)".into() },
                "vqa(…) is in the language, but this version cannot read it yet",
            ),
            (Error::NoFolder("sets".into()), "`--data sets`: there is no such folder"),
            (
                Error::NoRows {
                    folder: "imdb".into(),
                    kind: "texts",
                    split: "val".into(),
                    expected: "val.jsonl".into(),
                },
                "imdb has no rows of texts(…) for split `val`; looked for val.jsonl",
            ),
            (
                Error::NoKind { name: "scenes", kind: "vqa", known: "pairs(…)" },
                "`scenes` cannot be read as vqa(…); it can as pairs(…)",
            ),
            (
                Error::Uneven { name: "a and b".into(), column: "label".into() },
                "the sources of a and b are read as one, but not all have a column `label`",
            ),
            (
                Error::NoSplit { name: "scenes".into(), split: "x".into(), known: "train".into() },
                "`scenes` has no split `x`; it has train",
            ),
            (Error::Read { path: path(), source: io() }, "cannot read a.json: not found"),
            (
                Error::Captions { path: path(), reason: "is empty".into(), expected: "JSON" },
                "a.json is empty; expected JSON",
            ),
            (
                Error::Json { path: path(), expected: "COCO", source: json },
                "a.json is broken JSON: expected value at line 1 column 1; expected COCO",
            ),
            (
                Error::Empty { name: "coco".into(), problems: "2 rows without caption".into() },
                "coco has no usable row: 2 rows without caption",
            ),
            (
                Error::NothingReadable { tried: 3, last: "x.jpg: empty".into() },
                "none of the 3 pictures could be read; the last one: x.jpg: empty",
            ),
            (
                Error::NoVocabulary { name: "mine".into(), looked: vec![] },
                "vocabulary `mine` is not built in and was not found; looked for nothing, as no `--data` folder was given; `chiasm vocabulary FILE` learns one of WordPiece",
            ),
            (
                Error::Vocabulary { name: "mine".into(), reason: "is empty".into() },
                "vocabulary mine: is empty",
            ),
            (Error::Wish { name: "text".into(), reason: "no column".into() }, "input `text`: no column"),
        ];
        for (error, text) in said {
            assert_eq!(error.to_string(), text);
        }
    }
}
