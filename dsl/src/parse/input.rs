//! The tokens as an input of nom, and the smallest rules: one token, one word, one name, a bracketed list.
//!
//! Invariant: the last token is `End` and is never taken, so there is always a next token.

use super::Parse;
use super::mistake::Mistake;
use crate::span::Span;
use crate::token::{Kind, Token};
use crate::tree::Name;
use nom::combinator::{cut, not, opt};
use nom::multi::separated_list0;
use nom::sequence::{delimited, preceded};
use nom::{Err, Input, Needed, Parser};

/// How deep an expression may be: brackets, and operators or steps that follow each other, count.
pub const MOST_DEPTH: u16 = 200;

/// What is left to parse, and how deep we are.
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'t> {
    text: &'t str,
    all: &'t [Token],
    at: usize,
    /// Expressions around this place.
    depth: u16,
    /// Operators and steps of the innermost expression so far.
    links: u16,
    /// Height of the highest expression inside it.
    below: u16,
}

impl<'t> Tokens<'t> {
    /// A whole file; the last token is `End`.
    pub fn new(all: &'t [Token], text: &'t str) -> Self {
        Self { text, all, at: 0, depth: 0, links: 0, below: 0 }
    }

    /// The number of the next token.
    pub fn place(self) -> usize {
        self.at
    }

    /// The same file from another token on.
    pub fn jump(self, at: usize) -> Self {
        Self { at: at.min(self.all.len().saturating_sub(1)), ..Self::new(self.all, self.text) }
    }

    /// Whether all was read.
    pub fn is_at_end(self) -> bool {
        self.first().kind == Kind::End
    }

    /// The token `ahead` places further, or the last.
    pub fn token(self, ahead: usize) -> Token {
        let end = Token { kind: Kind::End, margin: true, span: Span::default() };
        self.all.get(self.at + ahead).or(self.all.last()).copied().unwrap_or(end)
    }

    /// The next token.
    pub fn first(self) -> Token {
        self.token(0)
    }

    /// Whether the next tokens are of these kinds.
    pub fn begins(self, kinds: &[Kind]) -> bool {
        kinds.iter().enumerate().all(|(ahead, kind)| self.token(ahead).kind == *kind)
    }

    /// Text of a token.
    pub fn text(self, token: Token) -> &'t str {
        self.text.get(token.span.start as usize..token.span.end as usize).unwrap_or("")
    }

    /// Everything from `start` to the last token taken.
    pub fn since(self, start: Tokens<'t>) -> Span {
        let last = self.all.get(self.at.saturating_sub(1)).map_or(start.first().span, |token| token.span);
        start.first().span.to(last)
    }

    /// Fails here: the grammar expects something else.
    pub fn expected<O>(self, what: &'static str) -> Parse<'t, O> {
        Err(Err::Error(Mistake::expected(self.at, what)))
    }

    /// Fails here for good: something has begun that can go on in one way only.
    pub fn wrong<O>(self, what: &'static str) -> Parse<'t, O> {
        Err(Err::Failure(Mistake::expected(self.at, what)))
    }

    /// Counts one more operator or step of this expression.
    pub fn link(self) -> Result<Self, Err<Mistake>> {
        Self { links: self.links.saturating_add(1), ..self }.checked()
    }

    fn height(self) -> u16 {
        self.links.saturating_add(self.below)
    }

    fn checked(self) -> Result<Self, Err<Mistake>> {
        let high = self.height().max(self.depth) > MOST_DEPTH;
        if high { Err(Err::Failure(Mistake::deep(self.at))) } else { Ok(self) }
    }

    fn enter(self, deeper: u16) -> Result<Self, Err<Mistake>> {
        Self { depth: self.depth + deeper, links: 0, below: 0, ..self }.checked()
    }

    fn leave(self, outer: Tokens<'t>, deeper: u16) -> Result<Self, Err<Mistake>> {
        let below = outer.below.max(self.height().saturating_add(deeper));
        Self { depth: outer.depth, links: outer.links, below, ..self }.checked()
    }
}

/// An expression inside another one.
pub fn nested<'t, O>(inner: impl Fn(Tokens<'t>) -> Parse<'t, O>) -> impl Fn(Tokens<'t>) -> Parse<'t, O> {
    move |input| {
        let (rest, output) = inner(input.enter(1)?)?;
        Ok((rest.leave(input, 1)?, output))
    }
}

/// An operand beside others: its height counts, but not once more for each of them.
pub fn operand<'t, O>(inner: impl Fn(Tokens<'t>) -> Parse<'t, O>) -> impl Fn(Tokens<'t>) -> Parse<'t, O> {
    move |input| {
        let (rest, output) = inner(input.enter(0)?)?;
        Ok((rest.leave(input, 0)?, output))
    }
}

/// One token of a kind.
pub fn token<'t>(kind: Kind) -> impl Fn(Tokens<'t>) -> Parse<'t, Span> {
    expect(kind, kind.words())
}

/// One token of a kind; where it is missing, the message says what else could stand there.
pub fn expect<'t>(kind: Kind, what: &'static str) -> impl Fn(Tokens<'t>) -> Parse<'t, Span> {
    move |input| match input.first() {
        found if found.kind == kind => Ok((input.take_from(1), found.span)),
        _ => input.expected(what),
    }
}

/// A word that is special here only.
pub fn word<'t>(spelled: &'static str) -> impl Fn(Tokens<'t>) -> Parse<'t, Span> {
    move |input| match input.first() {
        found if found.kind == Kind::Name && input.text(found) == spelled => {
            Ok((input.take_from(1), found.span))
        }
        _ => input.expected(spelled),
    }
}

/// name: begins with a small letter, and is not reserved.
pub fn name(input: Tokens) -> Parse<Name> {
    named(Kind::Name)(input)
}

/// NAME: begins with a capital.
pub fn capital(input: Tokens) -> Parse<Name> {
    named(Kind::Capital)(input)
}

/// STRING, without its quotes.
pub fn text(input: Tokens) -> Parse<Name> {
    let (rest, mut text) = named(Kind::Text)(input)?;
    text.text = text.text.trim_matches('"').to_string();
    Ok((rest, text))
}

fn named<'t>(kind: Kind) -> impl Fn(Tokens<'t>) -> Parse<'t, Name> {
    move |input| match input.first() {
        found if found.kind == kind => {
            Ok((input.take_from(1), Name { text: input.text(found).to_string(), span: found.span }))
        }
        found if found.kind.is_reserved() && kind == Kind::Name => {
            Err(Err::Error(Mistake::reserved(input.place())))
        }
        _ => input.expected(kind.words()),
    }
}

/// `( item, … )` in brackets of any kind; `end` says what may follow an item.
pub fn listed<'t, O>(
    (open, close): (Kind, Kind),
    item: impl Fn(Tokens<'t>) -> Parse<'t, O>,
    end: &'static str,
) -> impl FnMut(Tokens<'t>) -> Parse<'t, Vec<O>> {
    let items = separated_list0(token(Kind::Comma), preceded(not(token(close)), cut(item)));
    let mut list = delimited(token(open), items, cut(expect(close, end)));
    move |input| list.parse(input)
}

/// `{ entry … }`: entries need no separator. `end` says what may stand instead of the closing brace.
pub fn braced<'t, O>(
    entry: impl Fn(Tokens<'t>) -> Parse<'t, O>,
    end: &'static str,
) -> impl Fn(Tokens<'t>) -> Parse<'t, Vec<O>> {
    move |input| {
        let (mut rest, _) = token(Kind::LeftBrace)(input)?;
        let mut entries = Vec::new();
        while !matches!(rest.first().kind, Kind::RightBrace | Kind::End) {
            let (after, one) = cut(&entry).parse(rest)?;
            entries.push(one);
            rest = after;
        }
        let (rest, _) = cut(expect(Kind::RightBrace, end)).parse(rest)?;
        Ok((rest, entries))
    }
}

/// What follows a sign, if the sign is there.
pub fn after<'t, O>(
    sign: Kind,
    inner: impl Fn(Tokens<'t>) -> Parse<'t, O>,
) -> impl FnMut(Tokens<'t>) -> Parse<'t, Option<O>> {
    let mut rule = opt(preceded(token(sign), cut(inner)));
    move |input| rule.parse(input)
}

impl<'t> Input for Tokens<'t> {
    type Item = Token;
    type Iter = std::iter::Copied<std::slice::Iter<'t, Token>>;
    type IterIndices = std::iter::Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.all.len().saturating_sub(self.at)
    }

    fn take(&self, count: usize) -> Self {
        Self { all: self.all.get(..self.at + count).unwrap_or(self.all), ..*self }
    }

    fn take_from(&self, count: usize) -> Self {
        Self { at: (self.at + count).min(self.all.len()), ..*self }
    }

    fn take_split(&self, count: usize) -> (Self, Self) {
        (self.take_from(count), self.take(count))
    }

    fn position<P: Fn(Token) -> bool>(&self, predicate: P) -> Option<usize> {
        self.iter_elements().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.all.get(self.at..).unwrap_or(&[]).iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if count <= self.input_len() { Ok(count) } else { Err(Needed::new(count - self.input_len())) }
    }
}
