//! What one evaluation keeps: the graph it grows, the worlds it moves in, the calls it is inside of.
//!
//! One [`Lower`] evaluates one stage or task. Invariants: equal nodes are one node; a definition is evaluated once per
//! world; an error is reported where it happens and stops only what needs its value.

use super::instance::{Capitals, Instance};
use super::names::Reach;
use super::noting::Noting;
use super::object::{Object, Param, Tensor};
use super::primitive::{Move, Still};
use super::program::Program;
use super::scope::SpaceId;
use super::types::Type;
use crate::graph::{Graph, Known, Origin};
use crate::op::{Op, Twin, Value};
use crate::recipe::Schedule;
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Evaluation stopped; the reason has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// The result of evaluating.
pub type Eval<T> = Result<T, Stopped>;

/// An environment of replacements (4.6) and a slow copy (4.7).
#[derive(Clone, Debug, Default)]
pub struct World<'p> {
    /// Replaced definitions of the file: what makes two replacements equal, and the value.
    pub replaced: BTreeMap<String, (String, Object<'p>)>,
    /// The slow copy whose parameters are read.
    pub twin: Option<Arc<str>>,
}

impl World<'_> {
    /// Whether both replace the same by the same, and read the same parameters.
    fn is(&self, other: &World<'_>) -> bool {
        fn keys<'w>(world: &'w World<'_>) -> impl Iterator<Item = (&'w String, &'w String)> {
            world.replaced.iter().map(|(name, (key, _))| (name, key))
        }
        self.twin == other.twin && keys(self).eq(keys(other))
    }
}

/// What a call or definition adds to the path of draws.
#[derive(Clone, Debug)]
pub enum PathStep {
    /// A definition or module.
    Name(Arc<str>),
    /// A function, and how far behind the start of the caller's text it is called.
    Call(Arc<str>, u32),
}

impl std::fmt::Display for PathStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Call(name, at) => write!(f, "{name}@{at}"),
        }
    }
}

/// A call or definition that evaluation is inside of.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The constructor or function, for messages; `None` for a definition.
    pub what: Option<Arc<str>>,
    /// Part of the path of draws.
    pub step: PathStep,
    /// Where it was called.
    pub span: Span,
    /// Start of the text in which places are counted.
    pub body: Span,
}

/// Expressions inside each other, through definitions and calls.
pub const DEEPEST: usize = 4000;
/// Expressions that one stage or task may evaluate: the largest shipped model needs a tenth of it.
const MOST_WORK: usize = 400_000;
/// Nodes of one graph.
const MOST_NODES: usize = 100_000;
/// Elements of one value, batch symbols not counted.
const MOST_ELEMENTS: u128 = 1 << 40;

/// Evaluation of one stage or task.
pub struct Lower<'p> {
    /// All definitions.
    pub program: &'p Program,
    /// The graph that grows.
    pub graph: Graph,
    /// Values of `set`s.
    pub sets: BTreeMap<String, Object<'p>>,
    /// Known worlds; the first changes nothing.
    pub worlds: Vec<World<'p>>,
    /// The world that evaluation is in.
    pub world: usize,
    /// Values of definitions by world.
    pub cache: FxHashMap<(usize, SpaceId, &'p str), Eval<Object<'p>>>,
    /// Definitions being evaluated.
    pub active: Vec<(usize, SpaceId, &'p str)>,
    /// Parts being made: their modules and names.
    pub building: Vec<(*const Instance<'p>, &'p str)>,
    /// How much of a world a definition sees: the number of the smaller world.
    pub seen: FxHashMap<(usize, &'p str), usize>,
    /// Capitals that the text of a module mentions, by the place of its name.
    pub wanted: FxHashMap<Span, Capitals>,
    /// Calls being evaluated.
    pub frames: Vec<Frame>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Parameters that were read, by path.
    pub params: BTreeMap<String, Rc<Param>>,
    /// Rates of slow copies, by name.
    pub rates: BTreeMap<String, Schedule>,
    /// States that were read, by name.
    pub states: BTreeMap<String, Tensor>,
    /// States of modules that were read, by path.
    pub owned: BTreeMap<String, Rc<Param>>,
    /// How states of modules move, in order.
    pub moves: Vec<Move>,
    /// What `freeze` and `train` say of states of modules.
    pub still: Still,
    /// Inputs that were read, by name.
    pub inputs: BTreeMap<String, (Tensor, Option<String>)>,
    /// Tables over vocabularies that were read: where words begin, by the name of their input.
    pub tables: BTreeMap<String, (Tensor, Rc<super::model::Vocabulary>)>,
    /// The state whose start is being evaluated: its name and type.
    pub starting: Option<(String, Type)>,
    /// `layer_decay` and the list it goes over.
    pub layer_decay: Option<(f64, Vec<Object<'p>>)>,
    /// Paths in `freeze` and `train` that lead to no parameter here.
    pub idle: Vec<(String, Span)>,
    /// Rate factors of parameters by `layer_decay`.
    pub factors: BTreeMap<String, f64>,
    /// Expressions around the one being evaluated.
    pub depth: usize,
    /// Expressions evaluated so far.
    pub work: usize,
    /// First arguments of modules that were applied, by path.
    pub entered: FxHashMap<Arc<str>, Vec<Value>>,
    /// Names of owners of padding, for messages.
    pub owners: FxHashMap<Value, String>,
    /// Whether dropout drops.
    pub training: bool,
    /// What the caller said.
    pub options: super::Options,
    /// Reachability by text.
    pub reach: Reach,
    /// The innermost path that owns what is computed.
    pub at: Vec<Arc<str>>,
    /// Elements of all lists that were written with `for`.
    pub repeated: usize,
    /// What editors want to know of places; `None` where nobody asks.
    pub noting: Option<Box<Noting<'p>>>,
    known: Known,
    slow: Vec<bool>,
    /// Parameters as they were read, by their address and the world; keeping them keeps their addresses theirs.
    read: FxHashMap<(*const Param, usize), (Rc<Param>, Tensor)>,
}

impl<'p> Lower<'p> {
    /// A fresh evaluation.
    pub fn new(program: &'p Program, training: bool) -> Self {
        Self {
            program,
            graph: Graph::default(),
            sets: BTreeMap::new(),
            worlds: vec![World::default()],
            world: 0,
            cache: FxHashMap::default(),
            active: Vec::new(),
            building: Vec::new(),
            seen: FxHashMap::default(),
            wanted: FxHashMap::default(),
            frames: Vec::new(),
            diagnostics: Vec::new(),
            params: BTreeMap::new(),
            rates: BTreeMap::new(),
            states: BTreeMap::new(),
            owned: BTreeMap::new(),
            moves: Vec::new(),
            still: Still::default(),
            inputs: BTreeMap::new(),
            tables: BTreeMap::new(),
            starting: None,
            depth: 0,
            work: 0,
            layer_decay: None,
            idle: Vec::new(),
            factors: BTreeMap::new(),
            entered: FxHashMap::default(),
            owners: FxHashMap::default(),
            training,
            options: super::Options::default(),
            reach: Reach::default(),
            at: Vec::new(),
            repeated: 0,
            noting: None,
            known: Known::default(),
            slow: Vec::new(),
            read: FxHashMap::default(),
        }
    }

    /// Counts one more expression inside of those around it; hostile files end here.
    pub fn descend<T>(&mut self, at: Span, work: impl FnOnce(&mut Self) -> Eval<T>) -> Eval<T> {
        self.work += 1;
        if self.depth >= DEEPEST || self.work > MOST_WORK {
            let message = if self.depth >= DEEPEST {
                "definitions and calls are nested without end"
            } else {
                "this takes too many evaluations"
            };
            return self.fail(Code::E0214, at, message);
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    /// Refuses a value that no machine holds.
    fn affordable(&mut self, ty: &Type) -> Eval<()> {
        let at = self.frames.last().map_or(Span::default(), |f| f.span);
        if self.graph.len() >= MOST_NODES {
            return self.fail(Code::E0214, at, "this takes too many operations");
        }
        let many =
            |product: u128, axis: &super::types::Axis| product.saturating_mul(axis.size.largest() as u128);
        if ty.axes.iter().fold(1, many) <= MOST_ELEMENTS {
            return Ok(());
        }
        self.fail(Code::E0316, at, format!("{ty} is too large: at most 2^40 elements"))
    }

    /// Adds a node, or finds the equal one.
    pub fn emit(&mut self, op: impl Into<Op>, operands: &[Value], ty: Type) -> Eval<Tensor> {
        let op = op.into();
        if let Some(node) = self.known.find(&self.graph, &op, operands) {
            return Ok(Tensor { node, ty: Rc::new(ty) });
        }
        self.affordable(&ty)?;
        let slow = matches!(op, Op::Twin(_)) || operands.iter().any(|v| self.slow[v.0 as usize]);
        let origin = self.origin(&ty);
        match self.graph.add(op, operands, &origin) {
            Ok(node) => {
                self.slow.push(slow);
                self.known.add(&self.graph.node(node).op, operands, node);
                Ok(Tensor { node, ty: Rc::new(ty) })
            }
            Err(misfit) => {
                let at = self.frames.last().map_or(Span::default(), |f| f.span);
                self.fail(Code::E0314, at, format!("this does not fit: {}", misfit.message))
            }
        }
    }

    fn origin(&self, ty: &Type) -> Origin {
        let path = self.at.last().cloned().unwrap_or_default();
        let place = self.frames.iter().rev().map(|f| f.span).find(|s| !self.in_library(*s));
        Origin { path, place, modality: ty.modality() }
    }

    /// Whether a value depends on a slow copy's parameter.
    pub fn is_slow(&self, value: Value) -> bool {
        self.slow[value.0 as usize]
    }

    /// The node of a parameter in this world: itself, or its twin.
    pub fn read(&mut self, param: &Rc<Param>) -> Eval<Tensor> {
        let key = (Rc::as_ptr(param), self.world);
        if let Some((_, known)) = self.read.get(&key) {
            return Ok(known.clone());
        }
        let read = self.emit_param(param)?;
        self.read.insert(key, (param.clone(), read.clone()));
        Ok(read)
    }

    fn emit_param(&mut self, param: &Rc<Param>) -> Eval<Tensor> {
        let ty = Type::float(param.dims.iter().map(|d| Size::from(*d)));
        let (path, shape) = (param.path.clone(), ty.shape());
        if param.state {
            let read = self.emit(crate::op::State { name: path.clone(), shape }, &[], ty)?;
            self.states.insert(path.clone(), read.clone());
            self.owned.insert(path, param.clone());
            return Ok(read);
        }
        self.params.entry(path.clone()).or_insert_with(|| param.clone());
        match self.worlds[self.world].twin.clone() {
            None => self.emit(crate::op::Parameter { path, shape }, &[], ty),
            Some(slow) => self.emit(Twin { path: format!("{slow}/{path}"), of: path, shape }, &[], ty),
        }
    }

    /// Whether a place lies in the library.
    pub fn in_library(&self, span: Span) -> bool {
        self.program.sources.file(span.file).library
    }

    /// Reports an error and stops.
    ///
    /// # Errors
    /// Always.
    pub fn fail<T>(&mut self, code: Code, at: Span, message: impl Into<String>) -> Eval<T> {
        self.report(Diagnostic::error(code, at, message))
    }

    /// Reports a diagnostic and stops. If it lies in the library, it is moved to the user's call, with the chain.
    ///
    /// # Errors
    /// Always.
    pub fn report<T>(&mut self, mut diagnostic: Diagnostic) -> Eval<T> {
        if let Some(at) = diagnostic.span.filter(|at| self.in_library(*at)) {
            let (place, chain) = self.user_call();
            let line = self.program.sources.line(at.file, self.program.sources.place(at).line).trim();
            let inside = chain.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", in ");
            let note = format!("inside {inside}, at {}: {line}", self.program.sources.at(at));
            diagnostic.span = place.or(diagnostic.span);
            diagnostic = diagnostic.note_at(at, note);
        }
        let same = |d: &Diagnostic| d.code == diagnostic.code && d.span == diagnostic.span;
        if !self.diagnostics.iter().any(same) {
            self.diagnostics.push(diagnostic);
        }
        Err(Stopped)
    }

    /// The innermost call in the user's file, and the names of what is between it and here.
    fn user_call(&self) -> (Option<Span>, Vec<Arc<str>>) {
        let mut chain = Vec::new();
        for frame in self.frames.iter().rev() {
            chain.extend(frame.what.clone());
            if !self.in_library(frame.span) {
                return (Some(frame.span), chain);
            }
        }
        (None, chain)
    }

    /// The path of a draw at a place in the text: definition, calls, place, replaced names (4.10).
    pub fn draw_path(&self, at: Span) -> String {
        let first = self.frames.iter().rposition(|f| f.what.is_none()).unwrap_or(0);
        let mut path: Vec<String> = self.frames[first..].iter().map(|f| f.step.to_string()).collect();
        let start = self.frames.last().map_or(0, |f| f.body.start);
        path.push(at.start.saturating_sub(start).to_string());
        let replaced =
            self.worlds[self.world].replaced.iter().map(|(name, (key, _))| format!("{name}={key}"));
        let replaced: Vec<String> = replaced.collect();
        if replaced.is_empty() {
            path.join("/")
        } else {
            format!("{} with {}", path.join("/"), replaced.join(", "))
        }
    }

    /// The number of a world, found again if it is known.
    pub fn enter(&mut self, world: World<'p>) -> usize {
        let known = self.worlds.iter().position(|known| known.is(&world));
        known.unwrap_or_else(|| {
            self.worlds.push(world);
            self.worlds.len() - 1
        })
    }

    /// Evaluates something in another world.
    pub fn within<T>(&mut self, world: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.world, world);
        let result = work(self);
        self.world = outer;
        result
    }

    /// Evaluates something inside a call.
    pub fn inside<T>(&mut self, frame: Frame, work: impl FnOnce(&mut Self) -> T) -> T {
        self.frames.push(frame);
        let result = work(self);
        self.frames.pop();
        result
    }

    /// Evaluates something that a path owns.
    pub fn owned<T>(&mut self, path: impl Into<Arc<str>>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(path.into());
        let result = work(self);
        self.at.pop();
        result
    }
}
