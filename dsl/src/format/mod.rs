//! Text to the same text in its one form: section "Form" of `GRAMMAR.md`.
//!
//! ```text
//!  text ──piece──▶ tokens with their comments ──entry, breaks──▶ lines ──align, write──▶ text
//! ```
//!
//! The author's words stay: comments, the spelling of numbers, the order, most line breaks. What changes is white space.
//!
//! Invariants: the tree of the result is the tree of the text but for its spans, and formatting the result changes nothing.
//! A text with a mistake is not formatted.
//!
//! ```
//! use chiasm_dsl::format::format;
//! assert_eq!(format("a=b'@[c,d:1 ..2]->e # why").unwrap(), format!("{:51}# why\n", "a = b' @ [c, d: 1..2] -> e"));
//! ```

mod align;
mod breaks;
mod entry;
mod lines;
mod long;
mod piece;
mod space;
mod write;

use crate::diagnostic::Diagnostic;
use crate::parse::{Parsed, parse};
use crate::span::FileId;

/// The most characters of code on a line.
const WIDTH: usize = 120;

/// Where a comment behind code begins.
const MARGIN: usize = 51;

/// A line that was broken moves the `=` of its neighbours, which may break another one; a few rounds settle that.
const ROUNDS: usize = 20;

/// The text in its one form, with its own line ends; or what is wrong with it.
///
/// A byte-order mark is dropped. The first line end decides between those of Unix and of Windows.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut formed = once(text)?;
    for _ in 0..ROUNDS {
        let again = once(&formed)?;
        if again == formed {
            break;
        }
        formed = again;
    }
    Ok(if has_windows_ends(text) { formed.replace('\n', "\r\n") } else { formed })
}

fn has_windows_ends(text: &str) -> bool {
    text.find('\n').is_some_and(|end| text[..end].ends_with('\r'))
}

fn once(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(FileId(0), text);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    Ok(form(&parsed, text))
}

fn form(parsed: &Parsed, text: &str) -> String {
    let pieces = piece::pieces(parsed, text);
    let entries = entry::entries(&parsed.tree, &pieces);
    let mut breaks = breaks::of_author(&pieces, &entries);
    loop {
        let lines = lines::lines(&pieces, &entries, &breaks);
        let page = write::place(&pieces, &entries, &lines);
        if !long::shorten(&pieces, &entries, &page, &lines, &mut breaks) {
            return write::text(&pieces, &lines, &page);
        }
    }
}
