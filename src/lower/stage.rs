//! A stage: its objective as a graph, and everything else its fields say (8).

use super::model::{self, Start};
use super::names::Free;
use super::object::{Object, Tensor};
use super::program::{MAIN, Meaning, Protocol, path_text};
use super::scope::Env;
use super::state::{Eval, Lower, Stopped};
use super::static_check::elements;
use crate::op::{Op, Value};
use crate::recipe::{AdamW, Duration, Optimiser, Schedule};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Expr, ExprKind, StageField};
use std::collections::{BTreeMap, BTreeSet};

/// Fields of a stage.
const FIELDS: &[&str] = &[
    "minimise",
    "data",
    "batch",
    "accumulate",
    "start",
    "freeze",
    "train",
    "optimiser",
    "clip",
    "precision",
    "seed",
    "length",
    "watch",
    "evaluate",
];

/// The names of a stage's fields.
pub fn fields() -> &'static [&'static str] {
    FIELDS
}

/// The fields of a stage or task by name.
pub struct Fields<'p> {
    fields: &'p [StageField],
    /// The name of the stage or task.
    pub name: String,
    /// Its place.
    pub span: Span,
}

impl<'p> Fields<'p> {
    /// A field's value.
    pub fn get(&self, name: &str) -> Option<&'p Expr> {
        self.fields.iter().find_map(|f| match f {
            StageField::Field(field) if field.name.text == name => Some(&field.value),
            _ => None,
        })
    }
}

impl<'p> Lower<'p> {
    /// Reads the fields of a stage or task: unknown ones are refused, `set`s take effect.
    pub fn open(
        &mut self,
        protocol: &'p Protocol,
        fields: &'p [StageField],
        known: &[&str],
        command: &[(String, String)],
        outer: &'p [StageField],
    ) -> Eval<Fields<'p>> {
        self.bind_sets(command, outer)?;
        self.bind_sets(&[], fields)?;
        let mut wrong = false;
        for field in fields {
            if let StageField::Field(field) = field
                && !known.contains(&field.name.text.as_str())
            {
                wrong |= self.unknown_field(&field.name.text, field.name.span, known).is_err();
            }
        }
        if wrong {
            return Err(Stopped);
        }
        Ok(Fields { fields, name: protocol.name.text.clone(), span: protocol.name.span })
    }

    fn unknown_field(&mut self, name: &str, span: Span, known: &[&str]) -> Eval<()> {
        let mut error = Diagnostic::error(Code::E0206, span, format!("unknown field `{name}`"));
        if let Some(near) = nearest(name, known.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("the fields: {}", known.join(", "))))
    }

    fn bind_sets(&mut self, command: &[(String, String)], fields: &'p [StageField]) -> Eval<()> {
        let sets = |n: &str| {
            matches!(self.program.spaces[MAIN.0].names.get(n).map(|d| &d.meaning), Some(Meaning::Set(_)))
        };
        let fresh: Vec<(String, Object<'p>)> =
            command.iter().filter(|(n, _)| sets(n)).map(|(n, v)| (n.clone(), command_value(v))).collect();
        self.sets.extend(fresh);
        for field in fields {
            let StageField::Set(field) = field else { continue };
            if !matches!(
                self.program.spaces[MAIN.0].names.get(&field.name.text).map(|d| &d.meaning),
                Some(Meaning::Set(_))
            ) {
                return self.unknown_set(&field.name.text, field.name.span);
            }
            let value = self.eval(&field.value, &Env::space(MAIN), None)?;
            self.sets.insert(field.name.text.clone(), value);
        }
        // Values that other sets have taken over must be found anew.
        self.cache.clear();
        Ok(())
    }

    fn unknown_set(&mut self, name: &str, span: Span) -> Eval<()> {
        let error = Diagnostic::error(Code::E0205, span, format!("unknown parameter `{name}`"));
        let notes = set_notes(self.program, name);
        self.report(error.notes(notes))
    }

    /// A whole stage.
    pub fn stage(&mut self, fields: &Fields<'p>) -> Eval<model::Stage> {
        let env = Env::space(MAIN);
        let (minimise, data) =
            (self.required(fields, "stage", "minimise")?, self.required(fields, "stage", "data")?);
        let losses = self.losses(minimise, &env)?;
        let objective = self.eval(minimise, &env, None)?;
        let objective = self.tensor(objective, minimise.span)?;
        if objective.ty.rank() != 0 {
            let message = format!("what a stage minimises must be a single number, this is {}", objective.ty);
            return self.fail(Code::E0313, minimise.span, message);
        }
        self.graph.name("objective", objective.node);
        for (name, tensor, _) in &losses {
            self.graph.name(format!("loss/{name}"), tensor.node);
        }
        self.watch(fields, &env)?;
        self.wished_values()?;
        self.advance_states(fields, &env)?;
        let feed = self.feed(data, &env)?;
        if !self.options.given {
            self.inputs_fed(fields, &losses, &feed.columns, data.span)?;
        }
        let Some(recipe) = feed.data.clone() else {
            return self.later_data(feed.later.as_deref().unwrap_or("this data"), data.span);
        };
        let frozen = self.frozen(fields)?;
        self.something_trains(fields, &losses, &frozen)?;
        let accumulate = self.accumulate(fields, &objective, &env)?;
        self.assemble(fields, recipe, &frozen, accumulate, &env)
    }

    /// A field that must be there.
    pub fn required(&mut self, fields: &Fields<'p>, what: &str, name: &str) -> Eval<&'p Expr> {
        match fields.get(name) {
            Some(expr) => Ok(expr),
            None => {
                self.fail(Code::E0601, fields.span, format!("{what} `{}` does not say `{name}`", fields.name))
            }
        }
    }

    fn later_data<T>(&mut self, what: &str, at: Span) -> Eval<T> {
        self.fail(Code::E0001, at, format!("{what} is in the language, but this version cannot read it yet"))
    }

    /// The losses in `minimise`, in order.
    fn losses(&mut self, minimise: &'p Expr, env: &Env<'p>) -> Eval<Vec<(String, Tensor, Span)>> {
        let mut losses: Vec<(String, Tensor, Span)> = Vec::new();
        for mention in Free::of(minimise).found {
            let meaning = self.program.spaces[MAIN.0].names.get(&mention.text).map(|d| &d.meaning);
            if !matches!(meaning, Some(Meaning::Loss(_))) {
                let object = self.lookup(&mention.text, mention.span, env)?;
                if matches!(
                    object,
                    Object::Tensor(_) | Object::Module(_) | Object::List(_) | Object::Param(_)
                ) {
                    return self.fail(Code::E0606, mention.span, format!("`{}` is not a loss", mention.text));
                }
                continue;
            }
            let object = self.definition(MAIN, &mention.text)?;
            let tensor = self.tensor(object, mention.span)?;
            if tensor.ty.rank() != 0 {
                let message = format!("a loss must be a single number, `{}` is {}", mention.text, tensor.ty);
                return self.fail(Code::E0313, mention.span, message);
            }
            if !losses.iter().any(|(name, _, _)| *name == mention.text) {
                losses.push((mention.text, tensor, mention.span));
            }
        }
        Ok(losses)
    }

    /// Values that the caller wants besides; a stage that has no such definition leaves them out.
    fn wished_values(&mut self) -> Eval<()> {
        for wish in self.options.values.clone() {
            let names = &self.program.spaces[MAIN.0].names;
            if super::value::wanted(&wish).into_iter().all(|name| names.contains_key(name)) {
                self.name_value(&wish, format!("value/{wish}"))?;
            }
        }
        Ok(())
    }

    fn watch(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<()> {
        for expr in fields.get("watch").map(elements).unwrap_or_default() {
            let object = self.eval(expr, env, None)?;
            let tensor = self.tensor(object, expr.span)?;
            if tensor.ty.rank() != 0 {
                return self.fail(
                    Code::E0313,
                    expr.span,
                    format!("what is watched must be a single number, this is {}", tensor.ty),
                );
            }
            let name = self.program.sources.text(expr.span).to_string();
            self.graph.name(format!("watch/{name}"), tensor.node);
        }
        Ok(())
    }

    /// The next values of all states that are reached, and of those that these reach.
    fn advance_states(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<()> {
        let kept = self.paths(fields, "freeze");
        let mut done = BTreeSet::new();
        loop {
            let graph = self.reached_graph();
            let next = graph.into_iter().find(|name| !done.contains(name));
            let Some(name) = next else { return Ok(()) };
            done.insert(name.clone());
            if kept.iter().any(|(path, _)| *path == name) {
                continue;
            }
            self.advance(&name, env)?;
        }
    }

    /// Names of the states that outputs depend on.
    fn reached_graph(&self) -> Vec<String> {
        let roots: Vec<Value> = self.graph.outputs().iter().map(|(_, v)| *v).collect();
        let states = depends(&self.graph, &roots).into_iter().filter_map(|v| match &self.graph.node(v).op {
            Op::State(state) => Some(state.name.clone()),
            _ => None,
        });
        states.collect()
    }

    fn advance(&mut self, name: &str, env: &Env<'p>) -> Eval<()> {
        let program = self.program;
        let Some(Meaning::State { then: Some(then), .. }) =
            program.spaces[MAIN.0].names.get(name).map(|d| &d.meaning)
        else {
            return Ok(());
        };
        let object = self.owned(name, |s| s.eval(then, env, None))?;
        let next = self.tensor(object, then.span)?;
        let state = self.states[name].clone();
        let labels = state.ty.label.is_none() || state.ty.modality() == next.ty.modality();
        if next.ty.sizes() != state.ty.sizes() || next.ty.kind() != state.ty.kind() || !labels {
            let message = format!("the state `{name}` is {}, but becomes {}", state.ty, next.ty);
            return self.fail(Code::E0501, then.span, message);
        }
        self.graph.name(format!("next/{name}"), next.node);
        Ok(())
    }

    fn inputs_fed(
        &mut self,
        fields: &Fields<'p>,
        losses: &[(String, Tensor, Span)],
        columns: &[String],
        at: Span,
    ) -> Eval<()> {
        let line = |s: &Self, name: &str| {
            let definition = &s.program.spaces[MAIN.0].names[name];
            s.program.sources.place(definition.span).line
        };
        for (loss, tensor, _) in losses {
            for input in self.inputs_of(&[tensor.node]) {
                if columns.contains(&input) {
                    continue;
                }
                let message = format!(
                    "stage `{}` minimises `{loss}`, which needs the input `{input}`; its data has none",
                    fields.name
                );
                let error = Diagnostic::error(Code::E0602, at, message)
                    .note(format!("the data has: {}", columns.join(", ")))
                    .note(format!(
                        "`{input}` is declared at line {}, `{loss}` at line {}",
                        line(self, &input),
                        line(self, loss)
                    ));
                return self.report(error);
            }
        }
        Ok(())
    }

    /// Names of the inputs that values depend on; lengths count as their input.
    pub fn inputs_of(&self, roots: &[Value]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for value in depends(&self.graph, roots) {
            if let Op::Input(input) = &self.graph.node(value).op {
                let name = input.name.trim_end_matches(".lengths").to_string();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The paths in `freeze` or `train`, with their places.
    fn paths(&self, fields: &Fields<'p>, name: &str) -> Vec<(String, Span)> {
        let exprs = fields.get(name).map(elements).unwrap_or_default();
        exprs.into_iter().filter_map(|e| Some((path_text(e)?, e.span))).collect()
    }

    /// Paths of the parameters that do not move.
    fn frozen(&mut self, fields: &Fields<'p>) -> Eval<BTreeSet<String>> {
        let all: Vec<String> = self.params.keys().cloned().collect();
        let matched = |s: &mut Self, name: &str| -> Eval<Option<BTreeSet<String>>> {
            let Some(expr) = fields.get(name) else { return Ok(None) };
            let mut paths = BTreeSet::new();
            for (path, span) in s.paths(fields, name) {
                match path.as_str() {
                    "all" => paths.extend(all.iter().cloned()),
                    "none" => {}
                    _ => {
                        let below: Vec<&String> = all.iter().filter(|p| lies_below(p, &path)).collect();
                        let state = matches!(
                            s.program.spaces[MAIN.0].names.get(&path).map(|d| &d.meaning),
                            Some(Meaning::State { .. })
                        );
                        let defined = s.program.spaces[MAIN.0]
                            .names
                            .contains_key(path.split(['.', '[']).next().unwrap_or(""));
                        if below.is_empty() && !state && !defined {
                            return s.fail(Code::E0607, span, format!("`{path}` matches no parameter"));
                        }
                        paths.extend(below.into_iter().cloned());
                    }
                }
            }
            let _ = expr;
            Ok(Some(paths))
        };
        let frozen = matched(self, "freeze")?.unwrap_or_default();
        match matched(self, "train")? {
            None => Ok(frozen),
            Some(trained) => Ok(all.into_iter().filter(|p| !trained.contains(p)).chain(frozen).collect()),
        }
    }

    fn something_trains(
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

    fn accumulate(&mut self, fields: &Fields<'p>, objective: &Tensor, env: &Env<'p>) -> Eval<usize> {
        let Some(expr) = fields.get("accumulate") else { return Ok(1) };
        let object = self.eval(expr, env, None)?;
        let pieces = self.count(&object, expr.span)?;
        if pieces == 1 {
            return Ok(1);
        }
        if relates_rows(&self.graph, objective.node) {
            let message = format!(
                "the objective of stage `{}` compares rows of a batch and cannot be accumulated",
                fields.name
            );
            let error = Diagnostic::error(Code::E0605, expr.span, message);
            return self.report(error.note("it would see fewer rows at a time, which changes it"));
        }
        self.fail(
            Code::E0001,
            expr.span,
            "`accumulate` is in the language, but this version cannot run it yet",
        )
    }

    fn assemble(
        &mut self,
        fields: &Fields<'p>,
        data: crate::recipe::Data,
        frozen: &BTreeSet<String>,
        accumulate: usize,
        env: &Env<'p>,
    ) -> Eval<model::Stage> {
        let batch = match fields.get("batch") {
            None => 32,
            Some(expr) => {
                let object = self.eval(expr, env, None)?;
                self.count(&object, expr.span)?
            }
        };
        if batch == 0 {
            return self.fail(Code::E0316, fields.span, "a batch needs at least one row");
        }
        let optimiser = self.optimiser(fields, env)?;
        let length = self.length(fields, env)?;
        let clip = match fields.get("clip") {
            None => None,
            Some(expr) => match self.eval(expr, env, None)? {
                Object::None => None,
                object => Some(self.number(&object, expr.span)?),
            },
        };
        self.only_f32(fields)?;
        let start = self.starts(fields)?;
        let rates = self.rate_factors(fields, env)?;
        let seed = match fields.get("seed") {
            None => None,
            Some(expr) => {
                let object = self.eval(expr, env, None)?;
                Some(self.count(&object, expr.span)? as u64)
            }
        };
        let evaluate = self.evaluations(fields, env)?;
        let parts = self.parts(frozen)?;
        let sets = self.set_values()?;
        Ok(model::Stage {
            name: fields.name.clone(),
            span: fields.span,
            sets,
            symbol: batch_symbol(&parts.inputs),
            graph: parts.graph,
            inputs: parts.inputs,
            parameters: parts.parameters,
            twins: parts.twins,
            states: parts.states,
            data,
            batch,
            accumulate,
            start,
            rates,
            optimiser,
            clip,
            length,
            seed,
            outline: model::Outline::default(),
            evaluate,
        })
    }

    fn set_values(&mut self) -> Eval<BTreeMap<String, String>> {
        let is_set = |(name, d): (&'p String, &super::program::Definition)| {
            matches!(d.meaning, Meaning::Set(_)).then_some(name)
        };
        let names: Vec<&'p String> = self.program.spaces[MAIN.0].names.iter().filter_map(is_set).collect();
        names.into_iter().map(|name| Ok((name.clone(), self.definition(MAIN, name)?.describe()))).collect()
    }

    fn optimiser(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Optimiser> {
        let Some(expr) = fields.get("optimiser") else {
            let rate = Schedule::Constant(1e-4);
            let no_decay = vec![crate::recipe::Spared::Vectors, crate::recipe::Spared::Scalars];
            return Ok(Optimiser::AdamW(AdamW {
                rate,
                decay: 0.0,
                betas: [0.9, 0.999],
                eps: 1e-8,
                no_decay,
            }));
        };
        match self.eval(expr, env, None)? {
            Object::Optimiser(adamw) => Ok(Optimiser::AdamW(*adamw)),
            other => self.fail(
                Code::E0314,
                expr.span,
                format!("an optimiser is needed here, this is {}", other.describe()),
            ),
        }
    }

    fn length(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Duration> {
        let Some(expr) = fields.get("length") else { return Ok(Duration::Epochs(1.0)) };
        match self.eval(expr, env, None)? {
            Object::Duration(duration) => Ok(duration),
            other => self.fail(
                Code::E0314,
                expr.span,
                format!("a length is steps(n) or epochs(n), this is {}", other.describe()),
            ),
        }
    }

    fn only_f32(&mut self, fields: &Fields<'p>) -> Eval<()> {
        match fields.get("precision") {
            Some(expr) if !matches!(&expr.kind, ExprKind::Name(n) if n == "f32") => {
                self.fail(Code::E0001, expr.span, "this version trains in f32 only")
            }
            _ => Ok(()),
        }
    }

    fn starts(&mut self, fields: &Fields<'p>) -> Eval<Vec<Start>> {
        let mut starts = Vec::new();
        for expr in fields.get("start").map(elements).unwrap_or_default() {
            let Some(name) = path_text(expr) else {
                return self.fail(
                    Code::E0204,
                    expr.span,
                    "a start is the name of a stage or of a weight map",
                );
            };
            if name == "none" {
                continue;
            }
            let weights = self.program.weights.iter().find(|w| w.name.text == name);
            let source = weights.map(|w| &w.source);
            if self.program.stages.iter().any(|s| s.name.text == name) {
                starts.push(Start::Stage(name));
            } else if let Some(chiasm_dsl::tree::WeightsSource::Checkpoint(checkpoint)) = source {
                let loads = self.loads(&name, expr.span)?;
                starts.push(Start::Weights { map: name, checkpoint: checkpoint.text.clone(), loads });
            } else {
                let known: Vec<&str> = self.program.stages.iter().map(|s| s.name.text.as_str()).collect();
                return self.unknown_stage(&name, expr.span, known);
            }
        }
        Ok(starts)
    }

    /// A name that is no stage, task or weight map.
    pub fn unknown_stage<T>(&mut self, name: &str, span: Span, known: Vec<&str>) -> Eval<T> {
        let mut error =
            Diagnostic::error(Code::E0204, span, format!("unknown stage, task or weight map `{name}`"));
        if let Some(near) = nearest(name, known.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("there are: {}", known.join(", "))))
    }

    fn rate_factors(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Vec<(String, f64)>> {
        let mut rates = Vec::new();
        for field in fields.fields {
            let StageField::Rate { path, value } = field else { continue };
            let Some(text) = path_text(path) else {
                return self.fail(
                    Code::E0607,
                    path.span,
                    "a rate belongs to a path, as in `rate vision.blocks = 0.1`",
                );
            };
            if !self.params.keys().any(|p| lies_below(p, &text)) {
                return self.fail(Code::E0607, path.span, format!("`{text}` matches no parameter"));
            }
            match self.eval(value, env, None)? {
                Object::None => rates.retain(|(known, _)| *known != text),
                object => rates.push((text, self.number(&object, value.span)?)),
            }
        }
        Ok(rates)
    }

    fn evaluations(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Vec<(String, Option<Duration>)>> {
        let Some(expr) = fields.get("evaluate") else { return Ok(Vec::new()) };
        let mut every = None;
        if let ExprKind::List(args) = &expr.kind {
            for arg in args.iter().filter(|a| a.name.as_ref().is_some_and(|n| n.text == "every")) {
                match self.eval(&arg.value, env, None)? {
                    Object::Duration(duration) => every = Some(duration),
                    other => {
                        let message =
                            format!("`every` is steps(n) or epochs(n), this is {}", other.describe());
                        return self.fail(Code::E0314, arg.value.span, message);
                    }
                }
            }
        }
        let mut tasks = Vec::new();
        for one in elements(expr) {
            let name = path_text(one).unwrap_or_default();
            if !self.program.tasks.iter().any(|t| t.name.text == name) {
                let known = self.program.tasks.iter().map(|t| t.name.text.as_str()).collect();
                return self.unknown_stage(&name, one.span, known);
            }
            tasks.push((name, every));
        }
        Ok(tasks)
    }
}

/// Nodes that values depend on, themselves included, in order.
pub fn depends(graph: &crate::graph::Graph, roots: &[Value]) -> Vec<Value> {
    walk(graph, roots, |_| true)
}

/// Nodes from which a gradient comes to a value.
fn moved_by(graph: &crate::graph::Graph, root: Value) -> Vec<Value> {
    walk(graph, &[root], |op| !matches!(op, Op::Stop(_) | Op::Compare(_) | Op::Argmax(_) | Op::SampleIds(_)))
}

fn walk(graph: &crate::graph::Graph, roots: &[Value], through: impl Fn(&Op) -> bool) -> Vec<Value> {
    let mut seen = vec![false; graph.len()];
    roots.iter().for_each(|root| seen[root.0 as usize] = true);
    for value in graph.values().rev() {
        if seen[value.0 as usize] && through(&graph.node(value).op) {
            graph.operands(value).iter().for_each(|operand| seen[operand.0 as usize] = true);
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

fn batch_symbol(inputs: &[model::Input]) -> String {
    let symbol = inputs.iter().find_map(|i| i.shape.sizes.first()?.symbols().next().map(str::to_string));
    symbol.unwrap_or_else(|| "B".to_string())
}

fn command_value<'p>(text: &str) -> Object<'p> {
    match (text.replace('_', "").parse::<i64>(), text.parse::<f64>(), text) {
        (Ok(whole), _, _) => Object::whole(whole),
        (_, Ok(real), _) => Object::Real(real),
        (_, _, "true") => Object::Truth(true),
        (_, _, "false") => Object::Truth(false),
        _ => Object::Text(text.trim_matches('"').to_string()),
    }
}

/// What to say about an unknown `set`: the nearest, and all with their values.
pub fn set_notes(program: &super::program::Program, name: &str) -> Vec<String> {
    let mut sets: Vec<(usize, String, &str)> = Vec::new();
    for definition in program.spaces[MAIN.0].names.values() {
        if let Meaning::Set(expr) = &definition.meaning {
            sets.push((definition.order, definition.name.text.clone(), program.sources.text(expr.span)));
        }
    }
    sets.sort();
    let near = nearest(name, sets.iter().map(|(_, n, _)| n.as_str())).map(|n| format!("did you mean `{n}`?"));
    let all: Vec<String> = sets.iter().map(|(_, n, v)| format!("{n} = {v}")).collect();
    near.into_iter().chain([format!("it has: {}", all.join(", "))]).collect()
}

/// Everything a graph reads.
pub struct Parts {
    /// The graph, without what its outputs do not need.
    pub graph: crate::graph::Graph,
    /// Inputs in order.
    pub inputs: Vec<model::Input>,
    /// Parameters in order of first use.
    pub parameters: Vec<model::Parameter>,
    /// Twins in order of first use.
    pub twins: Vec<model::Twin>,
    /// States in order of first use.
    pub states: Vec<model::State>,
}

impl<'p> Lower<'p> {
    /// The graph that the outputs need, and what it reads.
    pub fn parts(&mut self, frozen: &BTreeSet<String>) -> Eval<Parts> {
        let names: Vec<String> = self.graph.outputs().iter().map(|(n, _)| n.clone()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let graph = self.graph.keep(&names);
        let mut parts = Parts {
            graph: crate::graph::Graph::default(),
            inputs: Vec::new(),
            parameters: Vec::new(),
            twins: Vec::new(),
            states: Vec::new(),
        };
        for value in graph.values() {
            match &graph.node(value).op {
                Op::Input(input) if !input.name.ends_with(".lengths") => {
                    parts.inputs.push(self.input_of(&input.name))
                }
                Op::Input(input) => {
                    let name = input.name.trim_end_matches(".lengths");
                    if !graph.values().any(|v| matches!(&graph.node(v).op, Op::Input(i) if i.name == name)) {
                        parts.inputs.push(self.input_of(name));
                    }
                }
                Op::Parameter(p) => {
                    parts.parameters.push(self.parameter_of(&p.path, !frozen.contains(&p.path)))
                }
                Op::Twin(twin) => {
                    let rate = twin.path.split('/').next().and_then(|name| self.rates.get(name)).copied();
                    let (key, of, dims) = (twin.path.clone(), twin.of.clone(), twin.shape.dims());
                    parts.twins.push(model::Twin {
                        key,
                        of,
                        dims,
                        rate: rate.unwrap_or(Schedule::Constant(1.0)),
                    });
                }
                Op::State(state) => {
                    let start = self.state_start(&state.name)?;
                    let advanced = graph.output(&format!("next/{}", state.name)).is_some();
                    parts.states.push(model::State {
                        name: state.name.clone(),
                        shape: state.shape.clone(),
                        start,
                        advanced,
                    });
                }
                _ => {}
            }
        }
        self.originals(&mut parts, frozen);
        parts.graph = graph;
        Ok(parts)
    }

    /// A twin needs its original, even where the graph reads only the twin.
    fn originals(&self, parts: &mut Parts, frozen: &BTreeSet<String>) {
        let known: BTreeSet<&String> = parts.parameters.iter().map(|p| &p.path).collect();
        let missing: BTreeSet<&String> =
            parts.twins.iter().map(|t| &t.of).filter(|of| !known.contains(of)).collect();
        let missing: Vec<model::Parameter> =
            missing.iter().map(|path| self.parameter_of(path, !frozen.contains(*path))).collect();
        parts.parameters.extend(missing);
    }

    fn parameter_of(&self, path: &str, trained: bool) -> model::Parameter {
        let param = &self.params[path];
        model::Parameter {
            path: param.path.clone(),
            dims: param.dims.clone(),
            init: param.init.clone(),
            clamp: param.clamp,
            resize: param.resize,
            trained,
            owners: param.owners.clone(),
        }
    }

    fn input_of(&self, name: &str) -> model::Input {
        use super::types::{Elements, Range};
        let (tensor, lengths) = &self.inputs[name];
        let ty = &tensor.ty;
        let square =
            ty.rank() == 4 && ty.axes[2].size == ty.axes[3].size && ty.axes[1].size.number() == Some(3);
        let reading = match &ty.elements {
            Elements::Float if square => model::Reading::Image { side: ty.axes[2].size.len() },
            Elements::Ids(Range::Of(vocabulary)) if ty.rank() == 2 => {
                model::Reading::Text { vocabulary: (**vocabulary).clone(), length: ty.axes[1].size.len() }
            }
            Elements::Ids(_) if ty.rank() == 1 => model::Reading::Ids,
            _ => model::Reading::Given,
        };
        model::Input { name: name.to_string(), shape: ty.shape(), reading, lengths: lengths.clone() }
    }

    fn state_start(&mut self, name: &str) -> Eval<crate::recipe::Init> {
        let program = self.program;
        let Some(Meaning::State { start, .. }) = program.spaces[MAIN.0].names.get(name).map(|d| &d.meaning)
        else {
            return Err(Stopped);
        };
        let object = self.eval(start, &Env::space(MAIN), None)?;
        if let Object::Tensor(tensor) = object {
            let message =
                format!("a state that starts from a value ({}) waits for a later version", tensor.ty);
            return self.fail(Code::E0001, start.span, message);
        }
        self.init(&object, start.span)
    }
}
