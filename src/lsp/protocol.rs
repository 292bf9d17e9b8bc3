//! The few messages of the Language Server Protocol 3.17 that are spoken here, as an editor writes them.
//!
//! Invariant: unknown fields are skipped, so a newer editor is understood.

use serde::{Deserialize, Serialize};

/// A place: lines from 0, and units of UTF-16 from the start of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    pub line: u32,
    pub character: u32,
}

/// From a place to one behind the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub start: Position,
    pub end: Position,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    pub uri: String,
    pub range: Range,
}

/// Which document.
#[derive(Debug, Deserialize)]
pub struct Identifier {
    pub uri: String,
}

/// A question about a document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfDocument {
    pub text_document: Identifier,
}

/// A question about a place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct At {
    pub text_document: Identifier,
    pub position: Position,
}

/// A whole document.
#[derive(Debug, Deserialize)]
pub struct Item {
    pub uri: String,
    pub version: i64,
    pub text: String,
}

/// `textDocument/didOpen`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    pub text_document: Item,
}

/// A document after a change.
#[derive(Debug, Deserialize)]
pub struct Versioned {
    pub uri: String,
    #[serde(default)]
    pub version: Option<i64>,
}

/// A replaced stretch; the whole text without a range.
#[derive(Debug, Deserialize)]
pub struct Change {
    #[serde(default)]
    pub range: Option<Range>,
    pub text: String,
}

/// `textDocument/didChange`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    pub text_document: Versioned,
    pub content_changes: Vec<Change>,
}

/// `textDocument/didClose`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    pub text_document: Identifier,
}
