//! Lines to text: a column for every piece, then the characters.

use super::align::pads;
use super::breaks::Place;
use super::entry::Entries;
use super::lines::{Line, Start};
use super::piece::Piece;
use super::{MARGIN, space};

/// Behind a bracket further right than this nothing is continued.
const RIGHTMOST: usize = 80;

/// Columns from 0.
pub struct Page {
    /// Of every piece.
    pub columns: Vec<usize>,
    /// The first column of every line.
    pub indents: Vec<usize>,
}

/// Gives every piece its column.
pub fn place(pieces: &[Piece], entries: &Entries, lines: &[Line]) -> Page {
    let pads = pads(pieces, entries, lines);
    let mut layout =
        Layout { pieces, entries, columns: vec![0; pieces.len()], blocks: vec![0; pieces.len()] };
    let mut indents = Vec::new();
    for line in lines {
        let indent = layout.indent(line);
        indents.push(indent);
        let mut column = indent;
        for at in line.first..line.last {
            column += if at == line.first { 0 } else { space::before(pieces, entries, at) + pads[at] };
            layout.columns[at] = column;
            layout.blocks[at] = layout.base(at, line.first, indent);
            column += pieces[at].width;
        }
    }
    Page { columns: layout.columns, indents }
}

struct Layout<'p, 't> {
    pieces: &'p [Piece<'t>],
    entries: &'p Entries,
    columns: Vec<usize>,
    /// To the right of which column a block stands that is opened at this piece.
    blocks: Vec<usize>,
}

impl Layout<'_, '_> {
    /// The first column of the line, but for a line that begins in brackets which were closed since: `(a,` `b) {`.
    fn base(&self, at: usize, first: usize, indent: usize) -> usize {
        match self.entries.inside[first] {
            Some(open) if self.entries.depth[first] > self.entries.depth[at] => self.blocks[open],
            _ => indent,
        }
    }

    fn indent(&self, line: &Line) -> usize {
        match line.start {
            Start::Entry(block) | Start::Comment(_, block) => block.map_or(0, |open| self.blocks[open] + 2),
            Start::Close => self.blocks[self.entries.partner[line.first]],
            Start::Continued(place) => self.continued(place, line.first),
            Start::Within(_, column) => self.continued(Place::Author(column), line.first),
        }
    }

    /// More than four columns beyond the definition: as far from its `=` as it was. Otherwise four, or two if it was less.
    fn continued(&self, place: Place, at: usize) -> usize {
        let owner = self.entries.owner[at];
        let assign = self.entries.starts[owner].and_then(|entry| entry.assign).filter(|assign| *assign < at);
        let anchor = assign.unwrap_or(owner);
        let (start, hanging) = (self.columns[owner], self.columns[owner] + 4);
        match place {
            Place::Hanging => hanging,
            Place::Bracket(open) if self.columns[open] > RIGHTMOST => hanging,
            Place::Bracket(open) => hanging.max(self.columns[open] + 1),
            Place::Author(column) => match column.saturating_sub(self.pieces[owner].column) {
                0..4 => start + 2,
                4 => hanging,
                _ => hanging.max((self.columns[anchor] + column).saturating_sub(self.pieces[anchor].column)),
            },
        }
    }
}

/// The text of all lines.
pub fn text(pieces: &[Piece], lines: &[Line], page: &Page) -> String {
    let mut text = String::new();
    for (line, indent) in lines.iter().zip(&page.indents) {
        if line.blank {
            text.push('\n');
        }
        let mut column = 0;
        if let Start::Comment(comment, _) | Start::Within(comment, _) = line.start {
            put(&mut text, &mut column, *indent, comment);
        }
        let places = &page.columns[line.first..line.last];
        for (piece, place) in pieces[line.first..line.last].iter().zip(places) {
            put(&mut text, &mut column, *place, piece.text);
        }
        if let Some(comment) = line.trailing {
            let margin = MARGIN.max(column + 2);
            put(&mut text, &mut column, margin, comment);
        }
        text.push('\n');
    }
    text
}

fn put(text: &mut String, column: &mut usize, to: usize, piece: &str) {
    text.extend(std::iter::repeat_n(' ', to.saturating_sub(*column)));
    text.push_str(piece);
    *column = to + piece.chars().count();
}
