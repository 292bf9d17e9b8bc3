//! Expressions that need no operator: numbers, names, lists, `route`, and what follows them directly: calls, indices,
//! parts, `'`, `as`, `with`.

use super::Parse;
use super::block::block;
use super::expr::{expr, or, sum};
use super::input::{Tokens, after, braced, expect, listed, name, nested, text, token};
use crate::token::{Kind, number_of};
use crate::tree::{Arg, Arm, Expr, ExprKind, Index, Over};
use nom::combinator::{cut, map, opt};
use nom::sequence::{delimited, preceded, terminated};
use nom::{Input, Parser};

const ROUND: (Kind, Kind) = (Kind::LeftParen, Kind::RightParen);
const SQUARE: (Kind, Kind) = (Kind::LeftBracket, Kind::RightBracket);

/// postfix = atom { args | "[" index { "," index } "]" | "." name | "'" | "as" label | "with" block } .
pub fn postfix(input: Tokens) -> Parse<Expr> {
    let (mut rest, mut value) = atom(input)?;
    while follows(rest.first().kind) {
        let (after, kind) = suffix(rest, value)?;
        rest = after.link()?;
        value = Expr { kind, span: rest.since(input) };
    }
    Ok((rest, value))
}

fn follows(kind: Kind) -> bool {
    matches!(kind, Kind::LeftParen | Kind::LeftBracket | Kind::Dot | Kind::Quote | Kind::As | Kind::With)
}

/// What stands behind a value, and the value itself, as one.
fn suffix(input: Tokens, value: Expr) -> Parse<ExprKind> {
    let value = Box::new(value);
    let rest = input.take_from(1);
    Ok(match input.first().kind {
        Kind::LeftParen => {
            let (rest, args) = args(input)?;
            (rest, ExprKind::Call { callee: value, args })
        }
        Kind::LeftBracket => {
            let (rest, indices) = indices(input)?;
            (rest, ExprKind::Index { value, indices })
        }
        Kind::Dot => {
            let (rest, name) = cut(name).parse(rest)?;
            (rest, ExprKind::Part { value, name })
        }
        Kind::As => {
            let (rest, label) = cut(name).parse(rest)?;
            (rest, ExprKind::As { value, label })
        }
        Kind::With => {
            let (rest, block) = cut(block).parse(rest)?;
            (rest, ExprKind::With { value, block })
        }
        _ => (rest, ExprKind::Transpose(value)),
    })
}

/// "[" index { "," index } "]"
pub fn indices(input: Tokens) -> Parse<Vec<Index>> {
    if input.begins(&[Kind::LeftBracket, Kind::RightBracket]) {
        return input.take_from(1).wrong("an index");
    }
    listed(SQUARE, index, "`,` or `]`")(input)
}

/// args = "(" [ arg { "," arg } ] ")" .
pub fn args(input: Tokens) -> Parse<Vec<Arg>> {
    listed(ROUND, arg, "`,` or `)`")(input)
}

/// arg = [ name ":" ] expr [ ".." expr ] .
pub fn arg(input: Tokens) -> Parse<Arg> {
    let (rest, name) = if input.begins(&[Kind::Name, Kind::Colon]) {
        map(terminated(name, token(Kind::Colon)), Some).parse(input)?
    } else {
        (input, None)
    };
    let (rest, (value, upper)) = (cut(expr), after(Kind::Range, expr)).parse(rest)?;
    Ok((rest, Arg { name, value, upper }))
}

/// index = ":" | [ sum ] ".." [ sum ] | sum .
pub fn index(input: Tokens) -> Parse<Index> {
    if let (rest, Some(span)) = opt(token(Kind::Colon)).parse(input)? {
        return Ok((rest, Index::All(span)));
    }
    let (rest, low) = if input.begins(&[Kind::Range]) { (input, None) } else { size(input)? };
    let (rest, range) = opt(token(Kind::Range)).parse(rest)?;
    match (low, range) {
        (Some(at), None) => Ok((rest, Index::At(at))),
        (low, _) => {
            let bare = matches!(rest.first().kind, Kind::Comma | Kind::RightBracket);
            let (rest, high) = if bare { (rest, None) } else { size(rest)? };
            Ok((rest, Index::Range { low, high, span: rest.since(input) }))
        }
    }
}

fn size(input: Tokens) -> Parse<Option<Expr>> {
    map(nested(sum), Some).parse(input)
}

/// atom = NUMBER | STRING | name | NAME | "(" expr ")" | list | "route" name "{" … "}" .
fn atom(input: Tokens) -> Parse<Expr> {
    match input.first().kind {
        Kind::Number => number(input),
        Kind::Text => map(text, |it| Expr { kind: ExprKind::Text(it.text), span: it.span }).parse(input),
        Kind::Name | Kind::Capital => variable(input),
        Kind::LeftParen => group(input),
        Kind::LeftBracket => list(input),
        Kind::Route => route(input),
        _ => input.expected("an expression"),
    }
}

/// name and NAME as a value.
pub fn variable(input: Tokens) -> Parse<Expr> {
    let token = input.first();
    Ok((input.take_from(1), Expr { kind: ExprKind::Name(input.text(token).to_string()), span: token.span }))
}

fn number(input: Tokens) -> Parse<Expr> {
    let token = input.first();
    let (value, whole) = number_of(input.text(token));
    if !value.is_finite() {
        return input.expected("a number below 1.8e308");
    }
    Ok((input.take_from(1), Expr { kind: ExprKind::Number { value, whole }, span: token.span }))
}

fn group(input: Tokens) -> Parse<Expr> {
    let closing = cut(expect(Kind::RightParen, "an operator or `)`"));
    let (rest, inner) = delimited(token(Kind::LeftParen), cut(expr), closing).parse(input)?;
    Ok((rest, Expr { kind: ExprKind::Group(Box::new(inner)), span: rest.since(input) }))
}

/// list = "[" [ arg ( "for" name ( "<" sum | "in" expr ) | { "," arg } [ "," ] ) ] "]" .
fn list(input: Tokens) -> Parse<Expr> {
    let (rest, mut entries) = entries(input)?;
    if !rest.begins(&[Kind::For]) {
        let (rest, _) = cut(expect(Kind::RightBracket, "`,` or `]`")).parse(rest)?;
        return Ok((rest, Expr { kind: ExprKind::List(entries), span: rest.since(input) }));
    }
    match (entries.pop(), entries.is_empty()) {
        (Some(Arg { name: None, value, upper: None }), true) => comprehension(input, rest, value),
        _ => rest.wrong("`,` or `]`"),
    }
}

fn entries(input: Tokens) -> Parse<Vec<Arg>> {
    let (mut rest, _) = token(Kind::LeftBracket)(input)?;
    let mut entries = Vec::new();
    while !rest.begins(&[Kind::RightBracket]) {
        let (after, entry) = cut(arg).parse(rest)?;
        entries.push(entry);
        let (after, comma) = opt(token(Kind::Comma)).parse(after)?;
        rest = after;
        if comma.is_none() {
            break;
        }
    }
    Ok((rest, entries))
}

fn comprehension<'t>(input: Tokens<'t>, rest: Tokens<'t>, body: Expr) -> Parse<'t, Expr> {
    let below = preceded(token(Kind::Less), cut(nested(sum)));
    let elements = preceded(expect(Kind::In, "`<` or `in`"), cut(expr));
    let over = nom::branch::alt((map(below, Over::Below), map(elements, Over::Elements)));
    let closing = expect(Kind::RightBracket, "`]`");
    let mut rule = (preceded(token(Kind::For), cut(name)), cut(over), cut(closing));
    let (rest, (name, over, _)) = rule.parse(rest)?;
    let kind = ExprKind::Comprehension { body: Box::new(body), name, over: Box::new(over) };
    Ok((rest, Expr { kind, span: rest.since(input) }))
}

/// "route" name "{" { label [ "if" or ] ":" expr } "}"
fn route(input: Tokens) -> Parse<Expr> {
    let arms = braced(arm, "the name of a modality or `}`");
    let (rest, (_, value, arms)) = (token(Kind::Route), cut(name), cut(arms)).parse(input)?;
    Ok((rest, Expr { kind: ExprKind::Route { value, arms }, span: rest.since(input) }))
}

fn arm(input: Tokens) -> Parse<Arm> {
    let colon = expect(Kind::Colon, "`:` or `if`");
    let (rest, (label, test, _, value)) = (name, after(Kind::If, nested_or), colon, expr).parse(input)?;
    Ok((rest, Arm { label, test, value }))
}

fn nested_or(input: Tokens) -> Parse<Expr> {
    nested(or)(input)
}
