//! From the mention of a name to where it is declared: in the document, in a file that it extends or uses, in the library.

use super::desk::{Desk, Spot};
use super::position::carry;
use super::protocol::{At, Location, Range};
use super::{diagnostics, library, uri};
use crate::lower::analysis::Analysis;
use chiasm_dsl::span::Span;
use chiasm_dsl::token::{Kind, read};
use serde_json::{Value, json};
use std::path::Path;

/// The answer to `textDocument/definition`.
pub fn answer(desk: &Desk, at: &At) -> Value {
    let spots = desk.spots(at);
    let found = spots.iter().filter(|spot| spot.exact).find_map(|spot| go(desk, at, spot));
    found.map_or(Value::Null, |location| json!(location))
}

fn go(desk: &Desk, at: &At, spot: &Spot<'_>) -> Option<Location> {
    let token = spot.token()?;
    if token.kind == Kind::Text {
        return brought_in(spot, token.span);
    }
    let declared = spot.declared(token)?;
    if declared.file != spot.file {
        return location(spot.analysis, declared);
    }
    let document = desk.documents.get(&at.text_document.uri)?;
    let text = &spot.analysis.sources.file(spot.file).text;
    let now = |place: u32| carry(text, document.body(), place as usize).unwrap_or_else(|nearest| nearest);
    let range = document.range(now(declared.start), now(declared.end));
    Some(Location { uri: document.uri.clone(), range })
}

/// The file behind `extend "…"` and `use "…"`.
fn brought_in(spot: &Spot<'_>, text: Span) -> Option<Location> {
    let file = spot.analysis.sources.file(spot.file);
    let tokens = read(spot.file, &file.text).tokens;
    let before = tokens.iter().rev().find(|token| token.span.end <= text.start)?;
    if !matches!(spot.text(before.span), "extend" | "use") {
        return None;
    }
    let name = spot.text(text).trim_matches('"');
    let path = Path::new(&file.name).parent().unwrap_or(Path::new("")).join(name);
    path.is_file().then(|| Location { uri: uri::uri(&path), range: Range::default() })
}

/// A span of a file that is not the document itself.
pub fn location(analysis: &Analysis, span: Span) -> Option<Location> {
    let file = analysis.sources.file(span.file);
    let path =
        if file.library { library::file(&file.name).ok()? } else { Path::new(&file.name).to_path_buf() };
    Some(Location { uri: uri::uri(&path), range: diagnostics::range(analysis, span) })
}
