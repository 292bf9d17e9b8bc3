//! What can be said before anything is evaluated: unknown names, and definitions that nothing reaches.

use super::names::{Free, is_capital, mentions};
use super::program::{Definition, LIBRARY, MAIN, Meaning, Program, Protocol};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::tree::{Expr, ExprKind, Name, StageField};
use std::collections::BTreeSet;

/// Words that are values in every scope.
const CONSTANTS: &[&str] = &["none", "true", "false", "zeros", "ones", "causal", "model", "int"];
/// Fields whose names are stages, tasks or weight maps.
pub const OTHER_NAMES: &[&str] = &["start", "evaluate"];

/// Small names that mean nothing anywhere (E0201).
pub fn unknown_names(program: &Program) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for space in &program.spaces[1..] {
        for definition in space.names.values().filter(|d| d.home != LIBRARY) {
            found.extend(match &definition.meaning {
                Meaning::Data(expr) => Free::of_data(expr).found,
                _ => mentions(definition).found,
            });
        }
    }
    for protocol in program.stages.iter().chain(&program.tasks) {
        for field in &protocol.fields {
            match field {
                StageField::Field(f) if OTHER_NAMES.contains(&f.name.text.as_str()) => {}
                StageField::Field(f) if f.name.text == "data" => found.extend(Free::of_data(&f.value).found),
                StageField::Field(f) | StageField::Set(f) => found.extend(Free::of(&f.value).found),
                StageField::Rate { path, .. } => found.extend(Free::of(path).found),
            }
        }
    }
    found.retain(|name| !is_capital(&name.text) && !is_known(program, &name.text));
    found.sort_by_key(|name| name.span);
    found.dedup();
    found.iter().take(super::MOST_MESSAGES).map(|name| unknown(program, name)).collect()
}

fn is_known(program: &Program, name: &str) -> bool {
    let defined = program.spaces.iter().any(|s| s.names.contains_key(name));
    let word = super::primitive::named(name).is_some() || super::primitive::WORDS.contains(&name);
    let task = program.stages.iter().chain(&program.tasks).any(|p| p.name.text == name);
    defined
        || word
        || task
        || CONSTANTS.contains(&name)
        || program.modalities.iter().any(|m| m == name)
        || is_label(name)
}

fn is_label(name: &str) -> bool {
    matches!(name, "image" | "text" | "fused")
}

fn unknown(program: &Program, name: &Name) -> Diagnostic {
    let error = Diagnostic::error(Code::E0201, name.span, format!("unknown name `{}`", name.text));
    let spaces = program.spaces.iter().flat_map(|s| s.names.keys().map(String::as_str));
    let known = spaces.chain(super::primitive::NAMES.iter().copied());
    match nearest(&name.text, known) {
        Some(near) => error.note(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// Definitions that some stage or task reaches, by name.
pub fn reached(program: &Program) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    for protocol in program.stages.iter().chain(&program.tasks) {
        protocol_mentions(protocol).iter().for_each(|name| reach(program, name, &mut reached));
    }
    reached
}

/// Definitions of the user's own file that no stage or task reaches (E0207). A file without any is there to be used by others.
pub fn unused(program: &Program) -> Vec<Diagnostic> {
    if program.stages.is_empty() && program.tasks.is_empty() {
        return Vec::new();
    }
    let names = &program.spaces[MAIN.0].names;
    let reached = reached(program);
    let unused = |d: &&Definition| d.own && d.home == MAIN && !reached.contains(&d.name.text);
    let mut left: Vec<&Definition> = names.values().filter(unused).collect();
    left.sort_by_key(|d| d.name.span);
    left.into_iter().take(super::MOST_MESSAGES).map(|d| never_used(program, d)).collect()
}

fn never_used(program: &Program, definition: &Definition) -> Diagnostic {
    let name = &definition.name;
    let inherited = program.spaces[MAIN.0].names.values().filter(|d| !d.own).map(|d| d.name.text.as_str());
    let error = Diagnostic::error(Code::E0207, name.span, format!("`{}` is never used", name.text))
        .note("no stage or task reaches it");
    match nearest(&name.text, inherited) {
        Some(near) => error.note(format!("did you mean to replace the inherited `{near}`?")),
        None => error,
    }
}

fn protocol_mentions(protocol: &Protocol) -> Vec<String> {
    let mut names = Vec::new();
    for field in &protocol.fields {
        let exprs: Vec<&Expr> = match field {
            StageField::Field(f) | StageField::Set(f) => vec![&f.value],
            StageField::Rate { path, value } => vec![path, value],
        };
        for expr in exprs {
            let free = Free::of(expr);
            names.extend(free.found.into_iter().map(|n| n.text));
            names.extend(free.parts.into_iter().map(|(_, n)| n.text));
        }
        if let StageField::Set(f) = field {
            names.push(f.name.text.clone());
        }
    }
    names
}

fn reach(program: &Program, name: &str, reached: &mut BTreeSet<String>) {
    let Some(definition) = program.spaces[MAIN.0].names.get(name) else { return };
    if !reached.insert(name.to_string()) {
        return;
    }
    let free = mentions(definition);
    free.found.iter().for_each(|n| reach(program, &n.text, reached));
    for (owner, part) in &free.parts {
        if super::names::is_momentum(program, MAIN, owner) {
            reach(program, &part.text, reached);
        }
    }
}

/// The expression of a list's elements, or the expression itself.
pub fn elements(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::List(args) => args.iter().filter(|a| a.name.is_none()).map(|a| &a.value).collect(),
        ExprKind::Group(inner) => elements(inner),
        _ => vec![expr],
    }
}
