//! What stands in braces or after a name in a module: `name = expr`, functions, parts.

use super::Parse;
use super::expr::expr;
use super::input::{Tokens, after, braced, expect, name, nested, token, word};
use super::types::{params, ty};
use crate::token::Kind;
use crate::tree::{Expr, Field, Function, Part};
use nom::combinator::{cut, map, opt};
use nom::sequence::preceded;
use nom::{Input, Parser};

/// name "=" expr
pub fn field(input: Tokens) -> Parse<Field> {
    let value = preceded(token(Kind::Assign), cut(expr));
    map((name, value), |(name, value)| Field { name, value }).parse(input)
}

/// block = "{" { name "=" expr } "}" .
pub fn block(input: Tokens) -> Parse<Vec<Field>> {
    nested(braced(field, "a name or `}`"))(input)
}

/// part = name "=" expr | fn | "require" expr .
pub fn part(input: Tokens) -> Parse<Part> {
    let named = input.begins(&[Kind::Name, Kind::Assign]);
    match input.text(input.first()) {
        "fn" if !named => map(function, Part::Fn).parse(input),
        "require" if !named => map(preceded(word("require"), cut(expr)), Part::Require).parse(input),
        _ => map(field, Part::Field).parse(input),
    }
}

/// fn = "fn" [ name ] params [ "->" type ] ( "=" expr | "{" { name "=" expr } "return" expr "}" ) .
pub fn function(input: Tokens) -> Parse<Function> {
    let head = (word("fn"), opt(name), cut(params), after(Kind::Arrow, ty));
    let (rest, ((_, name, params, result), (locals, value))) = (head, cut(body)).parse(input)?;
    Ok((rest, Function { name, params, result, locals, value, span: rest.since(input) }))
}

fn body(input: Tokens) -> Parse<(Vec<Field>, Expr)> {
    match input.first().kind {
        Kind::Assign => {
            map(preceded(token(Kind::Assign), cut(expr)), |value| (Vec::new(), value)).parse(input)
        }
        Kind::LeftBrace => locals(input),
        _ => input.expected("`=`, `{` or `->`"),
    }
}

fn locals(input: Tokens) -> Parse<(Vec<Field>, Expr)> {
    let (mut rest, mut fields) = (input.take_from(1), Vec::new());
    while rest.begins(&[Kind::Name]) {
        let (after, field) = cut(field).parse(rest)?;
        fields.push(field);
        rest = after;
    }
    let result = preceded(expect(Kind::Return, "a name or `return`"), cut(expr));
    let (rest, (value, _)) = (result, cut(expect(Kind::RightBrace, "an operator or `}`"))).parse(rest)?;
    Ok((rest, (fields, value)))
}
