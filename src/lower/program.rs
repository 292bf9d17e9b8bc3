//! Files to one set of definitions: `extend`, `use`, the library, doubled names.
//!
//! Invariant: after loading, every definition is known by one name in one space, later files win over those they extend,
//! and the tree of every file stays as its author wrote it.

use super::scope::SpaceId;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::{FileId, Sources, Span};
use chiasm_dsl::tree::{self, Expr, ExprKind, Field, Form, ItemKind, Name, StageField, Type};
use chiasm_dsl::{library, parse};
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// `set size = 224`
    Set(Expr),
    /// `input image : …`
    Input(Type),
    /// A module, a value, a number, a vocabulary.
    Value(Expr),
    /// `state q : …`
    State {
        /// Its type.
        ty: Type,
        /// Before the first step.
        start: Expr,
        /// After each step.
        then: Option<Expr>,
    },
    /// `loss itc = …`
    Loss(Expr),
    /// `fn f …`
    Fn(tree::Function),
    /// `module M …`
    Module(tree::Module),
    /// `data d = …`
    Data(Expr),
}

/// A definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name, in the file that defines it last.
    pub name: Name,
    /// The whole item.
    pub span: Span,
    /// What it stands for.
    pub meaning: Meaning,
    /// The space whose names it sees.
    pub home: SpaceId,
    /// Whether the user's own file defines it, not one that it extends.
    pub own: bool,
    /// Its place in the order of definitions.
    pub order: usize,
}

/// A stage or task after all edits.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Its name.
    pub name: Name,
    /// The stage of a task.
    pub on: Option<Name>,
    /// What it derives from.
    pub base: Option<Name>,
    /// Its own fields.
    pub fields: Vec<StageField>,
}

/// The names of one file with everything it extends.
#[derive(Debug, Default)]
pub struct Space {
    /// Definitions by name.
    pub names: FxHashMap<String, Definition>,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Program {
    /// All texts.
    pub sources: Sources,
    /// The library first, then the user's file, then files that it uses.
    pub spaces: Vec<Space>,
    /// In file order.
    pub stages: Vec<Protocol>,
    /// In file order.
    pub tasks: Vec<Protocol>,
    /// Weight maps; capital ones belong to modules.
    pub weights: Vec<tree::Weights>,
    /// Modalities besides image, text and fused.
    pub modalities: Vec<String>,
    /// Whether the file extends another one.
    pub extends: bool,
    /// What was wrong so far.
    pub diagnostics: Vec<Diagnostic>,
    count: usize,
    texts: Texts,
}

/// Texts that take the place of files: what an editor holds and has not written yet.
#[derive(Clone, Debug, Default)]
pub struct Texts(HashMap<PathBuf, Arc<str>>);

impl Texts {
    /// Puts a text in the place of a file, which need not be there.
    pub fn insert(&mut self, path: &Path, text: impl Into<Arc<str>>) {
        self.0.insert(known_path(path), text.into());
    }

    /// The text of a file: at most [`LARGEST`] bytes of UTF-8.
    fn read(&self, path: &Path) -> std::io::Result<String> {
        match self.0.get(&known_path(path)) {
            Some(text) if text.len() as u64 <= LARGEST => Ok(text.to_string()),
            Some(_) => Err(too_large()),
            None => read_text(path),
        }
    }
}

fn known_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Bytes of the largest file that is read.
const LARGEST: u64 = 1 << 18;
/// Files that one model may use.
const MOST_FILES: usize = 200;

/// The library's space.
pub const LIBRARY: SpaceId = SpaceId(0);
/// The user's space.
pub const MAIN: SpaceId = SpaceId(1);

/// Names that cannot be defined.
pub fn is_primitive(name: &str) -> bool {
    super::primitive::named(name).is_some()
}

impl Program {
    /// Reads a file with everything it needs; `texts` come before what lies on disk.
    ///
    /// # Errors
    /// The file itself cannot be read.
    pub fn load(path: &Path, texts: Texts) -> std::io::Result<Self> {
        let spaces = vec![Space::default(), Space::default()];
        let mut program = Program { spaces, texts, ..Self::default() };
        for (name, text) in library::FILES {
            let file = program.sources.add(name, text, true);
            program.read(file, LIBRARY, Path::new("std"), &mut Vec::new(), true);
        }
        let text = program.texts.read(path)?;
        let file = program.sources.add(&path.display().to_string(), &text, false);
        program.read(file, MAIN, path, &mut vec![path.to_path_buf()], true);
        Ok(program)
    }

    fn read(&mut self, file: FileId, space: SpaceId, path: &Path, chain: &mut Vec<PathBuf>, own: bool) {
        let text = self.sources.file(file).text.clone();
        let parsed = parse::parse(file, &text);
        self.diagnostics.extend(parsed.diagnostics);
        let mut seen = Seen::default();
        for (position, item) in parsed.tree.items.into_iter().enumerate() {
            // The parser has said that `extend` comes first.
            if position > 0 && matches!(item.kind, ItemKind::Extend(_)) {
                continue;
            }
            self.item(item, space, path, chain, own, &mut seen);
        }
    }

    fn item(
        &mut self,
        item: tree::Item,
        space: SpaceId,
        path: &Path,
        chain: &mut Vec<PathBuf>,
        own: bool,
        seen: &mut Seen,
    ) {
        let span = item.span;
        match item.kind {
            ItemKind::Extend(other) => {
                self.extends |= space == MAIN;
                self.open(&other, span, space, path, chain, false);
            }
            ItemKind::Use(other) => {
                self.spaces.push(Space::default());
                let fresh = SpaceId(self.spaces.len() - 1);
                self.open(&other, span, fresh, path, chain, false);
                self.bring(fresh, space);
            }
            ItemKind::Modality(name) => self.modalities.push(name.text),
            ItemKind::Set(field) => {
                self.define(field.name, Meaning::Set(field.value), span, space, own, seen)
            }
            ItemKind::Input { name, ty } => self.define(name, Meaning::Input(ty), span, space, own, seen),
            ItemKind::Define(field) => {
                self.define(field.name, Meaning::Value(field.value), span, space, own, seen)
            }
            ItemKind::State { name, ty, start, then } => {
                self.define(name, Meaning::State { ty, start, then }, span, space, own, seen);
            }
            ItemKind::Loss(field) => {
                self.define(field.name, Meaning::Loss(field.value), span, space, own, seen)
            }
            ItemKind::Fn(function) => {
                if let Some(name) = function.name.clone() {
                    self.define(name, Meaning::Fn(function), span, space, own, seen);
                }
            }
            ItemKind::Module(module) => {
                self.define(module.name.clone(), Meaning::Module(module), span, space, own, seen);
            }
            ItemKind::Data(field) => {
                self.define(field.name, Meaning::Data(field.value), span, space, own, seen)
            }
            ItemKind::Edit { name, block } => self.edit(name, block, span, space),
            ItemKind::Weights(weights) => self.weigh(weights, own, seen),
            ItemKind::Stage(stage) => {
                let protocol = Protocol { name: stage.name, on: None, base: None, fields: stage.fields };
                self.protocol(protocol, stage.form, true, seen);
            }
            ItemKind::Task(task) => {
                let protocol = Protocol { name: task.name, on: task.on, base: None, fields: task.fields };
                self.protocol(protocol, task.form, false, seen);
            }
        }
    }

    fn open(
        &mut self,
        name: &Name,
        span: Span,
        space: SpaceId,
        from: &Path,
        chain: &mut Vec<PathBuf>,
        own: bool,
    ) {
        let path = from.parent().unwrap_or(Path::new("")).join(&name.text);
        let circle = chain.iter().any(|known| same_file(known, &path));
        if circle || chain.len() > 32 {
            let message = format!("`{}` extends or uses itself", name.text);
            self.diagnostics.push(Diagnostic::error(Code::E0108, span, message));
            return;
        }
        if self.sources.files().len() > MOST_FILES {
            let message = format!("a model uses at most {MOST_FILES} files");
            if !self.diagnostics.iter().any(|d| d.message == message) {
                self.diagnostics.push(Diagnostic::error(Code::E0108, span, message));
            }
            return;
        }
        match self.texts.read(&path) {
            Ok(text) => {
                let file = self.sources.add(&path.display().to_string(), &text, false);
                chain.push(path.clone());
                self.read(file, space, &path, chain, own);
                chain.pop();
            }
            Err(error) => {
                let message = format!("there is no file `{}`", path.display());
                self.diagnostics.push(Diagnostic::error(Code::E0108, span, message).note(error.to_string()));
            }
        }
    }

    /// Modules and functions of a used file become names here; they keep their own surroundings.
    fn bring(&mut self, from: SpaceId, to: SpaceId) {
        let shared = |d: &&Definition| matches!(d.meaning, Meaning::Fn(_) | Meaning::Module(_));
        let names: Vec<Definition> = self.spaces[from.0].names.values().filter(shared).cloned().collect();
        for definition in names {
            self.spaces[to.0].names.insert(definition.name.text.clone(), definition);
        }
    }

    fn define(
        &mut self,
        name: Name,
        meaning: Meaning,
        span: Span,
        home: SpaceId,
        own: bool,
        seen: &mut Seen,
    ) {
        if home != LIBRARY && is_primitive(&name.text) {
            let message = format!("`{}` is a primitive and cannot be redefined", name.text);
            self.diagnostics.push(Diagnostic::error(Code::E0107, name.span, message));
            return;
        }
        if self.twice(&name, &mut seen.names) {
            return;
        }
        let names = &mut self.spaces[home.0].names;
        self.count += 1;
        let order = names.get(&name.text).map_or(self.count, |known| known.order);
        names.insert(name.text.clone(), Definition { name, span, meaning, home, own, order });
    }

    fn twice(&mut self, name: &Name, seen: &mut HashMap<String, Span>) -> bool {
        let Some(first) = seen.insert(name.text.clone(), name.span) else { return false };
        let message = format!("`{}` is defined twice", name.text);
        let note = format!("first at line {}", self.sources.place(first).line);
        self.diagnostics.push(Diagnostic::error(Code::E0106, name.span, message).note_at(first, note));
        seen.insert(name.text.clone(), first);
        true
    }

    fn edit(&mut self, name: Name, block: Vec<Field>, span: Span, space: SpaceId) {
        let known: Vec<String> = self.spaces[space.0].names.keys().cloned().collect();
        let Some(definition) = self.spaces[space.0].names.get_mut(&name.text) else {
            self.unknown(Code::E0201, &name, "nothing is inherited under the name", known);
            return;
        };
        if let Meaning::Value(old) = &definition.meaning {
            let value = Box::new(old.clone());
            definition.meaning = Meaning::Value(Expr { kind: ExprKind::With { value, block }, span });
            definition.own = true;
            definition.name = name;
        } else {
            let message = format!("`{}` is not a module and cannot be edited", name.text);
            self.diagnostics.push(Diagnostic::error(Code::E0410, name.span, message));
        }
    }

    fn weigh(&mut self, weights: tree::Weights, own: bool, seen: &mut Seen) {
        if self.twice(&weights.name, &mut seen.weights) {
            return;
        }
        if !matches!(weights.source, tree::WeightsSource::Edit) {
            self.weights.retain(|known| known.name.text != weights.name.text);
            self.weights.push(weights);
            return;
        }
        let known: Vec<String> = self.weights.iter().map(|w| w.name.text.clone()).collect();
        match self.weights.iter_mut().find(|w| w.name.text == weights.name.text) {
            Some(base) => {
                let newer: Vec<Vec<String>> = weights.rules.iter().map(|r| names_of(&r.path)).collect();
                base.rules.retain(|rule| !newer.iter().any(|path| names_of(&rule.path).starts_with(path)));
                base.rules.extend(weights.rules);
            }
            None => {
                self.unknown(Code::E0204, &weights.name, "no weight map is inherited under the name", known)
            }
        }
        let _ = own;
    }

    fn protocol(&mut self, mut protocol: Protocol, form: Form, stage: bool, seen: &mut Seen) {
        let names = if stage { &mut seen.stages } else { &mut seen.tasks };
        let mut own = std::mem::take(names);
        let doubled = self.twice(&protocol.name, &mut own);
        *(if stage { &mut seen.stages } else { &mut seen.tasks }) = own;
        if doubled {
            return;
        }
        let list = if stage { &mut self.stages } else { &mut self.tasks };
        let known = list.iter_mut().find(|p| p.name.text == protocol.name.text);
        match (form, known) {
            (Form::Edit, Some(base)) => {
                overlay(&mut base.fields, protocol.fields);
                base.name = protocol.name;
            }
            (Form::Edit, None) => {
                let names = list.iter().map(|p| p.name.text.clone()).collect();
                let what = if stage {
                    "no stage is inherited under the name"
                } else {
                    "no task is inherited under the name"
                };
                self.unknown(Code::E0204, &protocol.name, what, names);
            }
            (form, known) => {
                protocol.base = if let Form::Derived(base) = form { Some(base) } else { None };
                match known {
                    Some(old) => *old = protocol,
                    None => list.push(protocol),
                }
            }
        }
    }

    fn unknown(&mut self, code: Code, name: &Name, what: &str, known: Vec<String>) {
        let mut error = Diagnostic::error(code, name.span, format!("{what} `{}`", name.text));
        if let Some(near) = nearest(&name.text, known.iter().map(String::as_str)) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.diagnostics.push(error);
    }

    /// The fields of a stage or task with those it derives from.
    pub fn fields(&self, protocol: &Protocol, list: &[Protocol]) -> Vec<StageField> {
        let mut fields = Vec::new();
        let mut chain = vec![protocol];
        while let Some(base) = chain.last().and_then(|p| p.base.as_ref()) {
            match list.iter().find(|p| p.name.text == base.text) {
                Some(found) if chain.len() <= list.len() => chain.push(found),
                _ => break,
            }
        }
        for one in chain.into_iter().rev() {
            overlay(&mut fields, one.fields.clone());
        }
        fields
    }
}

/// Names of one file, to find doubled ones.
#[derive(Default)]
struct Seen {
    names: HashMap<String, Span>,
    weights: HashMap<String, Span>,
    stages: HashMap<String, Span>,
    tasks: HashMap<String, Span>,
}

fn overlay(fields: &mut Vec<StageField>, newer: Vec<StageField>) {
    for field in newer {
        match fields.iter_mut().find(|old| key(old) == key(&field)) {
            Some(old) => *old = field,
            None => fields.push(field),
        }
    }
}

fn key(field: &StageField) -> (u8, String) {
    match field {
        StageField::Field(field) => (0, field.name.text.clone()),
        StageField::Set(field) => (1, field.name.text.clone()),
        StageField::Rate { path, .. } => (2, path_text(path).unwrap_or_default()),
    }
}

/// `blocks[3].ffn` as text; `None` if it is not a path.
pub fn path_text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Part { value, name } => Some(format!("{}.{}", path_text(value)?, name.text)),
        ExprKind::Index { value, indices } => match indices.as_slice() {
            [tree::Index::At(Expr { kind: ExprKind::Number { value: n, .. }, .. })] => {
                Some(format!("{}[{n}]", path_text(value)?))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The names of a path, without indices: an edited rule replaces those at and below its path.
fn names_of(expr: &Expr) -> Vec<String> {
    match &expr.kind {
        ExprKind::Name(name) => vec![name.clone()],
        ExprKind::Index { value, .. } => names_of(value),
        ExprKind::Part { value, name } => {
            let mut names = names_of(value);
            names.push(name.text.clone());
            names
        }
        _ => Vec::new(),
    }
}

fn wrong(what: String) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
}

fn too_large() -> std::io::Error {
    wrong(format!("larger than {} KiB; no model is", LARGEST / 1024))
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(wrong("not a file".into()));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large());
    }
    String::from_utf8(bytes)
        .map_err(|error| wrong(format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to())))
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
