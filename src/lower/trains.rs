//! What moves in a stage: frozen and trained parts, rates by path and by layer, and whether a batch may be cut.

use super::fields::Fields;
use super::instance::Instance;
use super::object::{Object, Tensor};
use super::program::{MAIN, Meaning, path_text};
use super::scope::Env;
use super::state::{Eval, Lower};
use super::static_check::elements;
use crate::op::{Op, Value};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Expr, StageField};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

impl<'p> Lower<'p> {
    /// The paths in `freeze` or `train`, with their places.
    pub fn paths(&self, fields: &Fields<'p>, name: &str) -> Vec<(String, Span)> {
        let exprs = fields.get(name).map(elements).unwrap_or_default();
        exprs.into_iter().filter_map(|e| Some((path_text(e)?, e.span))).collect()
    }

    /// Paths of the parameters that do not move.
    pub fn frozen(&mut self, fields: &Fields<'p>) -> Eval<BTreeSet<String>> {
        let frozen = self.listed(fields, "freeze")?.unwrap_or_default();
        let trained = self.listed(fields, "train")?;
        let all = self.params.keys().cloned();
        Ok(match trained {
            None => frozen,
            Some(trained) => all.filter(|p| !trained.contains(p)).chain(frozen).collect(),
        })
    }

    /// The parameters that `freeze` or `train` names.
    fn listed(&mut self, fields: &Fields<'p>, name: &str) -> Eval<Option<BTreeSet<String>>> {
        let Some(expr) = fields.get(name) else { return Ok(None) };
        let mut paths = BTreeSet::new();
        for one in elements(expr) {
            match path_text(one).as_deref() {
                Some("all") => paths.extend(self.params.keys().cloned()),
                Some("none") => {}
                Some(path) => {
                    let found = self.parameters_at(one, path);
                    if found.is_empty() {
                        self.may_be_absent(path, one.span)?;
                    }
                    paths.extend(found);
                }
                None => {
                    let message = "a module, a parameter or a state is named here by its path";
                    return self.fail(Code::E0607, one.span, message);
                }
            }
        }
        Ok(Some(paths))
    }

    /// A path without parameters here: a state, or a module or parameter that this stage does not reach.
    fn may_be_absent(&mut self, path: &str, at: Span) -> Eval<()> {
        if self.owned.keys().any(|state| lies_below(state, path)) {
            return Ok(());
        }
        let program = self.program;
        let first = path.split(['.', '[']).next().unwrap_or("");
        let meaning = program.spaces[MAIN.0].names.get(first).map(|d| &d.meaning);
        let why = match meaning {
            Some(Meaning::State { .. }) if path == first => return Ok(()),
            Some(Meaning::Value(expr)) if super::names::is_owner(program, MAIN, expr) => {
                if path == first || self.is_part(path) {
                    self.idle.push((path.to_string(), at));
                    return Ok(());
                }
                format!("`{path}` matches no parameter")
            }
            _ => format!("`{path}` is not a module, a parameter or a state"),
        };
        self.fail(Code::E0607, at, why)
    }

    /// Whether every name of a path is known somewhere: a part of a module of the library or of the file.
    fn is_part(&self, path: &str) -> bool {
        let known = |name: &str| {
            self.program.spaces.iter().flat_map(|s| s.names.values()).any(|d| match &d.meaning {
                Meaning::Module(module) => {
                    let part = |p: &chiasm_dsl::tree::Part| {
                        matches!(p, chiasm_dsl::tree::Part::Field(f) if f.name.text == name)
                    };
                    super::instance::parts(module).iter().any(part)
                        || module.params.iter().any(|p| p.name.text == name)
                }
                _ => false,
            })
        };
        path.split('.').skip(1).all(|step| known(step.split('[').next().unwrap_or("")))
    }

    /// Parameters of this stage that a path means: those of the module it leads to, and those whose paths lie below.
    fn parameters_at(&mut self, expr: &'p Expr, path: &str) -> BTreeSet<String> {
        let below = |p: &&String| lies_below(p, path);
        let mut found: BTreeSet<String> = self.params.keys().filter(below).cloned().collect();
        let before = self.diagnostics.len();
        // A path that leads nowhere is judged by its text alone.
        if let Ok(object) = self.eval(expr, &Env::space(MAIN), None) {
            parameters_in(&object, &mut found);
        }
        self.diagnostics.truncate(before);
        found.retain(|p| self.params.contains_key(p));
        found
    }

    pub fn something_trains(
        &mut self,
        fields: &Fields<'p>,
        losses: &[(String, Tensor, Span)],
        frozen: &BTreeSet<String>,
    ) -> Eval<()> {
        for (name, tensor, span) in losses {
            let moves = |v: &Value| match &self.graph.node(*v).op {
                Op::Parameter(p) => !frozen.contains(&p.path),
                _ => false,
            };
            if moved_by(&self.graph, tensor.node).iter().any(moves) {
                continue;
            }
            let owns = |v: &Value| matches!(self.graph.node(*v).op, Op::Parameter(_));
            let why = if moved_by(&self.graph, tensor.node).iter().any(owns) {
                "every parameter it depends on is frozen here"
            } else {
                "it depends on no parameter, or only without gradient"
            };
            let message = format!("in stage `{}` nothing that trains can change `{name}`", fields.name);
            let mut error = Diagnostic::error(Code::E0603, *span, message).note(why);
            if let Some(expr) = fields.get("freeze") {
                error = error.note(format!("freeze = {}", self.program.sources.text(expr.span)));
            }
            return self.report(error);
        }
        Ok(())
    }

    pub fn accumulate(&mut self, fields: &Fields<'p>, objective: &Tensor, env: &Env<'p>) -> Eval<usize> {
        let Some(expr) = fields.get("accumulate") else { return Ok(1) };
        let object = self.eval(expr, env, None)?;
        let pieces = self.count(&object, expr.span)?;
        if pieces == 1 {
            return Ok(1);
        }
        let advances = self.graph.outputs().iter().any(|(name, _)| name.starts_with("next/"));
        if advances || relates_rows(&self.graph, objective.node) {
            let message = format!(
                "the objective of stage `{}` compares rows of a batch and cannot be accumulated",
                fields.name
            );
            let error = Diagnostic::error(Code::E0605, expr.span, message);
            return self.report(error.note("it would see fewer rows at a time, which changes it"));
        }
        let batches = self.batches(fields, env)?;
        let uneven = |batch: &&usize| pieces == 0 || !batch.is_multiple_of(pieces);
        if let Some(batch) = batches.iter().find(uneven) {
            let message = format!("a batch of {batch} rows cannot be cut into {pieces} equal pieces");
            return self.fail(Code::E0316, expr.span, message);
        }
        Ok(pieces)
    }

    /// `rate path = k`: factors by path, the last that fits counts.
    pub fn rate_factors(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Vec<(String, f64)>> {
        let mut rates = Vec::new();
        for field in fields.fields {
            let StageField::Rate { path, value } = field else { continue };
            let Some(text) = path_text(path) else {
                let message = "a rate belongs to a path, as in `rate vision.blocks = 0.1`";
                return self.fail(Code::E0607, path.span, message);
            };
            let object = self.eval(value, env, None)?;
            if matches!(object, Object::None) {
                continue;
            }
            let factor = self.number(&object, value.span)?;
            let found = self.parameters_at(path, &text);
            if found.is_empty() {
                let message = format!("`{text}` matches no parameter of stage `{}`", fields.name);
                let error = Diagnostic::error(Code::E0607, path.span, message);
                return self.report(
                    error.note(format!(
                        "a stage that derives this rate takes it back by `rate {text} = none`"
                    )),
                );
            }
            let elsewhere = found.into_iter().filter(|p| !lies_below(p, &text));
            rates.extend(elsewhere.map(|p| (p, factor)));
            rates.push((text, factor));
        }
        Ok(rates)
    }

    /// `layer_decay: f, over: blocks`: element l of a list of L gets f^(L - l), what the first element's input depends on
    /// f^(L + 1); a parameter of several elements, and all others, 1.
    pub fn layer_factors(&self) -> BTreeMap<String, f64> {
        let Some((factor, list)) = &self.layer_decay else { return BTreeMap::new() };
        let length = list.len() as i32;
        let mut factors: BTreeMap<String, f64> = BTreeMap::new();
        let mut shared = BTreeSet::new();
        for (l, element) in list.iter().enumerate() {
            let mut own = BTreeSet::new();
            parameters_in(element, &mut own);
            for path in own {
                if factors.insert(path.clone(), factor.powi(length - l as i32)).is_some() {
                    shared.insert(path);
                }
            }
        }
        factors.retain(|path, _| !shared.contains(path));
        let first = match list.first() {
            Some(Object::Module(instance)) => self.entered.get(&*instance.path),
            _ => None,
        };
        for value in depends(&self.graph, first.map_or(&[], Vec::as_slice)) {
            if let Op::Parameter(p) = &self.graph.node(value).op
                && !shared.contains(&p.path)
            {
                factors.entry(p.path.clone()).or_insert_with(|| factor.powi(length + 1));
            }
        }
        factors
    }
}

/// The parameters of a module, of the modules in it, or of a list of them, as far as calls have reached them.
pub fn parameters_in(object: &Object<'_>, found: &mut BTreeSet<String>) {
    match object {
        Object::Param(param) => {
            found.insert(param.path.clone());
        }
        Object::Module(instance) => parameters_of(instance, found),
        Object::List(items) => items.iter().for_each(|item| parameters_in(item, found)),
        _ => {}
    }
}

fn parameters_of(instance: &Rc<Instance<'_>>, found: &mut BTreeSet<String>) {
    let mut replaced: BTreeSet<&str> = BTreeSet::new();
    let mut layer = Some(instance);
    while let Some(current) = layer {
        for (name, part) in current.parts.borrow().iter() {
            if !replaced.contains(name) {
                parameters_in(part, found);
            }
        }
        replaced.extend(current.replaced.iter().map(|(name, _)| name));
        layer = current.base.as_ref();
    }
    instance.params.iter().for_each(|(_, param)| parameters_in(param, found));
}

/// Nodes that values depend on, themselves included, in order.
pub fn depends(graph: &crate::graph::Graph, roots: &[Value]) -> Vec<Value> {
    walk(graph, roots, |_| true)
}

/// Nodes to which a gradient comes from a value.
pub fn moved_by(graph: &crate::graph::Graph, root: Value) -> Vec<Value> {
    walk(graph, &[root], |op| {
        !matches!(op, Op::Stop(_) | Op::Compare(_) | Op::Argmax(_) | Op::SampleIds(_) | Op::Transport(_))
    })
}

fn walk(graph: &crate::graph::Graph, roots: &[Value], through: impl Fn(&Op) -> bool) -> Vec<Value> {
    let mut seen = vec![false; graph.len()];
    roots.iter().for_each(|root| seen[root.0 as usize] = true);
    for value in graph.values().rev() {
        if seen[value.0 as usize] && through(&graph.node(value).op) {
            graph.sources(value).for_each(|operand| seen[operand.0 as usize] = true);
        }
    }
    graph.values().filter(|value| seen[value.0 as usize]).collect()
}

/// Whether rows of the batch meet each other: a batch symbol off the first axis, or rows put together.
fn relates_rows(graph: &crate::graph::Graph, root: Value) -> bool {
    depends(graph, &[root]).into_iter().any(|value| {
        let node = graph.node(value);
        let off_rows = node.shape.sizes.iter().skip(1).any(|s| s.number().is_none());
        let rows = node.shape.sizes.first().is_some_and(|s| s.number().is_none());
        let moved = match &node.op {
            Op::Take(_) => rows && graph.shape(graph.operands(value)[0]).sizes[0].number().is_none(),
            Op::Concat(concat) => rows && concat.axis == 0,
            Op::Range(range) => range.n.number().is_none(),
            Op::Shuffle(shuffle) => shuffle.n.number().is_none(),
            Op::SumBy(_) => graph.shape(graph.operands(value)[0]).sizes[0].number().is_none(),
            Op::Eye(eye) => eye.n.number().is_none(),
            _ => false,
        };
        off_rows || moved
    })
}

/// Whether a parameter's path is a given one or lies below it; a list without index means every element.
pub fn lies_below(path: &str, prefix: &str) -> bool {
    if let Some(rest) = path.strip_prefix(prefix) {
        return rest.is_empty() || rest.starts_with(['.', '[']);
    }
    let plain = |text: &str| {
        let mut depth = 0;
        text.chars()
            .filter(|c| {
                depth += i32::from(*c == '[');
                let keep = depth == 0;
                depth -= i32::from(*c == ']');
                keep
            })
            .collect::<String>()
    };
    !prefix.contains('[')
        && plain(path).strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
