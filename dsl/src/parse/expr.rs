//! Expressions from the loosest to the tightest operator: `if`, pipes, logic, comparison, arithmetic.
//!
//! The span of an expression is that of its tokens; the piped value is the first operand: `a + b -> f` is `f(a + b)`.

use super::atom::{args, indices, postfix};
use super::input::{Tokens, name, nested, operand, token};
use super::mistake::Mistake;
use super::{Parse, atom};
use crate::span::Span;
use crate::token::Kind;
use crate::tree::{BinaryOp, Expr, ExprKind, Step, UnaryOp};
use nom::combinator::{cut, opt};
use nom::sequence::preceded;
use nom::{Err, Input, Parser};

/// expr = "if" expr "then" expr "else" expr | or { "->" step } .
pub fn expr(input: Tokens) -> Parse<Expr> {
    nested(|input| if input.begins(&[Kind::If]) { conditional(input) } else { pipe(input) })(input)
}

fn conditional(input: Tokens) -> Parse<Expr> {
    let branch = |word| preceded(token(word), cut(expr));
    let (rest, (test, yes, no)) =
        (branch(Kind::If), cut(branch(Kind::Then)), cut(branch(Kind::Else))).parse(input)?;
    let kind = ExprKind::If { test: Box::new(test), yes: Box::new(yes), no: Box::new(no) };
    Ok((rest, Expr { kind, span: rest.since(input) }))
}

fn pipe(input: Tokens) -> Parse<Expr> {
    let (mut rest, mut from) = or(input)?;
    while let (after, Some(step)) = opt(preceded(token(Kind::Arrow), cut(step))).parse(rest)? {
        rest = after.link()?;
        let kind = ExprKind::Pipe { from: Box::new(from), step: Box::new(step) };
        from = Expr { kind, span: rest.since(input) };
    }
    Ok((rest, from))
}

/// step = path [ args ] .
fn step(input: Tokens) -> Parse<Step> {
    let (rest, (path, args)) = (operand(path), opt(args)).parse(input)?;
    if continues(rest.first().kind) {
        return Err(Err::Failure(Mistake::after_pipe(rest.place())));
    }
    Ok((rest, Step { path, args, span: rest.since(input) }))
}

/// What follows a step must be `->` or the end of the expression.
fn continues(kind: Kind) -> bool {
    let postfix =
        [Kind::LeftParen, Kind::LeftBracket, Kind::Dot, Kind::Quote, Kind::Caret, Kind::As, Kind::With];
    operator(kind).is_some() || postfix.contains(&kind)
}

/// path = name { "." name | "[" index { "," index } "]" } .
pub fn path(input: Tokens) -> Parse<Expr> {
    if input.first().kind != Kind::Name {
        return input.expected("the name of a module or function");
    }
    let (mut rest, mut owner) = atom::variable(input)?;
    loop {
        let (after, kind) = match rest.first().kind {
            Kind::Dot => {
                let (after, name) = preceded(token(Kind::Dot), cut(name)).parse(rest)?;
                (after, ExprKind::Part { value: Box::new(owner), name })
            }
            Kind::LeftBracket => {
                let (after, indices) = indices(rest)?;
                (after, ExprKind::Index { value: Box::new(owner), indices })
            }
            _ => return Ok((rest, owner)),
        };
        rest = after.link()?;
        owner = Expr { kind, span: rest.since(input) };
    }
}

/// or  = and { "or" and } .
/// and = not { "and" not } .
pub fn or(input: Tokens) -> Parse<Expr> {
    binary(input, OR)
}

/// sum  = term { ( "+" | "-" ) term } .
/// term = unary { ( "*" | "/" | "%" | "@" ) unary } .
pub fn sum(input: Tokens) -> Parse<Expr> {
    binary(input, SUM)
}

const OR: u8 = 1;
const AND: u8 = 2;
const COMPARE: u8 = 3;
const SUM: u8 = 4;
const TERM: u8 = 5;

/// How tightly an operator binds, and which it is.
fn operator(kind: Kind) -> Option<(u8, BinaryOp)> {
    Some(match kind {
        Kind::Or => (OR, BinaryOp::Or),
        Kind::And => (AND, BinaryOp::And),
        Kind::Equal => (COMPARE, BinaryOp::Equal),
        Kind::NotEqual => (COMPARE, BinaryOp::NotEqual),
        Kind::Less => (COMPARE, BinaryOp::Less),
        Kind::LessEqual => (COMPARE, BinaryOp::LessEqual),
        Kind::Greater => (COMPARE, BinaryOp::Greater),
        Kind::GreaterEqual => (COMPARE, BinaryOp::GreaterEqual),
        Kind::Plus => (SUM, BinaryOp::Add),
        Kind::Minus => (SUM, BinaryOp::Subtract),
        Kind::Star => (TERM, BinaryOp::Multiply),
        Kind::Slash => (TERM, BinaryOp::Divide),
        Kind::Percent => (TERM, BinaryOp::Remainder),
        Kind::At => (TERM, BinaryOp::Matmul),
        _ => return None,
    })
}

/// One loop for all five rules, so that a parenthesis costs few stack frames: operators that bind at least as tightly as
/// `loosest`, each with a right side that binds tighter.
fn binary(input: Tokens, loosest: u8) -> Parse<Expr> {
    let (mut rest, mut left) = if loosest <= COMPARE { not(input)? } else { unary(input)? };
    while let Some((level, op)) = operator(rest.first().kind).filter(|(level, _)| *level >= loosest) {
        let (after, right) = cut(operand(|input| binary(input, level + 1))).parse(rest.take_from(1))?;
        left = join(left, op, rest.first().span, right);
        rest = after.link()?;
        if level == COMPARE {
            single(rest)?;
        }
    }
    Ok((rest, left))
}

/// compare = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ] .
fn single(input: Tokens) -> Result<(), Err<Mistake>> {
    match operator(input.first().kind) {
        Some((COMPARE, _)) => {
            Err(Err::Failure(Mistake::expected(input.place(), "`and` or the end of the comparison")))
        }
        _ => Ok(()),
    }
}

fn join(left: Expr, op: BinaryOp, op_span: Span, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) }, span }
}

/// not = "not" not | compare . The comparison behind a first operand is read by the loop of `binary`.
fn not(input: Tokens) -> Parse<Expr> {
    if !input.begins(&[Kind::Not]) {
        return unary(input);
    }
    let (rest, value) = cut(nested(|input| binary(input, COMPARE))).parse(input.take_from(1))?;
    prefixed(input, rest, UnaryOp::Not, value)
}

/// unary = "-" unary | power .
fn unary(input: Tokens) -> Parse<Expr> {
    if !input.begins(&[Kind::Minus]) {
        return power(input);
    }
    let (rest, value) = cut(nested(unary)).parse(input.take_from(1))?;
    prefixed(input, rest, UnaryOp::Negate, value)
}

fn prefixed<'t>(input: Tokens<'t>, rest: Tokens<'t>, op: UnaryOp, value: Expr) -> Parse<'t, Expr> {
    Ok((rest, Expr { kind: ExprKind::Unary { op, value: Box::new(value) }, span: rest.since(input) }))
}

/// power = postfix [ "^" unary ] .
fn power(input: Tokens) -> Parse<Expr> {
    let (rest, base) = operand(postfix)(input)?;
    if !rest.begins(&[Kind::Caret]) {
        return Ok((rest, base));
    }
    let (after, exponent) = cut(nested(unary)).parse(rest.take_from(1))?;
    Ok((after.link()?, join(base, BinaryOp::Power, rest.first().span, exponent)))
}
