//! Lines that are too long are broken: between the fields that share them, then at the outermost brackets.
//!
//! Inside brackets and between operators as much as fits stays on a line; a block is written one field per line.

use super::WIDTH;
use super::breaks::{Breaks, Place, may_begin_line, tightness};
use super::entry::Entries;
use super::lines::{Line, Start};
use super::piece::Piece;
use super::write::Page;
use crate::token::Kind;

/// A way to break a line; the smallest is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cut {
    depth: usize,
    kind: CutKind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CutKind {
    Entry,
    For,
    Comma,
    Branch,
    Operator(u8),
    Block,
}

/// Breaks every line that is too long once; whether there was one.
pub fn shorten(
    pieces: &[Piece],
    entries: &Entries,
    page: &Page,
    lines: &[Line],
    breaks: &mut Breaks,
) -> bool {
    let mut long = Shortener { pieces, entries, page, breaks };
    let cut = lines
        .iter()
        .filter(|line| line.first < line.last && long.end(line.last) > WIDTH && long.cut(line))
        .count();
    if cut > 0 {
        breaks.settle(pieces, entries);
    }
    cut > 0
}

struct Shortener<'p, 't> {
    pieces: &'p [Piece<'t>],
    entries: &'p Entries,
    page: &'p Page,
    breaks: &'p mut Breaks,
}

impl Shortener<'_, '_> {
    /// Column behind the piece before `at`.
    fn end(&self, at: usize) -> usize {
        self.page.columns[at - 1] + self.pieces[at - 1].width
    }

    fn cut(&mut self, line: &Line) -> bool {
        let cuts: Vec<(Cut, usize)> =
            (line.first..line.last).filter_map(|at| Some((self.kind(line, at)?, at))).collect();
        let Some(best) = cuts.iter().map(|(cut, _)| *cut).min() else { return false };
        let places: Vec<usize> = cuts.iter().filter(|(cut, _)| *cut == best).map(|(_, at)| *at).collect();
        match best.kind {
            CutKind::Entry => places.iter().for_each(|at| self.breaks.fresh[*at] = true),
            CutKind::Block => places.iter().for_each(|at| self.spread(*at)),
            _ => self.fill(&self.widest(&places), line),
        }
        true
    }

    fn kind(&self, line: &Line, at: usize) -> Option<Cut> {
        let depth = self.entries.depth[at];
        let kind = match self.pieces[at].kind {
            Kind::LeftBrace if !self.breaks.tall[at] => CutKind::Block,
            _ if at == line.first => return None,
            _ if self.entries.starts[at].is_some() => {
                return self.breaks.tall[self.entries.inside[at]?]
                    .then_some(Cut { depth, kind: CutKind::Entry });
            }
            _ if !may_begin_line(self.pieces, self.entries, at) => return None,
            Kind::For => CutKind::For,
            Kind::Then | Kind::Else => CutKind::Branch,
            _ if self.pieces[at - 1].kind == Kind::Comma => CutKind::Comma,
            other => CutKind::Operator(tightness(other)?),
        };
        Some(Cut { depth, kind })
    }

    /// One field per line.
    fn spread(&mut self, open: usize) {
        self.breaks.tall[open] = true;
        for at in open + 1..self.entries.partner[open] {
            if self.entries.inside[at] == Some(open) && self.entries.starts[at].is_some() {
                self.breaks.fresh[at] = true;
            }
        }
    }

    /// Of the places, those in the bracket that takes most room.
    fn widest(&self, places: &[usize]) -> Vec<usize> {
        let room = |at: &&usize| {
            self.entries.inside[**at].map(|open| {
                let close = self.entries.partner[open];
                self.page.columns[close].saturating_sub(self.page.columns[open])
            })
        };
        let Some(first) = places.iter().max_by_key(room) else { return Vec::new() };
        let inside = self.entries.inside[*first];
        places.iter().copied().filter(|at| self.entries.inside[*at] == inside).collect()
    }

    /// Breaks at those places where the next part would not fit.
    fn fill(&mut self, places: &[usize], line: &Line) {
        let Some(first) = places.first() else { return };
        let place = match (self.entries.inside[*first], line.start) {
            (None, _) => Place::Hanging,
            (Some(open), _) if self.pieces[open].kind == Kind::LeftBrace => Place::Hanging,
            (Some(open), Start::Continued(place)) if open < line.first => place,
            (Some(open), _) => Place::Bracket(open),
        };
        let column = self.column(place, *first, line);
        let (mut from, mut column_from) = (line.first, self.page.columns[line.first]);
        for (number, at) in places.iter().enumerate() {
            let end = self.end(places.get(number + 1).copied().unwrap_or(line.last));
            if column_from + end - self.page.columns[from] > WIDTH {
                self.breaks.before[*at] = Some(place);
                (from, column_from) = (*at, column);
            }
        }
    }

    fn column(&self, place: Place, at: usize, line: &Line) -> usize {
        match place {
            Place::Bracket(open) => self.page.columns[open] + 1,
            Place::Author(_) => self.page.columns[line.first],
            Place::Hanging => self.page.columns[self.entries.owner[at]] + 4,
        }
    }
}
