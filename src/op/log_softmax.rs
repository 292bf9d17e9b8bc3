//! The logarithm of softmax over the last axis: `x - log sum e^x`.
//!
//! C1: there is an axis. Gradient: `dy - softmax(x) sum dy`.

use super::pointwise::both;
use super::softmax::{log_softmax, rowwise, samples};
use super::{Array, Backward, Broadcast, Build, Class, Context, Exp, Facts, Log, Max, Misfit, Multiply, Rule, Sample, Subtract, Sum, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `x - log sum e^x`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogSoftmax;

impl Rule for LogSoftmax {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        rowwise(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let spread = along_last(at.build, at.dy);
        let axis = spread.sizes.len() - 1;
        let sum = at.build.add(Sum { axis }.into(), &[at.dy]);
        let sum = at.build.add(spread.into(), &[sum]);
        let y = at.build.add(Exp.into(), &[at.result]);
        let part = both(at.build, Multiply, y, sum);
        vec![Some(both(at.build, Subtract, at.dy, part))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map_rows(log_softmax)
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let spread = along_last(build, operands[0]);
        let axis = spread.sizes.len() - 1;
        let top = build.add(Max { axis }.into(), operands);
        let top = build.add(spread.clone().into(), &[top]);
        let low = both(build, Subtract, operands[0], top);
        let e = build.add(Exp.into(), &[low]);
        let sum = build.add(Sum { axis }.into(), &[e]);
        let log = build.add(Log.into(), &[sum]);
        let log = build.add(spread.into(), &[log]);
        Some(both(build, Subtract, low, log))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 12 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        samples(seed).map(|x| Sample::new(Self, [x])).to_vec()
    }
}

/// What repeats a number a row along the last axis of x.
pub fn along_last(build: &dyn Build, x: Value) -> Broadcast {
    let sizes = build.shape(x).sizes;
    let axes = (0..sizes.len() - 1).collect();
    Broadcast { sizes, axes }
}
