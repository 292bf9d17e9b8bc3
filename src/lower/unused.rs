//! What a file holds and nothing uses: parts and local definitions that are never named again (W0701), and what stages
//! and tasks leave out.
//!
//! A definition of the user's own file that nothing reaches is an error, E0207. What an extended file brings may be left
//! over; it is listed. Invariant: what is named anywhere in the user's files counts as used.

use super::model::{Input, Model, Unused};
use super::names::is_capital;
use super::program::{LIBRARY, MAIN, Meaning, Program};
use super::static_check::{elements, reached};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::token::{Kind, read};
use chiasm_dsl::tree::{Function, ModuleBody, Name, Part, StageField};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// W0701: parts of the user's modules and local definitions of functions whose names stand nowhere else.
pub fn parts(program: &Program) -> Vec<Diagnostic> {
    let mut inner: Vec<(&Name, &'static str)> = Vec::new();
    for definition in program.spaces[1..].iter().flat_map(|s| s.names.values()).filter(|d| d.home != LIBRARY)
    {
        match &definition.meaning {
            Meaning::Fn(function) => locals(function, &mut inner),
            Meaning::Module(module) => of_module(&module.body, &mut inner),
            _ => {}
        }
    }
    if inner.is_empty() {
        return Vec::new();
    }
    let counts = counts(program);
    let once = |(name, _): &(&Name, &str)| counts.get(name.text.as_str()).is_none_or(|count| *count <= 1);
    let mut left: Vec<(&Name, &str)> = inner.into_iter().filter(once).collect();
    left.sort_by_key(|(name, _)| name.span);
    left.dedup();
    let warning = |(name, what): (&Name, &str)| {
        let message = format!("the {what} `{}` is never used", name.text);
        Diagnostic::warning(Code::W0701, name.span, message)
    };
    left.into_iter().take(super::MOST_MESSAGES).map(warning).collect()
}

fn locals<'p>(function: &'p Function, inner: &mut Vec<(&'p Name, &'static str)>) {
    inner.extend(function.locals.iter().map(|field| (&field.name, "local definition")));
}

fn of_module<'p>(body: &'p ModuleBody, inner: &mut Vec<(&'p Name, &'static str)>) {
    let ModuleBody::Parts(parts) = body else { return };
    for part in parts {
        match part {
            Part::Field(field) => inner.push((&field.name, "part")),
            Part::Fn(function) => locals(function, inner),
            Part::Require(_) => {}
        }
    }
}

/// How often each name stands in the user's files; what the library asks of a module (`m.part`) counts too.
fn counts(program: &Program) -> FxHashMap<&str, usize> {
    let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
    for source in program.sources.files() {
        let mut behind_dot = false;
        for token in read(chiasm_dsl::span::FileId(0), &source.text).tokens {
            let name = matches!(token.kind, Kind::Name | Kind::Capital);
            if name && (!source.library || behind_dot) {
                let text = &source.text[token.span.start as usize..token.span.end as usize];
                *counts.entry(text).or_default() += 1;
            }
            behind_dot = token.kind == Kind::Dot;
        }
    }
    counts
}

/// What no stage and no task uses.
pub fn left_out(program: &Program, model: &Model) -> Unused {
    if program.stages.is_empty() && program.tasks.is_empty() {
        return Unused::default();
    }
    let reached = reached(program);
    let read: BTreeSet<&str> = inputs(model).map(|input| input.name.as_str()).collect();
    let mut names: Vec<_> = program.spaces[MAIN.0].names.values().filter(|d| d.home == MAIN).collect();
    names.sort_by_key(|d| d.order);
    let mut unused = Unused { weights: weights(program), ..Unused::default() };
    for definition in names {
        let name = &definition.name.text;
        match definition.meaning {
            Meaning::Input(_) if !read.contains(name.as_str()) => unused.inputs.push(name.clone()),
            _ if !reached.contains(name) => unused.definitions.push(name.clone()),
            _ => {}
        }
    }
    unused
}

fn inputs(model: &Model) -> impl Iterator<Item = &Input> {
    let tasks = model.tasks.iter().flat_map(|task| &task.inputs);
    model.stages.iter().flat_map(|stage| &stage.inputs).chain(tasks)
}

/// Weight maps of the file from which no stage starts.
fn weights(program: &Program) -> Vec<String> {
    let mut started: BTreeSet<String> = BTreeSet::new();
    for field in program.stages.iter().flat_map(|stage| &stage.fields) {
        if let StageField::Field(field) = field
            && field.name.text == "start"
        {
            started.extend(elements(&field.value).into_iter().filter_map(super::program::path_text));
        }
    }
    let maps = program.weights.iter().map(|w| &w.name.text);
    maps.filter(|name| !is_capital(name) && !started.contains(*name)).cloned().collect()
}
