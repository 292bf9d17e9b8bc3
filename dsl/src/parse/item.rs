//! Definitions: the lines of a file. The first word, and whether `=` or `with` follows it, decide which it is.

use super::Parse;
use super::block::{block, field, function, part};
use super::expr::expr;
use super::input::{Tokens, after, braced, capital, name, text, token, word};
use super::mistake::Mistake;
use super::stage::{stage, task, weights};
use super::types::{params, ty};
use crate::token::Kind;
use crate::tree::{Field, Item, ItemKind, Module, ModuleBody, Param};
use nom::combinator::{cut, map, opt};
use nom::sequence::preceded;
use nom::{Err, Input, Parser};

/// The words that begin a definition.
pub const WORDS: &[&str] = &[
    "extend", "use", "modality", "set", "input", "state", "loss", "fn", "module", "weights", "data", "stage",
    "task",
];

/// item = … one line for each kind …
pub fn item(input: Tokens) -> Parse<Item> {
    let (rest, kind) = match input.token(1).kind {
        _ if input.first().kind != Kind::Name => nameless(input)?,
        Kind::Assign => map(field, ItemKind::Define).parse(input)?,
        Kind::With => map((name, preceded(token(Kind::With), cut(block))), edit).parse(input)?,
        _ => worded(input)?,
    };
    Ok((rest, Item { kind, span: rest.since(input) }))
}

/// name "with" block
fn edit((name, block): (crate::tree::Name, Vec<Field>)) -> ItemKind {
    ItemKind::Edit { name, block }
}

/// Behind a complete definition only an operator or the next definition can stand.
fn nameless(input: Tokens) -> Parse<ItemKind> {
    if input.first().kind.is_reserved() && input.token(1).kind == Kind::Assign {
        return Err(Err::Error(Mistake::reserved(input.place())));
    }
    input.expected(if input.first().margin || input.place() == 0 { "a definition" } else { CONTINUED })
}

const CONTINUED: &str = "an operator or the next definition";

fn worded(input: Tokens) -> Parse<ItemKind> {
    match input.text(input.first()) {
        "extend" => map(preceded(word("extend"), cut(text)), ItemKind::Extend).parse(input),
        "use" => map(preceded(word("use"), cut(text)), ItemKind::Use).parse(input),
        "modality" => map(preceded(word("modality"), cut(name)), ItemKind::Modality).parse(input),
        "set" => map(preceded(word("set"), cut(field)), ItemKind::Set).parse(input),
        "loss" => map(preceded(word("loss"), cut(field)), ItemKind::Loss).parse(input),
        "data" => map(preceded(word("data"), cut(field)), ItemKind::Data).parse(input),
        "input" => declared(input),
        "state" => state(input),
        "fn" => named_function(input),
        "module" => module(input),
        "weights" => weights(input),
        "stage" => stage(input),
        "task" => task(input),
        _ if input.first().margin || input.place() == 0 => input.take_from(1).expected("`=` or `with`"),
        _ => input.expected(CONTINUED),
    }
}

/// "input" name ":" type
fn declared(input: Tokens) -> Parse<ItemKind> {
    let rule = preceded(word("input"), cut((name, preceded(token(Kind::Colon), ty))));
    map(rule, |(name, ty)| ItemKind::Input { name, ty }).parse(input)
}

/// "state" name ":" type "=" expr [ "then" expr ]
fn state(input: Tokens) -> Parse<ItemKind> {
    let rule = (
        name,
        preceded(token(Kind::Colon), ty),
        preceded(token(Kind::Assign), expr),
        after(Kind::Then, expr),
    );
    let whole = preceded(word("state"), cut(rule));
    map(whole, |(name, ty, start, then)| ItemKind::State { name, ty, start, then }).parse(input)
}

/// A function of a file has a name.
fn named_function(input: Tokens) -> Parse<ItemKind> {
    cut(name).parse(input.take_from(1))?;
    map(function, ItemKind::Fn).parse(input)
}

/// "module" NAME [ params ] ( "=" expr | "{" { part } "}" )
fn module(input: Tokens) -> Parse<ItemKind> {
    let (rest, (name, params)) = preceded(word("module"), cut((capital, opt(params)))).parse(input)?;
    let params: Vec<Param> = params.unwrap_or_default();
    let (rest, body) = cut(module_body).parse(rest)?;
    Ok((rest, ItemKind::Module(Module { name, params, body })))
}

fn module_body(input: Tokens) -> Parse<ModuleBody> {
    match input.first().kind {
        Kind::Assign => map(preceded(token(Kind::Assign), cut(expr)), ModuleBody::Derived).parse(input),
        Kind::LeftBrace => map(braced(part, "a part or `}`"), ModuleBody::Parts).parse(input),
        _ => input.expected("`=` or `{`"),
    }
}
