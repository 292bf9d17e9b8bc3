//! `running(kept, now, rate:, by:)`: what is seen in a batch while training, what was remembered otherwise.
//!
//! Each call moves its state after the step, `kept + rate (by - kept)`, in the order of the calls; calls on equal values are one.
//! A call that the objective does not need moves nothing; neither does one through a slow copy. In a task, and where the stage
//! freezes the state, the result is the state itself.

use super::Lower;
use crate::lower::fields::Fields;
use crate::lower::object::{Given, Object, Param, Tensor};
use crate::lower::state::Eval;
use crate::lower::trains::{depends, lies_below};
use crate::lower::types::{Elements, Type};
use crate::op::{Add, Multiply, Subtract, Value};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;
use std::rc::Rc;

/// One call of `running`.
#[derive(Clone, Debug)]
pub struct Move {
    state: Rc<Param>,
    now: Value,
    by: Value,
    rate: f64,
}

/// Which states of modules a stage keeps: the paths in `freeze` and `train`.
#[derive(Clone, Debug, Default)]
pub struct Still {
    frozen: Vec<String>,
    trained: Option<Vec<String>>,
}

impl Still {
    fn holds(&self, path: &str) -> bool {
        let named = |paths: &[String]| paths.iter().any(|p| p == "all" || lies_below(path, p));
        named(&self.frozen) || self.trained.as_ref().is_some_and(|trained| !named(trained))
    }
}

impl<'p> Lower<'p> {
    /// What a stage says of states of modules; known before anything is computed.
    pub fn read_still(&mut self, fields: &Fields<'p>) {
        let texts = |s: &Self, name| s.paths(fields, name).into_iter().map(|(path, _)| path).collect();
        let trained = fields.get("train").is_some().then(|| texts(self, "train"));
        self.still = Still { frozen: texts(self, "freeze"), trained };
    }

    /// `running(kept, now, rate:, by:)`
    pub fn running(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("running", &["kept", "now", "rate", "by"], given, span)?;
        let kept = self.need(&mut args, "kept")?;
        let Object::Param(state) = &kept.value else {
            let message = format!("`running` moves a State of a module, this is {}", kept.value.describe());
            return self.fail(Code::E0314, kept.span, message);
        };
        if !state.state {
            return self.fail(Code::E0314, kept.span, "`running` moves a State of a module, this is a Param");
        }
        let was = self.read(state)?;
        let now = self.need_tensor(&mut args, "now")?;
        let by = self.optional_tensor(&mut args, "by")?.unwrap_or_else(|| now.clone());
        let rate = self.need(&mut args, "rate")?;
        let rate = self.number(&rate.value, rate.span)?;
        for (x, at) in [&now, &by] {
            if x.ty.sizes() != was.ty.sizes() || x.ty.elements != Elements::Float {
                let message = format!("the state is {}, but becomes {}", was.ty, x.ty);
                return self.fail(Code::E0501, *at, message);
            }
        }
        if !self.training || self.still.holds(&state.path) {
            return Ok(was);
        }
        let one = Move { state: state.clone(), now: now.0.node, by: by.0.node, rate };
        let known = self.moves.iter().any(|m| m.state.path == one.state.path && m.now == one.now);
        if !known && !self.is_slow(one.now) {
            self.moves.push(one);
        }
        Ok(now.0)
    }

    /// The next values of the states of modules that the outputs need.
    pub fn move_owned(&mut self) -> Eval<()> {
        let roots: Vec<Value> = self.graph.outputs().iter().map(|(_, v)| *v).collect();
        let reached = depends(&self.graph, &roots);
        let mut next: Vec<(String, Tensor)> = Vec::new();
        for one in std::mem::take(&mut self.moves) {
            if reached.binary_search(&one.now).is_err() {
                continue;
            }
            let path = &one.state.path;
            let earlier = next.iter().position(|(known, _)| known == path);
            let was = match earlier {
                Some(at) => next.swap_remove(at).1,
                None => self.read(&one.state)?,
            };
            next.push((path.clone(), self.moved_by(&was, &one)?));
        }
        for (path, tensor) in next {
            self.graph.name(format!("next/{path}"), tensor.node);
        }
        Ok(())
    }

    fn moved_by(&mut self, was: &Tensor, one: &Move) -> Eval<Tensor> {
        let ty = || Type::float(was.ty.sizes());
        let rate = self.fill(one.rate, Elements::Float)?;
        let apart = self.emit(Subtract, &[one.by, was.node], ty())?;
        let step = self.emit(Multiply, &[apart.node, rate.node], ty())?;
        self.emit(Add, &[was.node, step.node], ty())
    }
}
