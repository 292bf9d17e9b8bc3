//! What a stage is made of in the words of its author, for tables and drawings: inputs, modules as they are applied,
//! values, states, slow copies and losses, and what reads what.
//!
//! Functions of the library are folded into the values they make; functions of the file are looked into. What depends on
//! no input, module or state (`range(B)`, a schedule) is left out.

use super::marks::{Mark, MarkKind, Outline, Pass, Read};
use super::names::is_momentum;
use super::object::{Object, Tensor};
use super::program::{MAIN, Meaning};
use super::state::Lower;
use crate::graph::Graph;
use chiasm_dsl::tree::{Arg, Expr, ExprKind, Field, Function};
use std::collections::{BTreeMap, HashMap};

/// Marks that an expression reads, and how.
type Sources = Vec<(usize, Pass)>;

impl<'p> Lower<'p> {
    /// The outline of a stage that has been evaluated, with the outputs of its graph.
    pub fn outline(&mut self, graph: &Graph) -> Outline {
        let named = |prefix: &str| -> Vec<String> {
            let outputs = graph.outputs().iter();
            outputs.filter_map(|(name, _)| Some(name.strip_prefix(prefix)?.to_string())).collect()
        };
        let (losses, next) = (named("loss/"), named("next/"));
        let mut sketch =
            Sketch { lower: self, outline: Outline::default(), known: HashMap::new(), bound: Vec::new() };
        for loss in &losses {
            let mark = sketch.definition(loss);
            if let Some(mark) = mark {
                sketch.outline.marks[mark].kind = MarkKind::Loss;
            }
        }
        next.iter().for_each(|state| sketch.next(state));
        sketch.outline.reads.sort_unstable();
        sketch.outline.reads.dedup_by_key(|read| (read.from, read.to));
        sketch.outline
    }
}

struct Sketch<'l, 'p> {
    lower: &'l mut Lower<'p>,
    outline: Outline,
    /// Definitions that have a mark, or none.
    known: HashMap<String, Option<usize>>,
    /// Parameters and local definitions of the functions we are in.
    bound: Vec<BTreeMap<String, Sources>>,
}

impl<'p> Sketch<'_, 'p> {
    fn mark(&mut self, kind: MarkKind, name: &str, what: &str) -> usize {
        let mark = Mark { kind, name: name.into(), what: what.into(), ..Mark::default() };
        self.outline.marks.push(mark);
        self.outline.marks.len() - 1
    }

    fn reads(&mut self, to: usize, sources: &[(usize, Pass)]) {
        let reads = sources.iter().filter(|(from, _)| *from != to);
        self.outline.reads.extend(reads.map(|(from, how)| Read { to, how: *how, from: *from }));
    }

    fn typed(&mut self, mark: usize, tensor: &Tensor) {
        self.outline.marks[mark].ty = tensor.ty.to_string();
        self.outline.marks[mark].modality = tensor.ty.modality().map(|label| label.to_string());
    }

    /// What a definition means, in whatever copy it was needed; of a slow copy if one is asked for.
    fn object(&self, name: &str, slow: Option<&str>) -> Option<Object<'p>> {
        let found = self.lower.cache.iter().filter(|((world, space, known), _)| {
            *space == MAIN && *known == name && self.lower.worlds[*world].twin.as_deref() == slow
        });
        let first = found.min_by_key(|((world, ..), _)| *world)?;
        first.1.as_ref().ok().cloned()
    }

    /// The mark of a definition of the file.
    fn definition(&mut self, name: &str) -> Option<usize> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        self.known.insert(name.to_string(), None);
        let meaning = &self.lower.program.spaces[MAIN.0].names.get(name)?.meaning;
        let outer = std::mem::take(&mut self.bound);
        let mark = match meaning {
            Meaning::Input(_) | Meaning::State { .. } => {
                self.leaf(name, matches!(meaning, Meaning::Input(_)))
            }
            Meaning::Value(expr) | Meaning::Loss(expr) => self.value(name, expr),
            _ => None,
        };
        self.bound = outer;
        self.known.insert(name.to_string(), mark);
        mark
    }

    fn leaf(&mut self, name: &str, input: bool) -> Option<usize> {
        let Object::Tensor(tensor) = self.object(name, None)? else { return None };
        let mark = self.mark(if input { MarkKind::Input } else { MarkKind::State }, name, "");
        self.typed(mark, &tensor);
        Some(mark)
    }

    /// A value is the module that makes it, or a mark of its own, or just another name.
    fn value(&mut self, name: &str, expr: &'p Expr) -> Option<usize> {
        let tensor = match self.object(name, None)? {
            Object::Tensor(tensor) => tensor,
            Object::Param(param) if !param.dims.is_empty() => return Some(self.parameter(name, &param.dims)),
            _ => return None,
        };
        let first = self.outline.marks.len();
        let sources = self.flow(expr);
        let made = match sources[..] {
            [] => return None,
            [(last, Pass::Flow)] if last >= first && self.is_free(last) => last,
            [(last, Pass::Flow)] if is_alias(expr) => return Some(last),
            _ => {
                let mark = self.mark(MarkKind::Value, name, &top(expr));
                self.reads(mark, &sources);
                mark
            }
        };
        self.typed(made, &tensor);
        self.outline.marks[made].result = (self.outline.marks[made].name != name).then(|| name.to_string());
        Some(made)
    }

    fn parameter(&mut self, name: &str, dims: &[usize]) -> usize {
        let mark = self.mark(MarkKind::Module, name, "Param");
        self.outline.marks[mark].ty = format!("{dims:?}");
        self.outline.marks[mark].module = Some(name.to_string());
        mark
    }

    /// Whether a mark is a module whose result has no name yet.
    fn is_free(&self, mark: usize) -> bool {
        let mark = &self.outline.marks[mark];
        mark.kind == MarkKind::Module && mark.what != "Param" && mark.result.is_none() && mark.ty.is_empty()
    }

    /// What a state becomes.
    fn next(&mut self, name: &str) {
        let names = &self.lower.program.spaces[MAIN.0].names;
        let Some(Meaning::State { then: Some(then), .. }) = names.get(name).map(|d| &d.meaning) else {
            return;
        };
        let Some(state) = self.definition(name) else { return };
        let sources: Sources = self.flow(then).into_iter().map(|(from, _)| (from, Pass::Next)).collect();
        self.reads(state, &sources);
    }

    fn flow(&mut self, expr: &'p Expr) -> Sources {
        let mut sources = match &expr.kind {
            ExprKind::Name(name) => self.name(name),
            ExprKind::Part { value, name } => self.part(value, &name.text),
            ExprKind::Group(inner) | ExprKind::Transpose(inner) => self.flow(inner),
            ExprKind::As { value, .. } | ExprKind::Unary { value, .. } | ExprKind::Index { value, .. } => {
                self.flow(value)
            }
            ExprKind::If { yes, no, .. } => [self.flow(yes), self.flow(no)].concat(),
            ExprKind::Binary { left, right, .. } => [self.flow(left), self.flow(right)].concat(),
            ExprKind::Pipe { from, step } => {
                let given = [self.flow(from), self.args(step.args.as_deref().unwrap_or(&[]))].concat();
                self.apply(&step.path, given)
            }
            ExprKind::Call { callee, args } => {
                let given = self.args(args);
                self.apply(callee, given)
            }
            ExprKind::With { value, block } => [self.flow(value), self.instead(block)].concat(),
            ExprKind::List(list) => self.args(list),
            _ => Vec::new(),
        };
        sources.sort_unstable();
        sources.dedup_by_key(|(mark, _)| *mark);
        sources
    }

    fn args(&mut self, args: &'p [Arg]) -> Sources {
        args.iter().flat_map(|arg| self.flow(&arg.value)).collect()
    }

    fn instead(&mut self, block: &'p [Field]) -> Sources {
        let sources = block.iter().flat_map(|field| self.flow(&field.value));
        sources.map(|(mark, _)| (mark, Pass::Instead)).collect()
    }

    fn name(&mut self, name: &str) -> Sources {
        if let Some(bound) = self.bound.iter().rev().find_map(|layer| layer.get(name)) {
            return bound.clone();
        }
        match self.definition(name) {
            Some(mark) => vec![(mark, Pass::Flow)],
            None => self.module(name, name, Vec::new()).into_iter().collect(),
        }
    }

    /// `slow.x`, or a part of a tensor or module.
    fn part(&mut self, value: &'p Expr, part: &str) -> Sources {
        match &value.kind {
            ExprKind::Name(slow) if is_momentum(self.lower.program, MAIN, slow) => {
                self.twin(slow, part).into_iter().map(|mark| (mark, Pass::Flow)).collect()
            }
            _ => self.flow(value),
        }
    }

    /// A value as a slow copy computes it; it reads the inputs that the value depends on.
    fn twin(&mut self, slow: &str, name: &str) -> Option<usize> {
        let key = format!("{slow}.{name}");
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let Object::Tensor(tensor) = self.object(name, Some(slow))? else { return None };
        let reached = self.lower.reach.of(self.lower.program, MAIN, name);
        let mut inputs = Vec::new();
        for name in reached.iter() {
            if self.is_input(name) {
                inputs.extend(self.definition(name));
            }
        }
        let mark = self.mark(MarkKind::Twin, &key, "");
        self.typed(mark, &tensor);
        self.reads(mark, &inputs.into_iter().map(|input| (input, Pass::Flow)).collect::<Vec<_>>());
        self.known.insert(key, Some(mark));
        Some(mark)
    }

    fn is_input(&self, name: &str) -> bool {
        let names = &self.lower.program.spaces[MAIN.0].names;
        matches!(names.get(name).map(|d| &d.meaning), Some(Meaning::Input(_)))
    }

    /// A call: a module is a mark of its own, a function of the file is looked into, others are folded.
    fn apply(&mut self, callee: &'p Expr, given: Sources) -> Sources {
        let Some(root) = root(callee) else { return given };
        let path = self.lower.program.sources.text(callee.span).to_string();
        if let Some(made) = self.module(root, &path, given.clone()) {
            return vec![made];
        }
        match self.lower.program.spaces[MAIN.0].names.get(root).map(|d| &d.meaning) {
            Some(Meaning::Fn(function)) if self.bound.len() < 8 => self.inside(function, given),
            _ => given,
        }
    }

    fn module(&mut self, root: &str, path: &str, given: Sources) -> Option<(usize, Pass)> {
        let what = constructor(&self.object(root, None)?)?;
        let mark = self.mark(MarkKind::Module, path, &what);
        self.outline.marks[mark].module = Some(root.to_string());
        self.reads(mark, &given);
        Some((mark, Pass::Flow))
    }

    /// What the result of a function of the file reads. All that was given counts for each parameter.
    fn inside(&mut self, function: &'p Function, given: Sources) -> Sources {
        let layer = function.params.iter().map(|param| (param.name.text.clone(), given.clone())).collect();
        self.bound.push(layer);
        for local in &function.locals {
            let sources = self.flow(&local.value);
            if let Some(layer) = self.bound.last_mut() {
                layer.insert(local.name.text.clone(), sources);
            }
        }
        let sources = self.flow(&function.value);
        self.bound.pop();
        sources
    }
}

/// `BertLayer`, `6 x BertLayer`; `None` for what is not a module.
fn constructor(object: &Object) -> Option<String> {
    match object {
        Object::Module(instance) => Some(instance.constructor.to_string()),
        Object::Twin(inner, _) => constructor(inner),
        Object::Momentum(_, Some(inner)) => constructor(inner),
        Object::List(items) => {
            let first = constructor(items.first()?)?;
            let alike = items.iter().all(|item| constructor(item).as_ref() == Some(&first));
            Some(format!("{} x {}", items.len(), if alike { first.as_str() } else { "modules" }))
        }
        _ => None,
    }
}

/// The name in front of a path.
fn root(path: &Expr) -> Option<&str> {
    match &path.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Part { value, .. } | ExprKind::Index { value, .. } => root(value),
        ExprKind::Group(inner) => root(inner),
        _ => None,
    }
}

/// Whether an expression only takes a part of another value.
fn is_alias(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(_) => true,
        ExprKind::Group(value) | ExprKind::Transpose(value) => is_alias(value),
        ExprKind::Part { value, .. } | ExprKind::Index { value, .. } | ExprKind::As { value, .. } => {
            is_alias(value)
        }
        _ => false,
    }
}

/// What makes a value: the function that is called last.
fn top(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Call { callee, .. } => root(callee).unwrap_or_default().to_string(),
        ExprKind::Pipe { step, .. } => root(&step.path).unwrap_or_default().to_string(),
        ExprKind::With { value, .. } => format!("{} with ...", top(value)),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Group(value) | ExprKind::Transpose(value) | ExprKind::Unary { value, .. } => top(value),
        ExprKind::Index { value, .. } | ExprKind::Part { value, .. } => top(value),
        ExprKind::Binary { left, .. } => top(left),
        _ => String::new(),
    }
}

/// One line for each definition and each field of a stage or task, by name, for comparisons.
pub fn texts(program: &super::program::Program) -> BTreeMap<String, String> {
    let text = |span| one_line(program.sources.text(span));
    let own = program.spaces[MAIN.0].names.iter().filter(|(_, d)| d.home == MAIN);
    let mut all: BTreeMap<String, String> = own.map(|(name, d)| (name.clone(), text(d.span))).collect();
    for (word, list) in [("stage", &program.stages), ("task", &program.tasks)] {
        for protocol in list {
            for field in program.fields(protocol, list) {
                let (name, value) = field_text(&field);
                let value = text(value.span);
                all.insert(format!("{word} {}: {}", protocol.name.text, name), value);
            }
        }
    }
    all
}

fn field_text(field: &chiasm_dsl::tree::StageField) -> (String, &Expr) {
    use chiasm_dsl::tree::StageField;
    match field {
        StageField::Field(field) => (field.name.text.clone(), &field.value),
        StageField::Set(field) => (format!("set {}", field.name.text), &field.value),
        StageField::Rate { path, value } => {
            (format!("rate {}", super::program::path_text(path).unwrap_or_default()), value)
        }
    }
}

/// Without comments, and with one space for every stretch of white space.
fn one_line(text: &str) -> String {
    let lexed = chiasm_dsl::token::read(chiasm_dsl::span::FileId(0), text);
    let mut bare = String::new();
    let mut from = 0;
    for comment in &lexed.comments {
        bare += &text[from..comment.span.start as usize];
        from = comment.span.end as usize;
    }
    bare += &text[from..];
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}
