//! Tokens with what stands between them: line ends, blank lines, comments.
//!
//! Invariant: piece `i` is token `i`; the last one is the end of the file, which carries the comments behind all tokens.

use crate::parse::Parsed;
use crate::token::Kind;

/// A token and the gap before it.
pub struct Piece<'t> {
    /// What it is.
    pub kind: Kind,
    /// As it is written.
    pub text: &'t str,
    /// First byte.
    pub start: u32,
    /// Column in the author's text, from 0, in characters.
    pub column: usize,
    /// Length in characters.
    pub width: usize,
    /// What stands before it.
    pub gap: Gap<'t>,
}

/// What stands between two tokens.
#[derive(Default)]
pub struct Gap<'t> {
    /// Whether a line ends in it.
    pub newline: bool,
    /// The comment on the line of the token before.
    pub trailing: Option<&'t str>,
    /// Comments on lines of their own.
    pub comments: Vec<Comment<'t>>,
    /// Whether a blank line stands directly before the token.
    pub blank: bool,
}

impl Gap<'_> {
    /// Whether a comment stands here, so that the token must begin a line.
    pub fn has_comment(&self) -> bool {
        self.trailing.is_some() || !self.comments.is_empty()
    }
}

/// A comment that has its line to itself.
pub struct Comment<'t> {
    /// From `#` to its last visible character.
    pub text: &'t str,
    /// Column in the author's text.
    pub column: usize,
    /// Whether a blank line stands before it.
    pub blank: bool,
}

/// The tokens of a file.
pub fn pieces<'t>(parsed: &Parsed, text: &'t str) -> Vec<Piece<'t>> {
    let mut reader = Reader { text, at: 0, column: 0, comments: parsed.comments.as_slice() };
    parsed.tokens.iter().map(|token| reader.piece(*token)).collect()
}

struct Reader<'t, 'p> {
    text: &'t str,
    /// End of the last token or comment.
    at: usize,
    /// Its column: counted on from token to token, so that one long line is read once.
    column: usize,
    comments: &'p [crate::token::Comment],
}

impl<'t> Reader<'t, '_> {
    fn piece(&mut self, token: crate::token::Token) -> Piece<'t> {
        let (start, end) = (token.span.start as usize, token.span.end as usize);
        let first = self.at == 0;
        let mut gap = Gap::default();
        while let Some((comment, rest)) = self.comments.split_first() {
            if comment.span.start as usize >= start {
                break;
            }
            self.comments = rest;
            self.comment(*comment, &mut gap, first);
        }
        let ends = self.skip(start);
        gap.blank = ends > 1 && (!first || gap.has_comment());
        gap.newline |= ends > 0;
        let (text, column) = (&self.text[start..end], self.column);
        let width = text.chars().count();
        (self.at, self.column) = (end, column + width);
        Piece { kind: token.kind, text, start: token.span.start, column, width, gap }
    }

    fn comment(&mut self, comment: crate::token::Comment, gap: &mut Gap<'t>, first: bool) {
        let (start, end) = (comment.span.start as usize, comment.span.end as usize);
        let ends = self.skip(start);
        let text = self.text[start..end].trim_end();
        if !comment.alone && !first && !gap.has_comment() {
            gap.trailing = Some(text);
        } else {
            let blank = ends > 1 && (!first || !gap.comments.is_empty());
            gap.comments.push(Comment { text, column: self.column, blank });
        }
        (self.at, self.column) = (end, self.column + self.text[start..end].chars().count());
    }

    /// Goes on to a place behind white space; how many lines end on the way.
    fn skip(&mut self, to: usize) -> usize {
        let space = &self.text[self.at..to];
        self.column = match space.rfind('\n') {
            Some(last) => space[last + 1..].chars().count(),
            None => self.column + space.chars().count(),
        };
        self.at = to;
        space.matches('\n').count()
    }
}
