//! A model as one text that stands alone: what `extend` brought is merged, what stages left out is written down.
//!
//! A definition keeps its text to the letter, because the place of a draw in its definition is part of the draw's key.
//! Invariant: the text compiles to the same graphs, with the same draws, whatever `--set` said for the original.
//!
//! ```
//! let model = chiasm::compile("models/tiny/clip.chi".as_ref(), &chiasm::Options::default())?;
//! let text = model.merged(&[("seed", "7".to_string())]);
//! assert!(text.contains("set width      = 128") && text.contains("  seed = 7") && !text.contains("extend"));
//! # Ok::<(), chiasm::Failure>(())
//! ```

use super::model::Model;
use super::on_stage;
use super::program::{Definition, MAIN, Meaning, Program, Space};
use super::static_check::reached;
use chiasm_dsl::print;
use chiasm_dsl::span::{Sources, Span};
use chiasm_dsl::tree::{Expr, ExprKind, Item, ItemKind, StageField};
use std::collections::BTreeSet;

/// Fields of a stage with what they are when they are not written.
const STAGE: &[(&str, &str)] = &[
    ("batch", "32"),
    ("accumulate", "1"),
    ("optimiser", "adamw(1e-4)"),
    ("clip", "none"),
    ("precision", "f32"),
    ("seed", "0"),
    ("length", "epochs(1)"),
];
/// Fields of a task with what they are when they are not written.
const TASK: &[(&str, &str)] = &[("batch", "64"), ("seed", "0")];

impl Model {
    /// The whole model as one text: definitions that a stage or task reaches, stages and tasks with every field, `--set`s
    /// applied. `said` are fields that hold for every stage, whatever the file says. Only the standard library is not in it.
    pub fn merged(&self, said: &[(&str, String)]) -> String {
        let program = &*self.program;
        let mut blocks = vec![head(self)];
        blocks.extend(clashes(program).map(|name| {
            format!("# Two of the files mean different things by `{name}`: this text is for reading, not for running.")
        }));
        blocks.push(lines(program.modalities.iter().map(|name| format!("modality {name}"))));
        let kept = definitions(program);
        blocks.push(lines(kept.iter().map(|d| definition(program, d, &self.sets))));
        let own = |span: Span| program.sources.files().get(span.file.0 as usize).is_some_and(|f| !f.library);
        for weights in program.weights.iter().filter(|w| own(w.name.span)) {
            let kind = ItemKind::Weights(weights.clone());
            blocks.push(print::item(&Item { kind, span: Span::default() }));
        }
        blocks.extend(program.stages.iter().map(|one| {
            protocol(&format!("stage {}", one.name.text), &program.fields(one, &program.stages), said, STAGE)
        }));
        blocks.extend(program.tasks.iter().map(|one| {
            let on = on_stage(program, one).map_or("", |on| on.text.as_str());
            let head = format!("task {} on {on}", one.name.text);
            protocol(&head, &program.fields(one, &program.tasks), &[], TASK)
        }));
        blocks.retain(|block| !block.is_empty());
        blocks.join("\n\n") + "\n"
    }
}

fn head(model: &Model) -> String {
    let files = model.sources.files().iter().filter(|file| !file.library).map(|file| file.name.as_str());
    let files: Vec<&str> = files.collect();
    format!("# {}, merged by chiasm {}.", files.join(", "), env!("CARGO_PKG_VERSION"))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// What is reached, in order; then what used files keep to themselves.
fn definitions(program: &Program) -> Vec<&Definition> {
    let Some(Space { names: known }) = program.spaces.get(MAIN.0) else { return Vec::new() };
    let reached = reached(program);
    let mut found: Vec<&Definition> = known.values().filter(|d| reached.contains(&d.name.text)).collect();
    let used = program.spaces.iter().skip(MAIN.0 + 1).flat_map(|space| space.names.values());
    found.extend(used.filter(|d| !known.contains_key(&d.name.text)));
    found.sort_by_key(|d| d.order);
    found
}

/// Names of used files that stand for something else in the file itself, or in another used file.
fn clashes(program: &Program) -> impl Iterator<Item = &str> {
    let mut seen: BTreeSet<(&str, Span)> = BTreeSet::new();
    let spaces = program.spaces.iter().skip(MAIN.0).flat_map(|space| space.names.values());
    seen.extend(spaces.map(|d| (d.name.text.as_str(), d.span)));
    let names: Vec<&str> = seen.into_iter().map(|(name, _)| name).collect();
    let doubled: BTreeSet<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|p| p[0]).collect();
    doubled.into_iter()
}

fn definition(program: &Program, it: &Definition, sets: &[(String, String)]) -> String {
    let name = &it.name.text;
    let given = sets.iter().rev().find(|(set, _)| set == name);
    match (&it.meaning, given) {
        (Meaning::Set(_), Some((_, value))) => format!("set {name} = {}", command(value)),
        (Meaning::Value(expr), _) if !within(expr.span, it.span) => {
            format!("{name} = {}", edited(&program.sources, expr, it.span))
        }
        _ => program.sources.text(it.span).to_string(),
    }
}

/// A value of the command line as the language writes it.
fn command(value: &str) -> String {
    let bare = value.replace('_', "").parse::<f64>().is_ok() || matches!(value, "true" | "false");
    if bare { value.to_string() } else { format!("\"{}\"", value.trim_matches('"')) }
}

fn within(inner: Span, outer: Span) -> bool {
    inner.file == outer.file && outer.start <= inner.start && inner.end <= outer.end
}

/// A definition that `name with { … }` has edited, perhaps several times.
fn edited(sources: &Sources, expr: &Expr, origin: Span) -> String {
    match &expr.kind {
        ExprKind::With { value, block } if !within(expr.span, origin) => {
            let field =
                |f: &chiasm_dsl::tree::Field| format!("{} = {}", f.name.text, sources.text(f.value.span));
            let fields: Vec<String> = block.iter().map(field).collect();
            format!("{} with {{\n  {}\n}}", edited(sources, value, origin), fields.join("\n  "))
        }
        ExprKind::Call { .. } | ExprKind::Name(_) | ExprKind::Group(_) => sources.text(expr.span).to_string(),
        _ => format!("({})", sources.text(expr.span)),
    }
}

/// A stage or task: its fields but for those that are `said`, these, and what neither mentions.
fn protocol(head: &str, fields: &[StageField], said: &[(&str, String)], missing: &[(&str, &str)]) -> String {
    let is_said = |name: &str| said.iter().any(|(known, _)| *known == name);
    let is_field = |f: &StageField, name: &str| matches!(f, StageField::Field(f) if f.name.text == name);
    let kept = fields.iter().filter(|f| !said.iter().any(|(name, _)| is_field(f, name)));
    let mut lines: Vec<String> = kept.map(field).collect();
    lines.extend(said.iter().map(|(name, value)| format!("  {name} = {value}")));
    let left = missing.iter().filter(|(name, _)| !is_said(name) && !fields.iter().any(|f| is_field(f, name)));
    lines.extend(left.map(|(name, value)| format!("  {name} = {value}")));
    format!("{head} {{\n{}\n}}", lines.join("\n"))
}

fn field(field: &StageField) -> String {
    match field {
        StageField::Field(it) => format!("  {} = {}", it.name.text, print::expr(&it.value)),
        StageField::Set(it) => format!("  set {} = {}", it.name.text, print::expr(&it.value)),
        StageField::Rate { path, value } => format!("  rate {} = {}", print::expr(path), print::expr(value)),
    }
}
