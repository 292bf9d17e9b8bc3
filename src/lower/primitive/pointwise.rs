//! Pointwise functions, some of them also on plain numbers.

use super::Lower;
use crate::lower::object::{Given, Object, Tensor};
use crate::lower::state::Eval;
use crate::op::{Exp, Gelu, Log, Op, Relu, Sigmoid, Sqrt, Stop, Tanh};
use chiasm_dsl::span::Span;

impl<'p> Lower<'p> {
    /// A function of each element.
    pub fn pointwise(&mut self, name: &'static str, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args(name, &["x"], given, span)?;
        let (x, _) = self.need_tensor(&mut args, "x")?;
        if name == "stop" {
            return self.stopped(&x);
        }
        let x = self.floats(&x)?;
        let op: Op = match name {
            "exp" => Exp.into(),
            "log" => Log.into(),
            "sqrt" => Sqrt.into(),
            "tanh" => Tanh.into(),
            "sigmoid" => Sigmoid.into(),
            "relu" => Relu.into(),
            "gelu" => Gelu.into(),
            _ => Stop.into(),
        };
        self.same_type(op, &x)
    }

    /// `exp`, `max` and the like: of plain numbers a number, of tensors a tensor.
    pub fn maybe_static(
        &mut self,
        name: &'static str,
        given: Vec<Given<'p>>,
        span: Span,
    ) -> Eval<Object<'p>> {
        let numbers: Option<Vec<f64>> = given.iter().map(|g| static_number(&g.value)).collect();
        let whole = given.iter().all(|g| matches!(g.value, Object::Whole(_)));
        let value = match (name, numbers.as_deref()) {
            ("exp", Some([x])) => x.exp(),
            ("log", Some([x])) => x.ln(),
            ("sqrt", Some([x])) => x.sqrt(),
            ("max", Some([a, b])) => a.max(*b),
            ("min", Some([a, b])) => a.min(*b),
            ("exp" | "log" | "sqrt", _) => return self.pointwise(name, given, span).map(Object::Tensor),
            _ => return self.reduction(name, given, span).map(Object::Tensor),
        };
        let exact = whole && matches!(name, "max" | "min");
        Ok(if exact { Object::whole(value as i64) } else { Object::Real(value) })
    }
}

fn static_number(object: &Object<'_>) -> Option<f64> {
    match object {
        Object::Whole(size) => size.number().map(|n| n as f64),
        Object::Real(x) => Some(*x),
        _ => None,
    }
}
