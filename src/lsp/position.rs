//! Places of an editor (line, UTF-16 units) to places of the compiler (bytes), and places of one text to those of another.
//!
//! Invariant: every place gives one on a character boundary inside the text. What lies behind the end of a line is its end.
//! Lines end as the protocol says: `\n`, `\r\n` or `\r`.

use super::protocol::{Position, Range};
use chiasm_dsl::span::Span;

/// Where lines begin.
#[derive(Clone, Debug)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// The lines of a text.
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends =
            |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        Self(std::iter::once(0).chain((0..bytes.len()).filter(ends).map(|at| at + 1)).collect())
    }

    /// The byte of a place.
    pub fn offset(&self, text: &str, at: Position) -> usize {
        let Some(start) = self.0.get(at.line as usize) else { return text.len() };
        let end = self.0.get(at.line as usize + 1).copied().unwrap_or(text.len());
        let line = text[*start..end].trim_end_matches(['\n', '\r']);
        let mut units = 0;
        for (byte, c) in line.char_indices() {
            if units >= at.character as usize {
                return start + byte;
            }
            units += c.len_utf16();
        }
        start + line.len()
    }

    /// The place of a byte.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = floor(text, offset);
        let line = self.0.partition_point(|start| *start <= offset) - 1;
        let character = text[self.0[line]..offset].encode_utf16().count();
        Position { line: line as u32, character: character as u32 }
    }

    /// The range of a span.
    pub fn range(&self, text: &str, span: Span) -> Range {
        let (start, end) = (span.start as usize, span.end as usize);
        Range { start: self.position(text, start), end: self.position(text, end) }
    }
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Where a place of one text lies in another one: `Ok` before and behind what differs, `Err` with the nearest inside.
pub fn carry(from: &str, to: &str, at: usize) -> Result<usize, usize> {
    let same = from.bytes().zip(to.bytes()).take_while(|(a, b)| a == b).count();
    let room = from.len().min(to.len()) - same;
    let tail = from.bytes().rev().zip(to.bytes().rev()).take(room).take_while(|(a, b)| a == b).count();
    if at <= same {
        return Ok(floor(to, at));
    }
    if at + tail >= from.len() { Ok(floor(to, at + to.len() - from.len())) } else { Err(floor(to, same)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn units_are_those_of_utf16() {
        let text = "# é𝄞x\r\na\rb\nc";
        let lines = Lines::of(text);
        for (at, found) in [(place(0, 5), "x"), (place(1, 0), "a"), (place(2, 0), "b"), (place(3, 0), "c")] {
            let offset = lines.offset(text, at);
            assert!(text[offset..].starts_with(found), "{at:?}");
            assert_eq!(lines.position(text, offset), at);
        }
        assert_eq!(&text[lines.offset(text, place(0, 4))..][..1], "x", "inside a pair is behind it");
        assert_eq!(
            lines.offset(text, place(0, 99)),
            text.find('\r').expect("a line end"),
            "behind the end of a line"
        );
        assert_eq!(lines.offset(text, place(99, 0)), text.len());
        assert_eq!(Lines::of("").position("", 7), place(0, 0));
    }

    #[test]
    fn places_are_carried_over_a_change() {
        let (old, new) = ("a = 1\nb = é\n", "a = 1 + 2\nb = é\n");
        assert_eq!(carry(new, old, 4), Ok(4));
        assert_eq!(carry(new, old, 8), Err(5));
        assert_eq!(carry(new, old, new.len()), Ok(old.len()));
        assert_eq!(carry(old, new, 6), Ok(10));
        assert_eq!(carry("", "x", 0), Ok(0));
    }
}
