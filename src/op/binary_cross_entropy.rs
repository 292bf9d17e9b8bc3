//! Binary cross entropy of each logit x with its target t: `max(x, 0) - x t + log(1 + exp(-|x|))`.
//!
//! Gradients: `dy (sigmoid(x) - t)` and `-dy x`.
//!
//! C1: logits and targets are numbers of one shape.

use super::pointwise::{both, count, of_kind, zip};
use super::{
    Add, Array, Backward, Build, Class, Context, Exp, Facts, Fill, Log, Misfit, Multiply, Negate, Relu, Rule, Sample, Sigmoid,
    Subtract, Value,
};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// Binary cross entropy of each element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinaryCrossEntropy;

impl Rule for BinaryCrossEntropy {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, t] = count(operands)?;
        of_kind(x, Kind::Float)?;
        of_kind(t, Kind::Float)?;
        if x.sizes == t.sizes {
            return Ok(x.clone());
        }
        Err(Misfit::new("C1", format!("{t} is no target for {x}")))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [x, t] = [at.operands[0], at.operands[1]];
        let dx = at.wanted[0].then(|| {
            let p = at.build.add(Sigmoid.into(), &[x]);
            let apart = both(at.build, Subtract, p, t);
            both(at.build, Multiply, at.dy, apart)
        });
        let dt = at.wanted[1].then(|| {
            let dt = both(at.build, Multiply, at.dy, x);
            at.build.add(Negate.into(), &[dt])
        });
        vec![dx, dt]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        zip(operands[0], operands[1], |x, t| x.max(0.0) - x * t + (-x.abs()).exp().ln_1p())
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let [x, t] = [operands[0], operands[1]];
        let minus = build.add(Negate.into(), &[x]);
        let (above, below) = (build.add(Relu.into(), &[x]), build.add(Relu.into(), &[minus]));
        let size = both(build, Add, above, below);
        let minus = build.add(Negate.into(), &[size]);
        let small = build.add(Exp.into(), &[minus]);
        let one = build.add(Fill { shape: Shape::scalar(), value: 1.0 }.into(), &[]);
        let sum = both(build, Add, small, one);
        let log = build.add(Log.into(), &[sum]);
        let product = both(build, Multiply, x, t);
        let first = both(build, Subtract, above, product);
        Some(both(build, Add, first, log))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, 12 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let target = |dims: &[usize]| {
            let (kind, t) = Array::random(seed, "t", dims);
            (kind, t.map(|t| t.abs().min(1.0)))
        };
        let dims: [&[usize]; 3] = [&[3, 5], &[1], &[]];
        dims.map(|d| Sample::new(Self, [Array::random(seed, "x", d), target(d)])).to_vec()
    }
}
