//! A stage: its objective as a graph, and everything else its fields say (8).

use super::fields::Fields;
use super::model::{self, Start};
use super::object::Object;
use super::program::path_text;
use super::scope::Env;
use super::state::{Eval, Lower};
use super::static_check::elements;
use crate::recipe::{Data, Duration, Method, Optimiser, Precision, Schedule, Spared};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Expr, ExprKind, WeightsSource};
use std::collections::BTreeSet;

/// Fields of a stage.
pub const FIELDS: &[&str] = &[
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

impl<'p> Lower<'p> {
    /// A whole stage.
    pub fn stage(&mut self, fields: &Fields<'p>) -> Eval<model::Stage> {
        let env = Env::space(super::program::MAIN);
        let (minimise, data) =
            (self.required(fields, "stage", "minimise")?, self.required(fields, "stage", "data")?);
        self.read_still(fields);
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
        let sources = self.feeds(data, &env)?;
        if !self.options.given {
            let columns: Vec<String> =
                sources.iter().flat_map(|d| d.columns.iter().map(|c| c.name.clone())).collect();
            self.inputs_fed(fields, &losses, &columns, data.span)?;
        }
        let frozen = self.frozen(fields)?;
        self.something_trains(fields, &losses, &frozen)?;
        let accumulate = self.accumulate(fields, &objective, &env)?;
        self.assemble(fields, (sources, data.span), &frozen, accumulate, &env)
    }

    fn assemble(
        &mut self,
        fields: &Fields<'p>,
        (sources, at): (Vec<Data>, Span),
        frozen: &BTreeSet<String>,
        accumulate: usize,
        env: &Env<'p>,
    ) -> Eval<model::Stage> {
        let batches = self.batches(fields, env)?;
        let optimiser = self.optimiser(fields, env)?;
        self.factors = self.layer_factors();
        let (length, clip) = (self.length(fields, env)?, self.clip(fields, env)?);
        let (precision, start) = (self.precision(fields)?, self.starts(fields)?);
        let rates = self.rate_factors(fields, env)?;
        let seed = self.seed(fields, env)?;
        let evaluate = self.evaluations(fields, env)?;
        let parts = self.parts(frozen)?;
        let feeds = self.with_symbols(sources, &batches, &parts.inputs, at)?;
        Ok(model::Stage {
            name: fields.name.clone(),
            span: fields.span,
            sets: self.set_values()?,
            graph: parts.graph,
            inputs: parts.inputs,
            parameters: parts.parameters,
            twins: parts.twins,
            states: parts.states,
            feeds,
            accumulate,
            start,
            rates,
            optimiser,
            clip,
            precision,
            length,
            seed,
            idle: std::mem::take(&mut self.idle),
            outline: model::Outline::default(),
            evaluate,
        })
    }

    /// Rows a step: one number for all sources, or a list.
    pub fn batches(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Vec<usize>> {
        let Some(expr) = fields.get("batch") else { return Ok(vec![32]) };
        let mut batches = Vec::new();
        for one in elements(expr) {
            let object = self.eval(one, env, None)?;
            let rows = self.count(&object, one.span)?;
            if rows == 0 {
                return self.fail(Code::E0316, one.span, "a batch needs at least one row");
            }
            batches.push(rows);
        }
        if batches.is_empty() {
            return self.fail(Code::E0316, expr.span, "a batch needs at least one row");
        }
        Ok(batches)
    }

    fn optimiser(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Optimiser> {
        let Some(expr) = fields.get("optimiser") else {
            return Ok(Optimiser {
                method: Method::AdamW { betas: [0.9, 0.999], eps: 1e-8 },
                rate: Schedule::Constant(1e-4),
                decay: 0.0,
                no_decay: vec![Spared::Vectors, Spared::Scalars],
            });
        };
        match self.eval(expr, env, None)? {
            Object::Optimiser(optimiser) => Ok(*optimiser),
            other => {
                let message = format!("an optimiser is needed here, this is {}", other.describe());
                self.fail(Code::E0314, expr.span, message)
            }
        }
    }

    fn length(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Duration> {
        let Some(expr) = fields.get("length") else { return Ok(Duration::Epochs(1.0)) };
        match self.eval(expr, env, None)? {
            Object::Duration(duration) => Ok(duration),
            other => {
                let message = format!("a length is steps(n) or epochs(n), this is {}", other.describe());
                self.fail(Code::E0314, expr.span, message)
            }
        }
    }

    fn clip(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Option<f64>> {
        let Some(expr) = fields.get("clip") else { return Ok(None) };
        match self.eval(expr, env, None)? {
            Object::None => Ok(None),
            object => {
                let norm = self.number(&object, expr.span)?;
                if norm > 0.0 {
                    return Ok(Some(norm));
                }
                self.fail(Code::E0314, expr.span, format!("a norm is above 0, this is {norm}"))
            }
        }
    }

    fn seed(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<Option<u64>> {
        let Some(expr) = fields.get("seed") else { return Ok(None) };
        let object = self.eval(expr, env, None)?;
        Ok(Some(self.count(&object, expr.span)? as u64))
    }

    fn precision(&mut self, fields: &Fields<'p>) -> Eval<Precision> {
        let Some(expr) = fields.get("precision") else { return Ok(Precision::F32) };
        match &expr.kind {
            ExprKind::Name(name) if name == "f32" => Ok(Precision::F32),
            ExprKind::Name(name) if name == "bf16" => Ok(Precision::Bf16),
            _ => self.fail(Code::E0314, expr.span, "a precision is f32 or bf16"),
        }
    }

    fn starts(&mut self, fields: &Fields<'p>) -> Eval<Vec<Start>> {
        let mut starts = Vec::new();
        for expr in fields.get("start").map(elements).unwrap_or_default() {
            let Some(name) = path_text(expr) else {
                let message = "a start is the name of a stage or of a weight map";
                return self.fail(Code::E0204, expr.span, message);
            };
            if name != "none" {
                starts.push(self.start(name, expr)?);
            }
        }
        Ok(starts)
    }

    fn start(&mut self, name: String, expr: &'p Expr) -> Eval<Start> {
        let program = self.program;
        let is_stage = |name: &str| program.stages.iter().any(|s| s.name.text == name);
        if is_stage(&name) {
            return Ok(Start::Stage(name));
        }
        if let Some(base) = name.strip_prefix("base.").filter(|base| program.extends && is_stage(base)) {
            return Ok(Start::Base(base.to_string()));
        }
        let map = program.weights.iter().find(|w| w.name.text == name);
        match map.map(|w| &w.source) {
            Some(WeightsSource::Checkpoint(checkpoint)) => {
                let loads = self.loads(&name, expr.span)?;
                Ok(Start::Weights { map: name, checkpoint: checkpoint.text.clone(), loads })
            }
            Some(WeightsSource::Stage(stage)) if is_stage(&stage.text) => {
                let loads = self.loads(&name, expr.span)?;
                Ok(Start::Moved { map: name, stage: stage.text.clone(), loads })
            }
            Some(WeightsSource::Stage(stage)) => {
                let known = program.stages.iter().map(|s| s.name.text.as_str()).collect();
                self.unknown_stage(&stage.text, stage.span, known)
            }
            _ => {
                let stages = program.stages.iter().map(|s| s.name.text.as_str());
                let small = |name: &&str| !super::names::is_capital(name);
                let maps = program.weights.iter().map(|w| w.name.text.as_str()).filter(small);
                self.unknown_stage(&name, expr.span, stages.chain(maps).collect())
            }
        }
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
            if name == "none" {
                continue;
            }
            if !self.program.tasks.iter().any(|t| t.name.text == name) {
                let known = self.program.tasks.iter().map(|t| t.name.text.as_str()).collect();
                return self.unknown_stage(&name, one.span, known);
            }
            tasks.push((name, every));
        }
        Ok(tasks)
    }
}
