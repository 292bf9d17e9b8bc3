//! Text to tokens: words, numbers, texts, operators, each with its span; comments are kept aside.
//!
//! Invariant: reading never fails and takes linear time. What cannot be a token is reported and skipped, the last token
//! is always [`Kind::End`], spans grow and lie on character boundaries.
//!
//! ```
//! use chiasm_dsl::{span::FileId, token::{read, Kind}};
//! let lexed = read(FileId(0), "clamp: 0..1 # both ends");
//! let kinds: Vec<Kind> = lexed.tokens.iter().map(|t| t.kind).collect();
//! assert_eq!(kinds, [Kind::Name, Kind::Colon, Kind::Number, Kind::Range, Kind::Number, Kind::End]);
//! assert_eq!(lexed.comments.len(), 1);
//! ```

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::{FileId, Span};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{anychar, char, one_of, satisfy};
use nom::combinator::{map, opt, recognize, value};
use nom::sequence::pair;
use nom::{IResult, Parser};

macro_rules! kinds {
    (open { $($open:ident $about:literal)* } words { $($word:ident $spelled:literal)* } symbols { $($symbol:ident $text:literal)* }) => {
        /// What a token is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $about] $open,)*
            $(#[doc = concat!("`", $spelled, "`")] $word,)*
            $(#[doc = concat!("`", $text, "`")] $symbol,)*
        }

        impl Kind {
            /// The kind in words, for messages.
            pub fn words(self) -> &'static str {
                match self {
                    $(Kind::$open => $about,)*
                    $(Kind::$word => concat!("`", $spelled, "`"),)*
                    $(Kind::$symbol => concat!("`", $text, "`"),)*
                }
            }

            /// Whether it is one of the words that are never names.
            pub fn is_reserved(self) -> bool {
                matches!(self, $(Kind::$word)|*)
            }

            fn of_word(word: &str) -> Kind {
                match word {
                    $($spelled => Kind::$word,)*
                    _ if word.starts_with(|c: char| c.is_ascii_uppercase()) => Kind::Capital,
                    _ => Kind::Name,
                }
            }
        }

        /// The reserved words, never names.
        pub const RESERVED: &[&str] = &[$($spelled),*];

        const SYMBOLS: &[(&str, Kind)] = &[$(($text, Kind::$symbol)),*];
    };
}

const PAIRS: [&str; 6] = ["->", "..", "==", "!=", "<=", ">="];
const SINGLES: &str = "+-*/%@^'()[]{}:,.<>=~";

kinds! {
    open {
        End "the end of the file"
        Name "a name"
        Capital "a capital name"
        Number "a number"
        Text "a text in quotes"
    }
    words {
        If "if" Then "then" Else "else" And "and" Or "or" Not "not" For "for" In "in" With "with" As "as" Route "route"
        Return "return"
    }
    symbols {
        Arrow "->" Range ".." Equal "==" NotEqual "!=" LessEqual "<=" GreaterEqual ">="
        Plus "+" Minus "-" Star "*" Slash "/" Percent "%" At "@" Caret "^" Quote "'"
        LeftParen "(" RightParen ")" LeftBracket "[" RightBracket "]" LeftBrace "{" RightBrace "}"
        Colon ":" Comma "," Dot "." Less "<" Greater ">" Assign "=" Tilde "~"
    }
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Whether it stands in column 1.
    pub margin: bool,
    /// Where it stands.
    pub span: Span,
}

/// A comment, from its `#` to the end of the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comment {
    /// Where it stands.
    pub span: Span,
    /// Whether it has its line to itself.
    pub alone: bool,
}

/// A file as tokens.
#[derive(Clone, Debug, Default)]
pub struct Lexed {
    /// The tokens; the last is `End`.
    pub tokens: Vec<Token>,
    /// The comments in order.
    pub comments: Vec<Comment>,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// A stretch of text that is not white space.
#[derive(Clone, Copy)]
enum Piece {
    Token(Kind),
    Comment,
    Unclosed,
    Unknown,
}

/// Reads a text without byte-order mark.
pub fn read(file: FileId, text: &str) -> Lexed {
    // A token has about four bytes.
    let lexed = Lexed { tokens: Vec::with_capacity(text.len() / 4), ..Lexed::default() };
    let mut reader = Reader { file, lexed, line: 0, fresh: true };
    let mut rest = text;
    while let Ok((after, piece)) = step(rest) {
        let start = text.len() - rest.len();
        let end = text.len() - after.len();
        match piece {
            Some(piece) => reader.add(piece, start, end, text),
            None => reader.space(start, &text[start..end]),
        }
        rest = after;
    }
    reader.add(Piece::Token(Kind::End), text.len(), text.len(), text);
    reader.lexed
}

struct Reader {
    file: FileId,
    lexed: Lexed,
    /// First byte of the line.
    line: usize,
    /// Whether nothing but white space was seen on the line.
    fresh: bool,
}

impl Reader {
    fn add(&mut self, piece: Piece, start: usize, end: usize, text: &str) {
        let span = Span { file: self.file, start: start as u32, end: end as u32 };
        let margin = start == self.line;
        match piece {
            Piece::Token(kind) => self.lexed.tokens.push(Token { kind, margin, span }),
            Piece::Comment => self.lexed.comments.push(Comment { span, alone: self.fresh }),
            Piece::Unclosed => {
                self.lexed.tokens.push(Token { kind: Kind::Text, margin, span });
                let said = Diagnostic::error(Code::E0103, span, "this text has no closing quote");
                self.lexed.diagnostics.push(said.note("a text begins and ends on one line"));
            }
            Piece::Unknown => self.lexed.diagnostics.push(unknown(span, &text[start..end])),
        }
        self.fresh = false;
    }

    fn space(&mut self, start: usize, space: &str) {
        for (place, _) in space.match_indices('\n') {
            self.line = start + place + 1;
            self.fresh = true;
        }
    }
}

fn unknown(span: Span, text: &str) -> Diagnostic {
    let said =
        Diagnostic::error(Code::E0101, span, format!("unexpected character `{}`", text.escape_debug()));
    match text.chars().next() {
        Some(';') => {
            said.note("nothing stands between definitions: each starts with a name or a word such as `input`")
        }
        Some('“' | '”' | '„' | '`') => said.note("a text stands in straight double quotes: \"…\""),
        Some('\u{a0}' | '\u{3000}' | '\u{feff}') => {
            said.note("this is a special space; write an ordinary one")
        }
        Some('−' | '–' | '—') => said.note("write minus as `-`"),
        Some('!') => said.note("write `not`"),
        Some('&' | '|') => said.note("write `and`, `or`"),
        Some('_') => said.note("a name starts with a letter"),
        _ => said.note("outside texts and comments only letters, digits and operators of ASCII may stand"),
    }
}

/// White space (`None`) or a piece; fails at the end only.
fn step(text: &str) -> IResult<&str, Option<Piece>> {
    let space = map(take_while1(is_space), |_| None);
    let piece = alt((word, number, string, symbol, comment, other));
    alt((space, map(piece, Some))).parse(text)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_inner(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// name and NAME: a letter, then letters, digits and `_`.
fn word(text: &str) -> IResult<&str, Piece> {
    let spelled = recognize(pair(satisfy(|c| c.is_ascii_alphabetic()), take_while(is_inner)));
    map(spelled, |word| Piece::Token(Kind::of_word(word))).parse(text)
}

/// NUMBER: digits [ "." digits ] [ exponent ]; the dot needs a digit behind it, so that `0..1` is a range.
fn number(text: &str) -> IResult<&str, Piece> {
    let fraction = pair(char('.'), digits);
    let exponent = (one_of("eE"), opt(one_of("+-")), digits);
    value(Piece::Token(Kind::Number), (digits, opt(fraction), opt(exponent))).parse(text)
}

fn digits(text: &str) -> IResult<&str, &str> {
    let rest = take_while(|c: char| c.is_ascii_digit() || c == '_');
    recognize(pair(satisfy(|c| c.is_ascii_digit()), rest)).parse(text)
}

/// STRING: double quotes, one line, no escapes.
fn string(text: &str) -> IResult<&str, Piece> {
    let (rest, (_, _, closing)) =
        (char('"'), take_while(|c| c != '"' && c != '\n' && c != '\r'), opt(char('"'))).parse(text)?;
    Ok((rest, if closing.is_some() { Piece::Token(Kind::Text) } else { Piece::Unclosed }))
}

/// An operator or a bracket, the longest that fits.
fn symbol(text: &str) -> IResult<&str, Piece> {
    let pairs = map(alt(PAIRS.map(tag)), kind_of_symbol);
    map(alt((pairs, map(recognize(one_of(SINGLES)), kind_of_symbol))), Piece::Token).parse(text)
}

fn kind_of_symbol(text: &str) -> Kind {
    SYMBOLS.iter().find(|(spelled, _)| *spelled == text).map_or(Kind::End, |(_, kind)| *kind)
}

fn comment(text: &str) -> IResult<&str, Piece> {
    value(Piece::Comment, pair(char('#'), take_while(|c| c != '\n' && c != '\r'))).parse(text)
}

/// A run of characters with which nothing can begin.
fn other(text: &str) -> IResult<&str, Piece> {
    let starts =
        |c: char| is_space(c) || c.is_ascii_alphanumeric() || "\"#!".contains(c) || SINGLES.contains(c);
    value(Piece::Unknown, pair(anychar, take_while(move |c| !starts(c)))).parse(text)
}

/// The value of a number, and whether it is written as a whole one.
pub fn number_of(text: &str) -> (f64, bool) {
    let whole = !text.contains(['.', 'e', 'E']);
    (text.replace('_', "").parse().unwrap_or(f64::NAN), whole)
}
