//! Stages, tasks and weight maps.

use super::Parse;
use super::atom::postfix;
use super::block::field;
use super::expr::{expr, path};
use super::input::{Tokens, braced, capital, name, nested, text, token, word};
use crate::token::Kind;
use crate::tree::{Form, ItemKind, Name, Rule, Stage, StageField, Task, Weights, WeightsSource};
use nom::branch::alt;
use nom::combinator::{cut, map, opt};
use nom::sequence::{delimited, preceded};
use nom::{Input, Parser};

/// "stage" name ( fields | "with" fields | "=" name "with" fields )
pub fn stage(input: Tokens) -> Parse<ItemKind> {
    let (rest, (name, form)) = preceded(word("stage"), cut((name, opt(form)))).parse(input)?;
    if form.is_none() && !rest.begins(&[Kind::LeftBrace]) {
        return rest.wrong("`{`, `with` or `=`");
    }
    let (rest, fields) = cut(fields).parse(rest)?;
    Ok((rest, ItemKind::Stage(Stage { name, form: form.unwrap_or(Form::New), fields })))
}

/// "task" name ( "on" name fields | "with" fields | "=" name "with" fields )
pub fn task(input: Tokens) -> Parse<ItemKind> {
    let (rest, name) = preceded(word("task"), cut(name)).parse(input)?;
    let (rest, (on, form)) = cut(alt((map(form, |form| (None, form)), on))).parse(rest)?;
    let (rest, fields) = cut(fields).parse(rest)?;
    Ok((rest, ItemKind::Task(Task { name, on, form, fields })))
}

fn on(input: Tokens) -> Parse<(Option<Name>, Form)> {
    match word("on")(input) {
        Ok((rest, _)) => map(cut(name), |stage| (Some(stage), Form::New)).parse(rest),
        Err(_) => input.expected("`on`, `with` or `=`"),
    }
}

/// "with" | "=" name "with"
fn form(input: Tokens) -> Parse<Form> {
    let edit = map(token(Kind::With), |_| Form::Edit);
    let derived = delimited(token(Kind::Assign), cut(name), cut(token(Kind::With)));
    alt((edit, map(derived, Form::Derived))).parse(input)
}

/// fields = "{" { name "=" expr | "set" name "=" expr | "rate" path "=" expr } "}" .
fn fields(input: Tokens) -> Parse<Vec<StageField>> {
    braced(stage_field, "a name or `}`")(input)
}

fn stage_field(input: Tokens) -> Parse<StageField> {
    let named = input.begins(&[Kind::Name, Kind::Assign]);
    match input.text(input.first()) {
        "set" if !named => map(preceded(word("set"), cut(field)), StageField::Set).parse(input),
        "rate" if !named => {
            let value = preceded(token(Kind::Assign), expr);
            let rule = preceded(word("rate"), cut((nested(path), value)));
            map(rule, |(path, value)| StageField::Rate { path, value }).parse(input)
        }
        _ => map(field, StageField::Field).parse(input),
    }
}

/// "weights" ( name | NAME ) ( [ "from" ( STRING | name ) ] | "with" ) "{" { rule } "}"
pub fn weights(input: Tokens) -> Parse<ItemKind> {
    let mut head = preceded(word("weights"), cut((either, source)));
    let (rest, (name, source)) = head.parse(input)?;
    if source == WeightsSource::Module && !rest.begins(&[Kind::LeftBrace]) {
        return rest.wrong("`from`, `with` or `{`");
    }
    let (rest, rules) = cut(braced(rule, "a path or `}`")).parse(rest)?;
    Ok((rest, ItemKind::Weights(Weights { name, source, rules })))
}

fn either(input: Tokens) -> Parse<Name> {
    if input.begins(&[Kind::Capital]) { capital(input) } else { name(input) }
}

fn source(input: Tokens) -> Parse<WeightsSource> {
    if input.begins(&[Kind::With]) {
        return Ok((input.take_from(1), WeightsSource::Edit));
    }
    let (rest, from) = opt(word("from")).parse(input)?;
    match (from, rest.first().kind) {
        (None, _) => Ok((input, WeightsSource::Module)),
        (_, Kind::Text) => map(text, WeightsSource::Checkpoint).parse(rest),
        (_, Kind::Name) => map(name, WeightsSource::Stage).parse(rest),
        _ => rest.expected("the name of a checkpoint in quotes, or of a stage"),
    }
}

/// rule = postfix "=" expr [ "via" ( name | NAME ) ] .
fn rule(input: Tokens) -> Parse<Rule> {
    if !matches!(input.first().kind, Kind::Name | Kind::Capital) {
        return input.expected("a path or `}`");
    }
    let value = preceded(token(Kind::Assign), cut(expr));
    let (rest, (path, value)) = (nested(postfix), value).parse(input)?;
    let named = matches!(rest.token(1).kind, Kind::Name | Kind::Capital);
    let (rest, via) = if named { opt(preceded(word("via"), either)).parse(rest)? } else { (rest, None) };
    Ok((rest, Rule { path, value, via }))
}
