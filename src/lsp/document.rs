//! A text that an editor holds: its changes, its places, its one form.

use super::position::Lines;
use super::protocol::{Change, Position, Range};
use super::uri;
use chiasm_dsl::format::format;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// The mark that may stand before a text; the compiler drops it, an editor counts it.
const MARK: &str = "\u{feff}";

/// An open document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its address.
    pub uri: String,
    /// Its path; of what is not on disk, the address.
    pub path: PathBuf,
    /// What the editor counts.
    pub version: Option<i64>,
    /// The whole text, with a byte-order mark if it has one.
    pub text: Arc<str>,
    lines: Lines,
}

impl Document {
    /// A document as it is opened.
    pub fn new(uri: String, text: String, version: i64) -> Self {
        let (path, lines) = (uri::path(&uri), Lines::of(&text));
        Self { uri, path, version: Some(version), text: text.into(), lines }
    }

    /// Takes over changes, one after the other.
    pub fn change(&mut self, changes: &[Change], version: Option<i64>) {
        for change in changes {
            let text = match change.range {
                None => change.text.clone(),
                Some(Range { start, end }) => {
                    let start = self.lines.offset(&self.text, start);
                    let end = self.lines.offset(&self.text, end).max(start);
                    [&self.text[..start], &change.text, &self.text[end..]].concat()
                }
            };
            self.lines = Lines::of(&text);
            self.text = text.into();
        }
        self.version = version;
    }

    /// The text as the compiler reads it.
    pub fn body(&self) -> &str {
        self.text.strip_prefix(MARK).unwrap_or(&self.text)
    }

    /// The place in the body.
    pub fn offset(&self, at: Position) -> usize {
        self.lines.offset(&self.text, at).saturating_sub(self.mark())
    }

    /// The range between two places of the body.
    pub fn range(&self, start: usize, end: usize) -> Range {
        let place = |offset| self.lines.position(&self.text, offset + self.mark());
        Range { start: place(start), end: place(end) }
    }

    fn mark(&self) -> usize {
        self.text.len() - self.body().len()
    }

    /// The edits that give the text its one form; nothing for a text with a mistake.
    pub fn formatted(&self) -> Value {
        let Ok(formed) = format(&self.text) else { return Value::Null };
        if *formed == *self.text {
            return json!([]);
        }
        let whole =
            Range { start: Position::default(), end: self.lines.position(&self.text, self.text.len()) };
        json!([{ "range": whole, "newText": formed }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: (u32, u32), to: (u32, u32), text: &str) -> Change {
        let place = |(line, character)| Position { line, character };
        Change { range: Some(Range { start: place(from), end: place(to) }), text: text.into() }
    }

    #[test]
    fn changes_follow_each_other() {
        let mut document = Document::new("file:///a.chi".into(), "\u{feff}a = 1\r\nb = 2".into(), 1);
        assert_eq!(document.offset(Position { line: 0, character: 1 }), 0, "the mark is one unit");
        document.change(&[change((1, 4), (1, 5), "34"), change((1, 6), (9, 9), "\r\n")], Some(2));
        assert_eq!(document.body(), "a = 1\r\nb = 34\r\n");
        document.change(&[change((1, 3), (0, 2), "?")], Some(3));
        assert_eq!(document.body(), "a = 1\r\nb =? 34\r\n", "a range from back to front is empty");
        document.change(&[Change { range: None, text: "c=1".into() }], None);
        assert_eq!(document.formatted()[0]["newText"], "c = 1\n");
    }
}
