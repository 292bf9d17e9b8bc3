//! Tree to graph: names, modules, `with`, shapes, modality, errors.
//!
//! [`compile`] reads a file with everything it extends and lowers each stage and task by itself, under its own `set`s.
//! Invariant: a [`Model`] holds no mistake that could be known before its data is read.
//!
//! ```no_run
//! let model = chiasm::compile("models/tiny/clip.chi".as_ref(), &chiasm::Options::default());
//! ```

pub mod account;
pub mod analysis;
mod arith;
mod call;
mod data;
mod derived;
mod eval;
mod fields;
mod instance;
mod leaf;
mod lock;
mod lookup;
mod mapped;
mod marks;
pub mod model;
mod module;
mod names;
pub mod notes;
mod noting;
mod object;
mod objective;
mod outline;
mod padding;
mod parts;
mod places;
mod primitive;
mod program;
mod scope;
mod source;
mod stage;
mod starts;
mod state;
mod static_check;
mod task;
mod trains;
mod types;
mod unused;
mod value;
pub(crate) mod vocabulary;
mod warn;
mod weights;
mod with;

use crate::parallel;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, Severity};
use chiasm_dsl::span::Sources;
use chiasm_dsl::tree::StageField;
pub use model::Model;
use notes::Notes;
use program::{MAIN, Meaning, Program, Protocol, Texts};
use state::Lower;
use std::path::Path;
use std::sync::Arc;

/// What a caller may say besides the file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--set name=value`, in order.
    pub sets: Vec<(String, String)>,
    /// Values to compute besides what stages minimise: names, or `slow.name`. They become the outputs `value/<name>`.
    pub values: Vec<String>,
    /// The caller gives every input, so the columns of data are not held against what a stage needs.
    pub given: bool,
}

/// Why a file makes no model.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {error}")]
    Unreadable {
        /// As given.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is wrong.
    #[error("{}", render(sources, diagnostics))]
    Wrong {
        /// All texts.
        sources: Box<Sources>,
        /// What is wrong, in order of place.
        diagnostics: Vec<Diagnostic>,
    },
}

fn render(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| d.render(sources)).collect::<Vec<_>>().join("\n")
}

/// Messages of one run; further ones are dropped.
const MOST_MESSAGES: usize = 50;
/// Definitions of one model.
const MOST_DEFINITIONS: usize = 2000;

/// Checks a file.
///
/// # Errors
/// The file cannot be read, or what is wrong with it.
pub fn compile(path: &Path, options: &Options) -> Result<Model, Failure> {
    let unreadable = |error| Failure::Unreadable { path: path.display().to_string(), error };
    parallel::deep(|| compile_here(path, options)).map_err(unreadable)?
}

fn compile_here(path: &Path, options: &Options) -> Result<Model, Failure> {
    let unreadable = |error| Failure::Unreadable { path: path.display().to_string(), error };
    let program = Program::load(path, Texts::default()).map_err(unreadable)?;
    let mut model = Model::default();
    let found = check(&program, options, &mut model, None);
    if found.iter().any(|d| d.severity == Severity::Error) {
        return Err(Failure::Wrong { sources: Box::new(program.sources), diagnostics: found });
    }
    model.name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    model.warnings = found;
    model.unused = unused::left_out(&program, &model);
    model.texts = outline::texts(&program);
    model.sources = program.sources.clone();
    model.program = Arc::new(program);
    model.sets = options.sets.clone();
    Ok(model)
}

/// All that is wrong, in order of place. With notes asked for, a file with mistakes is evaluated as far as it goes.
fn check(
    program: &Program,
    options: &Options,
    model: &mut Model,
    notes: Option<&mut Notes>,
) -> Vec<Diagnostic> {
    let mut found = program.diagnostics.clone();
    let endless = too_many(program);
    let bounded = endless.is_none();
    found.extend(endless);
    if found.is_empty() {
        found = static_check::unknown_names(program);
        found.extend(unknown_sets(program, options));
    }
    if found.is_empty() || (bounded && notes.is_some()) {
        let said = lower_all(program, options, model, notes);
        if found.is_empty() {
            found = said;
        }
    }
    if found.is_empty() {
        found = static_check::unused(program);
    }
    if found.is_empty() {
        found = unused::parts(program);
        found.extend(warn::warnings(program, model));
    }
    if found.iter().any(|d| d.severity == Severity::Error) {
        found.sort_by_key(|d| d.span);
        found.truncate(MOST_MESSAGES);
    }
    found
}

/// More definitions than any model has.
fn too_many(program: &Program) -> Option<Diagnostic> {
    let names = &program.spaces[MAIN.0].names;
    let last = names.values().filter(|_| names.len() > MOST_DEFINITIONS).max_by_key(|d| d.order)?;
    let message = format!("a model has at most {MOST_DEFINITIONS} definitions, this has {}", names.len());
    Some(Diagnostic::error(Code::E0214, last.name.span, message))
}

fn unknown_sets(program: &Program, options: &Options) -> Vec<Diagnostic> {
    let is_set = |name: &str| {
        matches!(program.spaces[MAIN.0].names.get(name).map(|d| &d.meaning), Some(Meaning::Set(_)))
    };
    let wrong = options.sets.iter().filter(|(name, _)| !is_set(name));
    let file = program.sources.files().iter().find(|f| !f.library).map_or("", |f| f.name.as_str());
    let errors = wrong.map(|(name, value)| {
        let message = format!("--set {name}={value}: {file} has no parameter `{name}`");
        Diagnostic::everywhere(Code::E0205, message).notes(fields::set_notes(program, name))
    });
    errors.collect()
}

/// A stage or task with all its fields.
enum Piece<'p> {
    Stage(&'p Protocol, &'p [StageField]),
    Task(&'p Protocol, &'p [StageField]),
    /// A call of derived data.
    Derived(derived::Call<'p>),
    /// Every definition by itself, only for what there is to note of it.
    Definitions,
}

/// What comes of a piece, if anything.
enum Lowered {
    Stage(Option<Box<model::Stage>>),
    Task(Option<Box<model::Task>>),
    Derived(Option<Box<derived::Derivation>>),
    Nothing,
}

/// Pieces know nothing of each other, so they are lowered side by side.
fn lower_all(
    program: &Program,
    options: &Options,
    model: &mut Model,
    mut notes: Option<&mut Notes>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let stages: Vec<Vec<StageField>> =
        program.stages.iter().map(|s| program.fields(s, &program.stages)).collect();
    let tasks: Vec<Vec<StageField>> =
        program.tasks.iter().map(|t| program.fields(t, &program.tasks)).collect();
    let both = program.stages.iter().zip(&stages).map(|(protocol, fields)| Piece::Stage(protocol, fields));
    let both = both.chain(program.tasks.iter().zip(&tasks).map(|(p, fields)| Piece::Task(p, fields)));
    let noting = notes.is_some();
    let calls =
        derived::calls(program, stages.iter().chain(&tasks).flatten()).into_iter().map(Piece::Derived);
    let pieces: Vec<Piece<'_>> = both.chain(calls).chain(noting.then_some(Piece::Definitions)).collect();
    let mut derivations = Vec::new();
    let lower = |piece: &Piece<'_>| lower(program, options, &stages, piece, noting);
    for (lowered, diagnostics, noted) in parallel::map(&pieces, lower) {
        if let (Some(notes), Some(noted)) = (&mut notes, noted) {
            notes.add(noted);
        }
        match lowered {
            Lowered::Stage(stage) => model.stages.extend(stage.map(|stage| *stage)),
            Lowered::Task(task) => model.tasks.extend(task.map(|task| *task)),
            Lowered::Derived(derivation) => derivations.extend(derivation.map(|derivation| *derivation)),
            Lowered::Nothing => continue,
        }
        merge(&mut found, diagnostics);
        if found.iter().any(|d| d.code == Code::E0214) {
            return found;
        }
    }
    if found.is_empty() {
        found = starts::differing(program, &stages, model);
        found.extend(derivations.iter().filter_map(|one| derived::unfit(one, &model.tasks)));
    }
    model.conditions = derivations.into_iter().filter_map(derived::Derivation::condition).collect();
    found
}

fn lower<'p>(
    program: &'p Program,
    options: &Options,
    stages: &'p [Vec<StageField>],
    piece: &Piece<'p>,
    noting: bool,
) -> (Lowered, Vec<Diagnostic>, Option<Notes>) {
    let mut lower = Lower::new(program, !matches!(piece, Piece::Task(..) | Piece::Derived(_)));
    lower.noting = noting.then(Box::default);
    let lowered = lower_piece(&mut lower, options, stages, piece);
    let noted = lower.noted();
    (lowered, lower.diagnostics, noted)
}

fn lower_piece<'p>(
    lower: &mut Lower<'p>,
    options: &Options,
    stages: &'p [Vec<StageField>],
    piece: &Piece<'p>,
) -> Lowered {
    let program = lower.program;
    match *piece {
        Piece::Stage(protocol, fields) => {
            lower.options = options.clone();
            let stage = base_known(lower, protocol, &program.stages)
                .and_then(|()| lower.open(protocol, fields, stage::FIELDS, &options.sets, &[]))
                .and_then(|fields| lower.stage(&fields))
                .map(|stage| model::Stage { outline: lower.outline(&stage.graph), ..stage });
            Lowered::Stage(stage.ok().map(Box::new))
        }
        Piece::Task(protocol, fields) => {
            let task = lower_task(lower, protocol, fields, stages, options);
            Lowered::Task(task.ok().map(Box::new))
        }
        Piece::Derived(call) => {
            Lowered::Derived(lower.derivation(call, stages, options).ok().flatten().map(Box::new))
        }
        Piece::Definitions => {
            lower.note_definitions();
            Lowered::Nothing
        }
    }
}

fn base_known<'p>(lower: &mut Lower<'p>, protocol: &'p Protocol, list: &'p [Protocol]) -> state::Eval<()> {
    let Some(base) = &protocol.base else { return Ok(()) };
    if list.iter().any(|p| p.name.text == base.text) {
        return Ok(());
    }
    lower.unknown_stage(&base.text, base.span, list.iter().map(|p| p.name.text.as_str()).collect())
}

fn lower_task<'p>(
    lower: &mut Lower<'p>,
    protocol: &'p Protocol,
    fields: &'p [StageField],
    stages: &'p [Vec<StageField>],
    options: &Options,
) -> state::Eval<model::Task> {
    let program = lower.program;
    base_known(lower, protocol, &program.tasks)?;
    let on = on_stage(program, protocol);
    let Some(on) = on else {
        return lower.fail(
            Code::E0601,
            protocol.name.span,
            format!("task `{}` does not say on which stage", protocol.name.text),
        );
    };
    let Some(index) = program.stages.iter().position(|s| s.name.text == on.text) else {
        return lower.unknown_stage(
            &on.text,
            on.span,
            program.stages.iter().map(|s| s.name.text.as_str()).collect(),
        );
    };
    let opened = lower.open(protocol, fields, task::FIELDS, &options.sets, &stages[index])?;
    lower.task(&opened, &on.text)
}

/// The stage of a task, its own or that of the task it derives from.
fn on_stage<'p>(program: &'p Program, protocol: &'p Protocol) -> Option<&'p chiasm_dsl::tree::Name> {
    let mut current = protocol;
    for _ in 0..=program.tasks.len() {
        if let Some(on) = &current.on {
            return Some(on);
        }
        let base = current.base.as_ref()?;
        current = program.tasks.iter().find(|t| t.name.text == base.text)?;
    }
    None
}

fn merge(found: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for diagnostic in more {
        if !found.iter().any(|d| d.code == diagnostic.code && d.span == diagnostic.span) {
            found.push(diagnostic);
        }
    }
}
