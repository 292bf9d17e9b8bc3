//! Types and parameters: `text[B, ~30] of bert`, `(x: [B, N, D], rate = 0.1)`.

use super::Parse;
use super::atom::postfix;
use super::expr::{expr, sum};
use super::input::{Tokens, after, listed, name, nested, token, word};
use crate::token::Kind;
use crate::tree::{Axis, Expr, Param, Type};
use nom::combinator::{cut, map, opt};
use nom::sequence::preceded;
use nom::{Input, Parser};

/// type = [ "causal" ] ( label | [ label ] "[" [ axis { "," axis } ] "]" [ "of" postfix ] ) .
pub fn ty(input: Tokens) -> Parse<Type> {
    let (rest, causal) = opt(word("causal")).parse(input)?;
    let (rest, label) = opt(name).parse(rest)?;
    if !rest.begins(&[Kind::LeftBracket]) {
        return match label {
            None => rest.expected("a type"),
            label => Ok((
                rest,
                Type { causal: causal.is_some(), label, axes: None, of: None, span: rest.since(input) },
            )),
        };
    }
    let brackets = (Kind::LeftBracket, Kind::RightBracket);
    let (rest, axes) = listed(brackets, axis, "`,` or `]`")(rest)?;
    let (rest, of) = of(rest)?;
    Ok((rest, Type { causal: causal.is_some(), label, axes: Some(axes), of, span: rest.since(input) }))
}

/// `of` is a word here, unless it is the name of the next definition.
fn of(input: Tokens) -> Parse<Option<Expr>> {
    if matches!(input.token(1).kind, Kind::Assign | Kind::With) {
        return Ok((input, None));
    }
    opt(preceded(word("of"), cut(nested(postfix)))).parse(input)
}

/// axis = ".." | [ "~" ] sum .
fn axis(input: Tokens) -> Parse<Axis> {
    if input.begins(&[Kind::Range]) {
        return Ok((input.take_from(1), Axis::Rest(input.first().span)));
    }
    let size = (opt(token(Kind::Tilde)), nested(sum));
    map(size, |(tilde, size)| Axis::Size { padded: tilde.is_some(), size }).parse(input)
}

/// params = "(" [ param { "," param } ] ")" .
pub fn params(input: Tokens) -> Parse<Vec<Param>> {
    listed((Kind::LeftParen, Kind::RightParen), param, "`,` or `)`")(input)
}

/// param = name [ ":" type ] [ "=" expr ] .
fn param(input: Tokens) -> Parse<Param> {
    let parts = (name, after(Kind::Colon, ty), after(Kind::Assign, expr));
    let mut rule = map(parts, |(name, ty, default)| Param { name, ty, default });
    rule.parse(input)
}
