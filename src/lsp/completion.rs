//! What may be written at a place: names, parts, arguments, fields, modalities.
//!
//! Everything that fits the place is offered; the editor drops what does not begin like the word that is being written.

use super::context::{Around, Call, Context, Path, context};
use super::desk::{Desk, Spot};
use super::manual;
use super::protocol::At;
use crate::lower::analysis::{PRIMITIVES, WORDS};
use crate::lower::notes::{Kind, Meant, Owner, Parameter};
use chiasm_dsl::span::Span;
use serde_json::{Value, json};

/// Kinds of the protocol.
const FUNCTION: u8 = 3;
const FIELD: u8 = 5;
const VARIABLE: u8 = 6;
const CLASS: u8 = 7;
const PROPERTY: u8 = 10;
const KEYWORD: u8 = 14;
const CONSTANT: u8 = 21;

/// Words that may begin an expression.
const OPENING: &[&str] = &["if", "not", "route"];
/// Words that are values everywhere.
const CONSTANTS: &[&str] = &["none", "true", "false", "causal"];

/// What is offered, each name once.
#[derive(Default)]
struct Offers(Vec<Value>);

impl Offers {
    /// Adds one. What comes first stays first.
    fn add(&mut self, name: &str, kind: u8, detail: &str) {
        self.insert(name, name, kind, detail);
    }

    fn insert(&mut self, name: &str, text: &str, kind: u8, detail: &str) {
        if self.0.iter().any(|known| known["label"] == name) {
            return;
        }
        let order = format!("{:05}", self.0.len());
        let mut offer = json!({ "label": name, "kind": kind, "sortText": order });
        if text != name {
            offer["insertText"] = text.into();
        }
        if !detail.is_empty() {
            offer["detail"] = detail.into();
        }
        if let Some(page) = manual::page(name).filter(|_| kind != VARIABLE && kind != PROPERTY) {
            offer["documentation"] = json!({ "kind": "markdown", "value": page });
        }
        self.0.push(offer);
    }

    fn words(&mut self, words: &[&str], kind: u8) {
        words.iter().for_each(|word| self.add(word, kind, ""));
    }
}

/// The answer to `textDocument/completion`.
pub fn answer(desk: &Desk, at: &At) -> Value {
    let Some(document) = desk.documents.get(&at.text_document.uri) else { return Value::Null };
    let context = context(document.body(), document.offset(at.position));
    let spots = desk.spots(at);
    let mut offers = Offers::default();
    match &context {
        Context::Nothing => {}
        Context::Item => {
            offers.words(chiasm_dsl::parse::WORDS, KEYWORD);
            // A variant replaces what it inherits.
            spots.iter().for_each(|spot| inherited(&mut offers, spot));
        }
        Context::Part(path) => spots.iter().for_each(|spot| parts(&mut offers, spot, path)),
        Context::Label => labels(&mut offers, &spots),
        Context::Field(fields) => {
            fields.iter().for_each(|name| offers.insert(name, &format!("{name} = "), FIELD, ""));
            offers.words(&["set", "rate"], KEYWORD);
        }
        Context::ModulePart => offers.words(&["fn", "require", "return"], KEYWORD),
        Context::Replaced(path) => replaced(&mut offers, &spots, path),
        Context::Value(around) => values(&mut offers, &spots, around),
    }
    json!({ "isIncomplete": false, "items": offers.0 })
}

fn inherited(offers: &mut Offers, spot: &Spot<'_>) {
    for (name, at) in &spot.analysis.names {
        if at.file != spot.file && !spot.analysis.sources.file(at.file).library {
            named(offers, spot, name, *at);
        }
    }
}

fn labels(offers: &mut Offers, spots: &[Spot<'_>]) {
    offers.words(&["image", "text", "fused"], CONSTANT);
    let declared = spots.iter().flat_map(|spot| &spot.analysis.modalities);
    declared.for_each(|label| offers.add(label, CONSTANT, "modality"));
    offers.words(&["causal"], KEYWORD);
}

fn replaced(offers: &mut Offers, spots: &[Spot<'_>], path: &Path) {
    for spot in spots {
        parts(offers, spot, path);
        module_parts(offers, spot, path);
    }
    if offers.0.is_empty() {
        spots.iter().for_each(|spot| definitions(offers, spot));
    }
}

/// Parts of a module by its constructor's name, which has no instance yet.
fn module_parts(offers: &mut Offers, spot: &Spot<'_>, path: &Path) {
    let Some(module) = declared(spot, &path.name).filter(|_| path.steps.is_empty()) else { return };
    let notes = &spot.analysis.notes;
    let scope =
        notes.scopes.iter().find(|(whole, _)| whole.file == module.file && inside(*whole, module.start));
    for name in scope.into_iter().flat_map(|(_, names)| names) {
        if notes.declared.get(name).is_some_and(|declared| declared.kind == Kind::Part) {
            offers.add(spot.text(*name), PROPERTY, notes.meaning(*name).map_or("", Meant::line));
        }
    }
}

fn inside(span: Span, at: u32) -> bool {
    span.start <= at && at <= span.end
}

fn parts(offers: &mut Offers, spot: &Spot<'_>, path: &Path) {
    let Some(meant) = meaning(spot, path) else { return };
    match &meant.element().owner {
        Some(Owner::Module(path)) => {
            let known = spot.analysis.notes.modules.get(path);
            known.into_iter().flatten().for_each(|(name, part)| offers.add(name, PROPERTY, part.line()));
        }
        Some(Owner::Words(words)) => {
            words.iter().for_each(|(name, text)| offers.add(name, PROPERTY, text));
        }
        Some(Owner::Model) => definitions(offers, spot),
        Some(Owner::Each(_)) | None => {}
    }
}

/// Values of the file.
fn definitions(offers: &mut Offers, spot: &Spot<'_>) {
    for (name, at) in &spot.analysis.names {
        let declared = spot.analysis.notes.declared.get(at);
        let value =
            declared.is_some_and(|d| matches!(d.kind, Kind::Value | Kind::Input | Kind::Loss | Kind::State));
        if value {
            named(offers, spot, name, *at);
        }
    }
}

/// What a path leads to; if its first name says nothing, what the text before the place meant.
fn meaning<'a>(spot: &Spot<'a>, path: &Path) -> Option<&'a Meant> {
    let notes = &spot.analysis.notes;
    let start = declared(spot, &path.name).and_then(|at| notes.meaning(at));
    let walked = start.and_then(|start| walk(spot, start, &path.steps));
    walked.or_else(|| {
        let ends = |span: &&Span| span.file == spot.file && span.end as usize == path.end && spot.exact;
        let span = notes.meanings.keys().filter(ends).min_by_key(|span| span.start)?;
        notes.meanings.get(span)
    })
}

fn walk<'a>(spot: &Spot<'a>, start: &'a Meant, steps: &[Option<String>]) -> Option<&'a Meant> {
    let mut meant = start;
    for step in steps {
        meant = meant.element();
        let Some(part) = step else { continue };
        let Some(Owner::Module(path)) = &meant.owner else { return None };
        let parts = spot.analysis.notes.modules.get(path)?;
        meant = parts.iter().find(|(name, _)| name == part).map(|(_, part)| part)?;
    }
    Some(meant)
}

/// Where a name is declared, as seen from a place: the innermost scope first.
fn declared(spot: &Spot<'_>, name: &str) -> Option<Span> {
    let local = locals(spot).into_iter().find(|at| spot.text(*at) == name);
    local.or_else(|| spot.analysis.names.iter().find(|(known, _)| known == name).map(|(_, at)| *at))
}

/// Bound names that a place sees, innermost first.
fn locals(spot: &Spot<'_>) -> Vec<Span> {
    let around = |whole: &Span| whole.file == spot.file && inside(*whole, spot.at as u32);
    let scopes = spot.analysis.notes.scopes.iter().filter(|(whole, _)| around(whole));
    let mut scopes: Vec<_> = scopes.collect();
    scopes.sort_by_key(|(whole, _)| whole.end - whole.start);
    scopes.into_iter().flat_map(|(_, names)| names.iter().copied()).collect()
}

fn values(offers: &mut Offers, spots: &[Spot<'_>], around: &Around) {
    if let Some(call) = &around.call {
        arguments(offers, spots, call);
    }
    let kinds: Option<&[Kind]> = match around.field.as_deref() {
        Some("precision") => return offers.words(&["f32", "bf16"], CONSTANT),
        Some("start") => Some(&[Kind::Stage, Kind::Weights]),
        Some("evaluate" | "task") => Some(&[Kind::Task]),
        Some("on" | "stage") => Some(&[Kind::Stage]),
        _ => None,
    };
    for spot in spots {
        match kinds {
            Some(kinds) => of_kinds(offers, spot, kinds),
            None => in_scope(offers, spot),
        }
    }
    if kinds.is_none() {
        offers.words(PRIMITIVES, FUNCTION);
        offers.words(CONSTANTS, CONSTANT);
        offers.words(OPENING, KEYWORD);
        offers.words(WORDS, CONSTANT);
    }
}

fn of_kinds(offers: &mut Offers, spot: &Spot<'_>, kinds: &[Kind]) {
    for (name, at) in &spot.analysis.names {
        if spot.analysis.notes.declared.get(at).is_some_and(|declared| kinds.contains(&declared.kind)) {
            offers.add(name, VARIABLE, "");
        }
    }
}

fn in_scope(offers: &mut Offers, spot: &Spot<'_>) {
    locals(spot).into_iter().for_each(|at| named(offers, spot, spot.text(at), at));
    for (name, at) in &spot.analysis.names {
        let kind = spot.analysis.notes.declared.get(at).map(|declared| declared.kind);
        if !matches!(kind, Some(Kind::Stage | Kind::Task | Kind::Weights)) {
            named(offers, spot, name, *at);
        }
    }
}

/// A declared name with its type or signature.
fn named(offers: &mut Offers, spot: &Spot<'_>, name: &str, at: Span) {
    let notes = &spot.analysis.notes;
    let declared = notes.declared.get(&at);
    let kind = match declared.map(|declared| declared.kind) {
        Some(Kind::Function) => FUNCTION,
        Some(Kind::Module) => CLASS,
        _ => VARIABLE,
    };
    let takes = declared.and_then(|declared| declared.takes.as_ref());
    let detail = match takes {
        Some(takes) => format!("{name}({})", listed(takes)),
        None => notes.meaning(at).map_or(String::new(), |meant| meant.line().to_string()),
    };
    offers.add(name, kind, &detail);
}

fn listed(takes: &[Parameter]) -> String {
    takes.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join(", ")
}

fn arguments(offers: &mut Offers, spots: &[Spot<'_>], call: &Call) {
    for spot in spots {
        let known =
            meaning(spot, &call.path).and_then(|meant| meant.element().takes.clone().or(meant.takes.clone()));
        let written = || spot.analysis.notes.declared.get(&declared(spot, &call.path.name)?)?.takes.clone();
        let takes = known.or_else(|| written().filter(|_| call.path.steps.is_empty()));
        for parameter in takes.iter().flat_map(|takes| takes.iter()).skip(usize::from(call.piped)) {
            offers.insert(
                &format!("{}:", parameter.name),
                &format!("{}: ", parameter.name),
                PROPERTY,
                &parameter.text,
            );
        }
    }
    if call.path.steps.is_empty() {
        for name in manual::arguments(&call.path.name).into_iter().skip(usize::from(call.piped)) {
            offers.insert(&format!("{name}:"), &format!("{name}: "), PROPERTY, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_dsl::token::RESERVED;

    #[test]
    fn words_of_expressions_are_reserved() {
        assert!(OPENING.iter().all(|word| RESERVED.contains(word)));
    }
}
