//! `=` and `:` of neighbouring lines in one column.
//!
//! A run is a row of adjacent lines of one kind in one block. A blank line, a comment, another kind and a definition of
//! several lines end it, since then the lines are not adjacent any more.

use super::entry::{Entries, Entry, Row};
use super::lines::{Line, Start};
use super::piece::Piece;
use super::space::before;

/// More spaces before each piece.
pub fn pads(pieces: &[Piece], entries: &Entries, lines: &[Line]) -> Vec<usize> {
    let mut pads = vec![0; pieces.len()];
    let mut from = 0;
    while from < lines.len() {
        let kind = kind(entries, &lines[from]);
        let more = lines[from + 1..]
            .iter()
            .take_while(|it| !it.blank && kind.is_some() && self::kind(entries, it) == kind);
        let to = from + 1 + more.count();
        let heads: Vec<(usize, Entry)> = lines[from..to].iter().filter_map(|it| head(entries, it)).collect();
        align(pieces, entries, &heads, |entry| entry.colon, &mut pads);
        align(pieces, entries, &heads, |entry| entry.assign, &mut pads);
        from = to;
    }
    pads
}

/// The first entry of a line, if its `=` and `:` stand on that line too.
fn head(entries: &Entries, line: &Line) -> Option<(usize, Entry)> {
    let Start::Entry(_) = line.start else { return None };
    let entry = entries.starts[line.first]?;
    let here = entry.assign.into_iter().chain(entry.colon).all(|sign| sign < line.last);
    (here && !matches!(entry.row, Row::Plain | Row::Alone)).then_some((line.first, entry))
}

fn kind(entries: &Entries, line: &Line) -> Option<(Row, Option<usize>)> {
    head(entries, line).map(|(first, entry)| (entry.row, entries.inside[first]))
}

fn align(
    pieces: &[Piece],
    entries: &Entries,
    heads: &[(usize, Entry)],
    sign: impl Fn(&Entry) -> Option<usize>,
    pads: &mut [usize],
) {
    let signs = heads.iter().filter_map(|(first, entry)| sign(entry).map(|sign| (*first, sign)));
    let widths: Vec<(usize, usize)> =
        signs.map(|(first, sign)| (sign, width(pieces, entries, pads, first, sign))).collect();
    let most = widths.iter().map(|(_, width)| *width).max().unwrap_or(0);
    widths.iter().for_each(|(sign, width)| pads[*sign] += most - width);
}

/// From the first piece to the end of the one before `sign`.
fn width(pieces: &[Piece], entries: &Entries, pads: &[usize], first: usize, sign: usize) -> usize {
    let rest = (first + 1..sign).map(|at| before(pieces, entries, at) + pads[at] + pieces[at].width);
    pieces[first].width + rest.sum::<usize>()
}
