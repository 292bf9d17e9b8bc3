//! What a place means, in words: the type of an expression, the signature of what is called, the comment above it.

use super::context;
use super::desk::{Desk, Spot, is_word};
use super::manual;
use super::protocol::At;
use crate::lower::notes::{Declared, Kind, Meant};
use chiasm_dsl::span::{FileId, Span};
use chiasm_dsl::token::{Token, read};
use serde_json::{Value, json};

/// Lines of a definition that are shown.
const MOST_LINES: usize = 6;
/// Characters of an expression that are shown.
const LONGEST: usize = 60;

/// The answer to `textDocument/hover`.
pub fn answer(desk: &Desk, at: &At) -> Value {
    let Some(document) = desk.documents.get(&at.text_document.uri) else { return Value::Null };
    let place = document.offset(at.position);
    let tokens = read(FileId(0), document.body()).tokens;
    let touches = |t: &&Token| t.span.start as usize <= place && place <= t.span.end as usize;
    let Some(word) = tokens.iter().filter(touches).max_by_key(|t| is_word(t.kind)) else {
        return Value::Null;
    };
    let spots = desk.spots(at);
    let known = spots.iter().filter(|spot| spot.exact).find_map(told);
    let written = &document.body()[word.span.start as usize..word.span.end as usize];
    let field = context::field_of(&tokens, document.body(), *word);
    let Some(text) = field.or(known).or_else(|| manual::page(written)) else { return Value::Null };
    let range = document.range(word.span.start as usize, word.span.end as usize);
    json!({ "contents": { "kind": "markdown", "value": text }, "range": range })
}

fn told(spot: &Spot<'_>) -> Option<String> {
    let token = spot.token()?;
    if is_word(token.kind) { named(spot, token) } else { expression(spot, token) }
}

/// The smallest expression around something that is no name.
fn expression(spot: &Spot<'_>, token: Token) -> Option<String> {
    let (span, meant) = spot.analysis.notes.around(token.span)?;
    let text = spot.text(span);
    let shown = text.lines().next().filter(|line| *line == text && line.chars().count() <= LONGEST);
    Some(code(&format!("{} : {}", shown.unwrap_or("…"), meant.text)))
}

fn named(spot: &Spot<'_>, token: Token) -> Option<String> {
    let notes = &spot.analysis.notes;
    let declared = spot.declared(token);
    // The name itself, or a path that ends with it.
    let around = notes.around(token.span).filter(|(span, _)| span.end == token.span.end);
    let meant = around.map(|(_, meant)| meant).or_else(|| notes.meaning(declared?));
    let result = around.and_then(|(span, _)| notes.results.get(&span));
    let name = spot.text(around.map_or(token.span, |(span, _)| span));
    let about = declared.and_then(|at| Some((at, notes.declared.get(&at)?)));
    let head = about.and_then(|(_, declared)| signature(spot, declared));
    if meant.is_none() && about.is_none() {
        return None;
    }
    let mut lines = Vec::new();
    match (head, meant) {
        (Some(head), _) => lines.push(head),
        (None, Some(meant)) => lines.push(format!("{name} : {}", meant.text)),
        (None, None) => {}
    }
    lines.extend(result.map(|result| format!("{name}(…) : {}", result.line())));
    let primitive = meant.filter(|_| about.is_none()).and_then(|_| manual::page(name));
    let page = about.map(|(at, declared)| page(spot, at, declared, meant));
    Some([code(&lines.join("\n")), page.or(primitive).unwrap_or_default()].join("\n").trim().to_string())
}

/// What is called shows how; anything else its meaning.
fn signature(spot: &Spot<'_>, declared: &Declared) -> Option<String> {
    let takes = declared.takes.as_ref()?;
    let text = spot.text(declared.shown);
    let open = if text.contains('(') || takes.is_empty() { "" } else { "(" };
    let close = if text.matches('(').count() > text.matches(')').count() { ")" } else { "" };
    Some(format!("{text}{open}{close}"))
}

/// The definition, its comment, and where it stands if that is elsewhere.
fn page(spot: &Spot<'_>, at: Span, declared: &Declared, meant: Option<&Meant>) -> String {
    let mut page = Vec::new();
    let text = spot.text(declared.shown);
    let own = meant.is_some_and(|meant| meant.text == text) || declared.takes.is_some();
    if !own && declared.kind != Kind::Size {
        page.push(code(&text.lines().take(MOST_LINES).collect::<Vec<_>>().join("\n")));
    }
    page.extend(comment(spot, declared.shown));
    if at.file != spot.file || spot.analysis.sources.file(at.file).library {
        page.push(format!("*{}*", spot.analysis.sources.at(at)));
    }
    page.join("\n\n")
}

/// The comment above a definition, and the one behind it.
pub fn comment(spot: &Spot<'_>, shown: Span) -> Option<String> {
    let text = &spot.analysis.sources.file(shown.file).text;
    let (before, behind) = (text.get(..shown.start as usize)?, text.get(shown.end as usize..)?);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let above = before[..start].lines().rev().map(str::trim).take_while(|line| line.starts_with('#'));
    let mut lines: Vec<&str> = above.collect();
    lines.reverse();
    let line = behind.lines().next().unwrap_or("");
    lines.extend(line.find('#').filter(|_| !line.contains('"')).map(|at| &line[at..]));
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_start_matches('#').trim()).collect();
    (!lines.is_empty()).then(|| lines.join("  \n"))
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("```chiasm\n{text}\n```") }
}
