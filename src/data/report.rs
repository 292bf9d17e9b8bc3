//! What was wrong with the data but did not stop it: counted, and the first few named, one line a kind.
//!
//! ```
//! use chiasm::data::{Problem, Report};
//! let mut report = Report::default();
//! report.note(Problem::EmptyCaption, "image 7");
//! assert_eq!(report.to_string(), "1 empty caption (image 7)");
//! ```

use std::collections::BTreeMap;
use std::fmt;

/// How many offenders of a kind are named.
const NAMED: usize = 5;

/// A kind of defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A caption whose picture is not listed.
    CaptionWithoutPicture,
    /// A listed picture that has no caption.
    PictureWithoutCaption,
    /// A listed picture whose file is not there.
    MissingFile,
    /// A file that is not a picture, or a broken one; found while reading.
    UnreadableFile,
    /// Two pictures, or two captions, with one id; the first is kept.
    DuplicateId,
    /// Nothing but white space.
    EmptyCaption,
    /// Bytes that are not UTF-8; they are replaced by `U+FFFD`.
    NotUtf8,
    /// A line that is not the object it should be.
    BrokenLine,
    /// A label that is none of those that there are.
    UnknownLabel,
}

impl Problem {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::CaptionWithoutPicture => ("caption without a picture", "captions without a picture"),
            Self::PictureWithoutCaption => ("picture without a caption", "pictures without a caption"),
            Self::MissingFile => ("missing file", "missing files"),
            Self::UnreadableFile => ("unreadable file", "unreadable files"),
            Self::DuplicateId => ("duplicate id", "duplicate ids"),
            Self::EmptyCaption => ("empty caption", "empty captions"),
            Self::NotUtf8 => ("caption that is not UTF-8", "captions that are not UTF-8"),
            Self::BrokenLine => ("broken line", "broken lines"),
            Self::UnknownLabel => ("unknown label", "unknown labels"),
        }
    }
}

/// Counts and names of what was left out or mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    found: BTreeMap<Problem, (usize, Vec<String>)>,
}

impl Report {
    /// Adds one offender.
    pub fn note(&mut self, problem: Problem, name: impl Into<String>) {
        let (count, names) = self.found.entry(problem).or_default();
        *count += 1;
        if names.len() < NAMED {
            names.push(name.into());
        }
    }

    /// How many of a kind.
    pub fn count(&self, problem: Problem) -> usize {
        self.found.get(&problem).map_or(0, |found| found.0)
    }

    /// The first few of a kind, by name.
    pub fn names(&self, problem: Problem) -> &[String] {
        self.found.get(&problem).map_or(&[], |found| &found.1)
    }

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Every kind with its count and the first few names.
    pub fn lines(&self) -> Vec<String> {
        let line = |(problem, (count, names)): (&Problem, &(usize, Vec<String>))| {
            let (one, many) = problem.words();
            let more = if *count > names.len() { ", ..." } else { "" };
            format!("{count} {} ({}{more})", if *count == 1 { one } else { many }, names.join(", "))
        };
        self.found.iter().map(line).collect()
    }

    /// Takes over what another report holds.
    pub fn merge(&mut self, other: Report) {
        for (problem, (count, names)) in other.found {
            let mine = self.found.entry(problem).or_default();
            mine.0 += count;
            let room = NAMED.saturating_sub(mine.1.len());
            mine.1.extend(names.into_iter().take(room));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing wrong");
        }
        f.write_str(&self.lines().join("; "))
    }
}
