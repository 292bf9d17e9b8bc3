//! Where lines end: the author's line ends, as far as a line may end there.

use super::entry::{Entries, Row};
use super::piece::Piece;
use crate::token::Kind;

/// Where a continued line begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// In this column of the author's text.
    Author(usize),
    /// Behind this open bracket.
    Bracket(usize),
    /// A little to the right of the definition.
    Hanging,
}

/// Marks, one for each piece.
pub struct Breaks {
    /// A line that continues a definition begins here.
    pub before: Vec<Option<Place>>,
    /// The entry that begins here does not share the line of the one before.
    pub fresh: Vec<bool>,
    /// The block that is opened here has several lines.
    pub tall: Vec<bool>,
}

/// What the author wrote, with line ends behind operators moved before them.
pub fn of_author(pieces: &[Piece], entries: &Entries) -> Breaks {
    let none = || vec![false; pieces.len()];
    let mut breaks = Breaks { before: vec![None; pieces.len()], fresh: none(), tall: none() };
    for at in 1..pieces.len() {
        let gap = &pieces[at].gap;
        breaks.fresh[at] = gap.newline || gap.has_comment();
        if gap.has_comment() || (gap.newline && may_begin_line(pieces, entries, at)) {
            breaks.before[at] = Some(Place::Author(pieces[at].column));
        } else if gap.newline && is_operator(pieces, entries, at - 1) && breaks.before[at - 1].is_none() {
            breaks.before[at - 1] = Some(Place::Author(pieces[at].column));
        }
    }
    mark_tall(pieces, entries, &mut breaks);
    breaks.settle(pieces, entries);
    breaks
}

/// A block stays on one line if it was.
fn mark_tall(pieces: &[Piece], entries: &Entries, breaks: &mut Breaks) {
    let mut last = 0;
    for (at, piece) in pieces.iter().enumerate() {
        last = if piece.gap.newline || piece.gap.has_comment() { at } else { last };
        if piece.kind == Kind::RightBrace {
            let open = entries.partner[at];
            breaks.tall[open] = last > open;
        }
    }
}

/// Lines break before operators and words, behind commas, and behind the `=` of a definition.
pub fn may_begin_line(pieces: &[Piece], entries: &Entries, at: usize) -> bool {
    let defined = entries.starts[entries.owner[at]].and_then(|entry| entry.assign);
    matches!(pieces[at].kind, Kind::For | Kind::Then | Kind::Else)
        || pieces[at - 1].kind == Kind::Comma
        || is_operator(pieces, entries, at)
        || defined == Some(at - 1)
}

fn is_operator(pieces: &[Piece], entries: &Entries, at: usize) -> bool {
    !entries.unary[at] && tightness(pieces[at].kind).is_some()
}

/// How tightly an operator binds.
pub fn tightness(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Arrow => Some(0),
        Kind::Or => Some(1),
        Kind::And => Some(2),
        Kind::Equal | Kind::NotEqual | Kind::Less | Kind::LessEqual | Kind::Greater | Kind::GreaterEqual => {
            Some(3)
        }
        Kind::Plus | Kind::Minus => Some(4),
        Kind::Star | Kind::Slash | Kind::Percent | Kind::At => Some(5),
        Kind::Caret => Some(6),
        _ => None,
    }
}

impl Breaks {
    /// Whether a line begins with this piece.
    pub fn begins_line(&self, pieces: &[Piece], entries: &Entries, at: usize) -> bool {
        if at == 0 {
            return true;
        }
        if pieces[at].kind == Kind::RightBrace {
            return self.tall[entries.partner[at]];
        }
        match (entries.starts[at], entries.inside[at]) {
            (None, _) => self.before[at].is_some(),
            (Some(_), None) => true,
            (Some(_), Some(open)) => self.tall[open] && (at == open + 1 || self.fresh[at]),
        }
    }

    /// Entries share a line only if all of them are short and fields.
    pub fn settle(&mut self, pieces: &[Piece], entries: &Entries) {
        let ends: Vec<usize> = self.long_before(pieces, entries);
        let mut previous: Vec<Option<bool>> = vec![None; pieces.len() + 1];
        for at in 0..pieces.len() {
            let (Some(entry), Some(open)) = (entries.starts[at], entries.inside[at]) else { continue };
            let end = entries.end(at);
            let large = entry.row == Row::Alone || ends[end] > ends[at + 1];
            self.fresh[at] |= large || previous[open] == Some(true);
            previous[open] = Some(large);
        }
    }

    /// How many continued lines and tall blocks begin before each piece.
    fn long_before(&self, pieces: &[Piece], entries: &Entries) -> Vec<usize> {
        let mut count = 0;
        let mut all = vec![0];
        for at in 0..pieces.len() {
            let inner = entries.starts[at].is_none() && self.before[at].is_some();
            count += usize::from(inner || self.tall[at]);
            all.push(count);
        }
        all
    }
}
