//! Pieces to lines.

use super::breaks::{Breaks, Place};
use super::entry::Entries;
use super::piece::Piece;
use crate::token::Kind;

/// How a line begins.
#[derive(Clone, Copy)]
pub enum Start<'t> {
    /// With an entry of this block, or of the file.
    Entry(Option<usize>),
    /// With a closing brace.
    Close,
    /// With something that continues a definition.
    Continued(Place),
    /// A comment among the entries of a block, or of the file.
    Comment(&'t str, Option<usize>),
    /// A comment in this column within a definition.
    Within(&'t str, usize),
}

/// A line.
pub struct Line<'t> {
    /// How it begins.
    pub start: Start<'t>,
    /// Its first piece; for a comment, the one behind it.
    pub first: usize,
    /// One past its last piece.
    pub last: usize,
    /// Whether a blank line stands before it.
    pub blank: bool,
    /// The comment at its end.
    pub trailing: Option<&'t str>,
}

/// All lines of a file.
pub fn lines<'t>(pieces: &[Piece<'t>], entries: &Entries, breaks: &Breaks) -> Vec<Line<'t>> {
    let mut lines: Vec<Line> = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let end = at + 1 == pieces.len();
        if let (Some(line), Some(_)) = (lines.last_mut(), piece.gap.trailing) {
            line.trailing = piece.gap.trailing;
        }
        if !end && !breaks.begins_line(pieces, entries, at) {
            continue;
        }
        if let Some(line) = lines.last_mut() {
            line.last = at;
        }
        let start = start(pieces, entries, breaks, at);
        let block = if let Start::Close = start { Some(entries.partner[at]) } else { entries.inside[at] };
        comments(&mut lines, piece, at, (start, block));
        if !end {
            let opened = at > 0 && pieces[at - 1].kind == Kind::LeftBrace && !piece.gap.has_comment();
            let blank = piece.gap.blank && matches!(start, Start::Entry(_)) && !opened;
            lines.push(Line { start, first: at, last: at + 1, blank, trailing: None });
        }
    }
    lines
}

fn start<'t>(pieces: &[Piece], entries: &Entries, breaks: &Breaks, at: usize) -> Start<'t> {
    match (pieces[at].kind, entries.starts[at], breaks.before[at]) {
        (Kind::RightBrace, ..) => Start::Close,
        (kind, None, Some(place)) if kind != Kind::End => Start::Continued(place),
        _ => Start::Entry(entries.inside[at]),
    }
}

/// Comments keep their lines.
fn comments<'t>(
    lines: &mut Vec<Line<'t>>,
    piece: &Piece<'t>,
    at: usize,
    (start, block): (Start, Option<usize>),
) {
    for comment in &piece.gap.comments {
        let within = matches!(start, Start::Continued(_));
        let start = if within {
            Start::Within(comment.text, comment.column)
        } else {
            Start::Comment(comment.text, block)
        };
        lines.push(Line { start, first: at, last: at, blank: comment.blank && !within, trailing: None });
    }
}
