//! Places in source text, and the files they point into.
//!
//! A [`Span`] is a byte range of one file; a [`Sources`] holds the files and turns spans into lines and columns.
//! Invariant: a span's file is in the `Sources` it came from, and its ends are on character boundaries.
//!
//! ```
//! use chiasm_dsl::span::{Sources, Span};
//! let mut sources = Sources::default();
//! let file = sources.add("mine.chi", "set size = 64\n", false);
//! assert_eq!(sources.place(Span { file, start: 4, end: 8 }).column, 5);
//! ```

use serde::{Deserialize, Serialize};

/// A file of a [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// Bytes `start..end` of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The smallest span that covers both; both lie in one file.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A source file: its name as the user wrote it, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path as shown in messages.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Whether it belongs to the standard library (messages then point at the user's call instead).
    pub library: bool,
    lines: Vec<u32>,
}

/// A place in words: counted from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Line of the last character.
    pub end_line: usize,
    /// Column of the last character (included).
    pub end_column: usize,
}

/// All files of one compilation.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file. A byte-order mark at its start is dropped.
    pub fn add(&mut self, name: &str, text: &str, library: bool) -> FileId {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_string();
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        self.files.push(Source { name: name.to_string(), text, library, lines });
        FileId(self.files.len() as u32 - 1)
    }

    /// The file itself.
    pub fn file(&self, id: FileId) -> &Source {
        &self.files[id.0 as usize]
    }

    /// All files in order of addition.
    pub fn files(&self) -> &[Source] {
        &self.files
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and columns of a span.
    pub fn place(&self, span: Span) -> Place {
        let source = self.file(span.file);
        let (line, column) = source.position(span.start);
        let last = span.end.saturating_sub(1).max(span.start);
        let (end_line, end_column) = source.position(last);
        Place { line, column, end_line, end_column }
    }

    /// The line (from 1) that holds a place, without its line end.
    pub fn line(&self, file: FileId, line: usize) -> &str {
        let source = self.file(file);
        let start = source.lines.get(line - 1).map_or(source.text.len(), |s| *s as usize);
        source.text[start..].split('\n').next().unwrap_or("").trim_end_matches('\r')
    }

    /// `albef.chi:41` for messages.
    pub fn at(&self, span: Span) -> String {
        format!("{}:{}", self.file(span.file).name, self.place(span).line)
    }
}

impl Source {
    fn position(&self, byte: u32) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = self.lines[line - 1] as usize;
        let mut end = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        (line, self.text.get(start..end).map_or(1, |head| head.chars().count() + 1))
    }
}
