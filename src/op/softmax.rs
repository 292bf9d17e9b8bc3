//! Softmax over the last axis: `y = e^x / sum e^x`.
//!
//! C1: there is an axis. Gradient: [`SoftmaxGrad`](super::SoftmaxGrad), `y (dy - sum y dy)`.

use super::{Array, Backward, Build, Class, Context, Facts, Misfit, Rule, Sample, SoftmaxGrad, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Softmax over the last axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Softmax;

impl Rule for Softmax {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        rowwise(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        vec![Some(at.build.add(SoftmaxGrad.into(), &[at.result, at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map_rows(softmax)
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let y = build.add(super::LogSoftmax.into(), operands);
        Some(build.add(super::Exp.into(), &[y]))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 12 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        samples(seed).map(|x| Sample::new(Self, [x])).to_vec()
    }
}

/// C1: numbers with at least one axis.
pub fn rowwise(operands: &[&Shape]) -> Result<Shape, Misfit> {
    let x = super::pointwise::unary(operands)?;
    if x.rank() == 0 {
        return Err(Misfit::new("C1", "expected at least one axis"));
    }
    Ok(x)
}

/// One row.
pub fn softmax(row: &[f64]) -> Vec<f64> {
    log_softmax(row).into_iter().map(f64::exp).collect()
}

/// One row.
pub fn log_softmax(row: &[f64]) -> Vec<f64> {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = row.iter().map(|x| (x - top).exp()).sum::<f64>().ln() + top;
    row.iter().map(|x| x - total).collect()
}

/// Rows of a few lengths.
pub fn samples(seed: u64) -> [(crate::shape::Kind, Array); 4] {
    [vec![5], vec![3, 7], vec![2, 3, 4], vec![4, 1]].map(|dims| Array::random(seed, "x", &dims))
}
