//! A text to everything that an editor asks of it: messages, and [`Notes`] of each place.
//!
//! Texts that an editor holds come before what lies on disk. Unlike [`compile`](super::compile), a text with mistakes is
//! evaluated as far as it goes. Invariant: the messages are those of `compile`.
//!
//! ```
//! use chiasm::lower::analysis::{Texts, analyse};
//! let mut texts = Texts::default();
//! let path = std::path::Path::new("mine.chi");
//! texts.insert(path, "set width = 4\nx = Linear(widht)\n");
//! let analysis = analyse(path, texts)?;
//! assert_eq!(analysis.diagnostics[0].message, "unknown name `widht`");
//! # Ok::<(), std::io::Error>(())
//! ```

use super::names::{Free, is_capital, mentions};
use super::notes::{Declared, Kind, Notes, Parameter};
use super::noting::{param_span, parameters};
pub use super::primitive::{NAMES as PRIMITIVES, WORDS};
pub use super::program::Texts;
use super::program::{Definition, LIBRARY, MAIN, Meaning, Program, Protocol};
use super::scope::SpaceId;
pub use super::stage::FIELDS as STAGE_FIELDS;
use super::static_check::{OTHER_NAMES, elements};
pub use super::task::FIELDS as TASK_FIELDS;
use super::{Model, Options};
use crate::parallel;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::parse::parse;
use chiasm_dsl::span::{FileId, Sources, Span};
use chiasm_dsl::tree::{Expr, ExprKind, Function, Module, ModuleBody, Name, Part, StageField, WeightsSource};
use std::path::Path;
use std::sync::Arc;

/// What is known of a file.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// All texts; the first that is not of the library is the file itself.
    pub sources: Sources,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// What places mean.
    pub notes: Notes,
    /// Whether the file itself could be read without a mistake of grammar.
    pub readable: bool,
    /// Names that the whole file sees, those of the library behind its own, with the places where they are declared.
    pub names: Vec<(String, Span)>,
    /// Modalities besides image, text and fused.
    pub modalities: Vec<String>,
}

impl Analysis {
    /// The file itself.
    pub fn main(&self) -> FileId {
        let own = self.sources.files().iter().position(|file| !file.library);
        FileId(own.unwrap_or(0) as u32)
    }
}

/// Checks a file and notes what its places mean.
///
/// # Errors
/// The file cannot be read.
pub fn analyse(path: &Path, texts: Texts) -> std::io::Result<Analysis> {
    parallel::deep(|| analyse_here(path, texts))?
}

fn analyse_here(path: &Path, texts: Texts) -> std::io::Result<Analysis> {
    let program = Program::load(path, texts)?;
    let mut notes = Notes::default();
    let diagnostics = super::check(&program, &Options::default(), &mut Model::default(), Some(&mut notes));
    Declare { program: &program, notes: &mut notes }.all();
    let own = program.sources.files().iter().find(|file| !file.library);
    let readable = own.is_none_or(|file| parse(FileId(0), &file.text).diagnostics.is_empty());
    Ok(Analysis {
        diagnostics,
        readable,
        names: names(&program),
        modalities: program.modalities.clone(),
        sources: program.sources,
        notes,
    })
}

fn names(program: &Program) -> Vec<(String, Span)> {
    let own = &program.spaces[MAIN.0].names;
    let library = program.spaces[LIBRARY.0].names.values().filter(|d| !own.contains_key(&d.name.text));
    let mut own: Vec<&Definition> = own.values().collect();
    own.sort_by_key(|d| d.order);
    let mut library: Vec<&Definition> = library.collect();
    library.sort_by_key(|d| d.order);
    let named = own.into_iter().chain(library).map(|d| (d.name.text.clone(), d.name.span));
    let protocols = program.stages.iter().chain(&program.tasks).map(|p| &p.name);
    // A map with a capital name belongs to the module of that name.
    let maps = program.weights.iter().map(|w| &w.name).filter(|name| !is_capital(&name.text));
    let others = protocols.chain(maps);
    named.chain(others.map(|name| (name.text.clone(), name.span))).collect()
}

/// Finds what is declared, and what mentions it, by the text alone: also where nothing is evaluated.
struct Declare<'a> {
    program: &'a Program,
    notes: &'a mut Notes,
}

impl Declare<'_> {
    fn all(&mut self) {
        let program = self.program;
        for (index, space) in program.spaces.iter().enumerate() {
            for definition in space.names.values().filter(|d| d.home == SpaceId(index)) {
                self.definition(definition);
            }
        }
        for (list, kind) in [(&program.stages, Kind::Stage), (&program.tasks, Kind::Task)] {
            for protocol in list {
                self.declare(&protocol.name, kind, protocol.name.span, None, None);
                self.protocol(protocol, list);
            }
        }
        for weights in &program.weights {
            self.declare(&weights.name, Kind::Weights, weights.name.span, None, None);
            if let WeightsSource::Stage(stage) = &weights.source {
                self.other(&stage.text, stage.span);
            }
            weights.rules.iter().for_each(|rule| self.free(Free::of(&rule.path), MAIN));
        }
        self.bound();
    }

    fn definition(&mut self, definition: &Definition) {
        let (name, whole) = (&definition.name, definition.span);
        let (kind, value) = match &definition.meaning {
            Meaning::Set(e) => (Kind::Set, Some(e)),
            Meaning::Input(_) => (Kind::Input, None),
            Meaning::Value(e) => (Kind::Value, Some(e)),
            Meaning::State { .. } => (Kind::State, None),
            Meaning::Loss(e) => (Kind::Loss, Some(e)),
            Meaning::Data(e) => (Kind::Data, Some(e)),
            Meaning::Fn(function) => return self.named_function(definition, function),
            Meaning::Module(module) => return self.module(definition, module),
        };
        self.declare(name, kind, whole, value, None);
        let free = match &definition.meaning {
            Meaning::Data(expr) => Free::of_data(expr),
            _ => mentions(definition),
        };
        self.free(free, definition.home);
    }

    fn named_function(&mut self, definition: &Definition, function: &Function) {
        let takes = parameters(&self.program.sources, &function.params);
        self.declare(&definition.name, Kind::Function, head(definition, function), None, Some(takes));
        self.function(function);
        self.free(mentions(definition), definition.home);
    }

    fn function(&mut self, function: &Function) {
        for param in &function.params {
            self.declare(&param.name, Kind::Parameter, param_span(param), None, None);
        }
        for local in &function.locals {
            let whole = local.name.span.to(local.value.span);
            self.declare(&local.name, Kind::Local, whole, Some(&local.value), None);
        }
    }

    fn module(&mut self, definition: &Definition, module: &Module) {
        let takes = parameters(&self.program.sources, &module.params);
        let end = module.params.last().map_or(module.name.span, param_span);
        let head = Span { end: end.end, ..definition.span };
        self.declare(&definition.name, Kind::Module, head, None, Some(takes));
        for param in &module.params {
            self.declare(&param.name, Kind::Parameter, param_span(param), None, None);
        }
        if let ModuleBody::Parts(parts) = &module.body {
            parts.iter().for_each(|part| self.part(part));
        }
        self.free(mentions(definition), definition.home);
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Field(field) => {
                let whole = field.name.span.to(field.value.span);
                self.declare(&field.name, Kind::Part, whole, Some(&field.value), None);
            }
            Part::Fn(function) => {
                if let Some(name) = &function.name {
                    let takes = parameters(&self.program.sources, &function.params);
                    self.declare(name, Kind::Function, function.span, None, Some(takes));
                }
                self.function(function);
            }
            Part::Require(_) => {}
        }
    }

    fn declare(
        &mut self,
        name: &Name,
        kind: Kind,
        shown: Span,
        value: Option<&Expr>,
        takes: Option<Arc<[Parameter]>>,
    ) {
        let declared = Declared { kind, shown, value: value.map(|e| e.span), takes };
        self.notes.declared.insert(name.span, declared);
    }

    fn protocol(&mut self, protocol: &Protocol, list: &[Protocol]) {
        if let Some(on) = &protocol.on {
            self.refer(
                on.span,
                self.program.stages.iter().find(|s| s.name.text == on.text).map(|s| s.name.span),
            );
        }
        if let Some(base) = &protocol.base {
            self.refer(base.span, list.iter().find(|p| p.name.text == base.text).map(|p| p.name.span));
        }
        for field in &protocol.fields {
            match field {
                StageField::Field(f) if OTHER_NAMES.contains(&f.name.text.as_str()) => self.others(&f.value),
                StageField::Field(f) if f.name.text == "data" => self.free(Free::of_data(&f.value), MAIN),
                StageField::Field(f) => self.free(Free::of(&f.value), MAIN),
                StageField::Set(f) => {
                    self.refer(f.name.span, self.found(&f.name.text, MAIN));
                    self.free(Free::of(&f.value), MAIN);
                }
                StageField::Rate { path, .. } => self.free(Free::of(path), MAIN),
            }
        }
    }

    /// Names of stages, tasks and weight maps.
    fn others(&mut self, expr: &Expr) {
        for one in elements(expr) {
            if let ExprKind::Name(name) = &one.kind {
                self.other(name, one.span);
            }
        }
    }

    fn other(&mut self, name: &str, at: Span) {
        let protocols = self.program.stages.iter().chain(&self.program.tasks).map(|p| &p.name);
        let mut all = protocols.chain(self.program.weights.iter().map(|w| &w.name));
        let found = all.find(|known| known.text == name).map(|known| known.span);
        self.refer(at, found);
    }

    fn refer(&mut self, at: Span, declared: Option<Span>) {
        self.notes.mentions.extend(declared.map(|declared| (at, declared)));
    }

    fn found(&self, name: &str, home: SpaceId) -> Option<Span> {
        let spaces = &self.program.spaces;
        let found = spaces[home.0].names.get(name).or_else(|| spaces[LIBRARY.0].names.get(name));
        found.map(|definition| definition.name.span)
    }

    fn free(&mut self, free: Free, home: SpaceId) {
        for name in &free.found {
            self.refer(name.span, self.found(&name.text, home));
        }
        self.notes.mentions.extend(free.local);
        self.notes.scopes.extend(free.scopes);
    }

    /// Bound names that are no definition: capitals of signatures, variables of lists.
    fn bound(&mut self) {
        let names: Vec<Span> =
            self.notes.scopes.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for name in names {
            let capital = is_capital(self.program.sources.text(name));
            let kind = if capital { Kind::Size } else { Kind::Local };
            let declared = Declared { kind, shown: name, value: None, takes: None };
            self.notes.declared.entry(name).or_insert(declared);
        }
    }
}

/// From `fn` to the type of the result, or to the last parameter.
fn head(definition: &Definition, function: &Function) -> Span {
    let params = function.params.last().map_or(definition.name.span, param_span);
    let end = function.result.as_ref().map_or(params, |ty| ty.span);
    Span { end: end.end, ..definition.span }
}
