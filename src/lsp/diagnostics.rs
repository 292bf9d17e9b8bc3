//! Messages of the compiler to those of the protocol.
//!
//! A message that lies in another file of the same model (a mistake in what a variant extends) is shown at the item that
//! brings that file in, with its real place beside it.

use super::document::Document;
use super::protocol::{Location, Range};
use super::{definition, position};
use crate::lower::analysis::Analysis;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, Severity};
use chiasm_dsl::parse::parse;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Item, ItemKind};
use serde_json::{Value, json};
use std::cell::LazyCell;
use std::ops::Deref;

const ERROR: u8 = 1;
const WARNING: u8 = 2;
/// The tag of what is never used.
const UNNECESSARY: u8 = 1;

/// Everything that is wrong, as seen from one document.
pub fn all(analysis: &Analysis, document: &Document) -> Vec<Value> {
    let elsewhere = LazyCell::new(|| brought_in(analysis));
    analysis.diagnostics.iter().map(|diagnostic| one(analysis, document, diagnostic, &elsewhere)).collect()
}

/// One message about the whole document.
pub fn whole(message: &str) -> Value {
    json!({ "range": Range::default(), "severity": ERROR, "source": "chiasm", "message": message })
}

/// `brings` is shown for what does not lie in the document.
fn one(
    analysis: &Analysis,
    document: &Document,
    diagnostic: &Diagnostic,
    brings: &impl Deref<Target = Option<Span>>,
) -> Value {
    let main = analysis.main();
    let here = diagnostic.span.filter(|span| span.file == main);
    let elsewhere = diagnostic.span.filter(|span| span.file != main);
    let shown = here.or_else(|| **brings).unwrap_or(Span { file: main, ..Span::default() });
    let notes = diagnostic.notes.iter().map(|note| format!("\n{note}"));
    let message = std::iter::once(diagnostic.message.clone()).chain(notes).collect::<String>();
    let message = match elsewhere {
        Some(span) => format!("{}: {message}", analysis.sources.at(span)),
        None => message,
    };
    let elsewhere = elsewhere.map(|span| (span, diagnostic.message.clone()));
    let related = elsewhere.into_iter().chain(diagnostic.related.iter().cloned());
    let related: Vec<Value> =
        related.filter_map(|(span, text)| beside(analysis, document, span, &text)).collect();
    let unused = diagnostic.code == Code::E0207;
    json!({
        "range": document.range(shown.start as usize, shown.end as usize),
        "severity": severity(diagnostic),
        "code": diagnostic.code.name(),
        "source": "chiasm",
        "message": message,
        "tags": if unused { vec![UNNECESSARY] } else { Vec::new() },
        "relatedInformation": related,
    })
}

fn severity(diagnostic: &Diagnostic) -> u8 {
    match diagnostic.severity {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
    }
}

/// The item that brings another file in.
fn brought_in(analysis: &Analysis) -> Option<Span> {
    let main = analysis.main();
    let parsed = parse(main, &analysis.sources.file(main).text);
    let brings = |item: &&Item| matches!(item.kind, ItemKind::Extend(_) | ItemKind::Use(_));
    parsed.tree.items.iter().find(brings).map(|item| item.span)
}

fn beside(analysis: &Analysis, document: &Document, span: Span, text: &str) -> Option<Value> {
    let location = if span.file == analysis.main() {
        let range = document.range(span.start as usize, span.end as usize);
        Location { uri: document.uri.clone(), range }
    } else {
        definition::location(analysis, span)?
    };
    Some(json!({ "location": location, "message": text }))
}

/// The range of a span in its own text.
pub fn range(analysis: &Analysis, span: Span) -> Range {
    let text = &analysis.sources.file(span.file).text;
    position::Lines::of(text).range(text, span)
}
