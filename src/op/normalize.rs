//! Rows of length one: `x / max(|x|, 1e-12)` over the last axis.
//!
//! C1: there is an axis. Gradient: [`NormalizeGrad`](super::NormalizeGrad).

use super::softmax::{rowwise, samples};
use super::{Array, Backward, Class, Context, Facts, Misfit, NormalizeGrad, Rule, Sample, Value};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// The least length that divides.
pub const LEAST: f64 = 1e-12;

/// `x / max(|x|, 1e-12)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalize;

impl Rule for Normalize {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        rowwise(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        vec![Some(at.build.add(NormalizeGrad.into(), &[at.operands[0], at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map_rows(|row| {
            let length = length(row).max(LEAST);
            row.iter().map(|x| x / length).collect()
        })
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 3 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let mut all = samples(seed).map(|x| Sample::new(Self, [x])).to_vec();
        all.pop();
        all.push(Sample::new(Self, [(Kind::Float, Array::filled(&[2, 3], 0.0))]));
        all
    }
}

/// The length of a row.
pub fn length(row: &[f64]) -> f64 {
    row.iter().map(|x| x * x).sum::<f64>().sqrt()
}
