//! Rows of length one: `x / max(|x|, 1e-12)` over the last axis.
//!
//! C1: there is an axis. Gradient: [`NormalizeGrad`](super::NormalizeGrad).

use super::log_softmax::along_last;
use super::pointwise::both;
use super::softmax::{rowwise, samples};
use super::{
    Array, Backward, Build, Choose, Class, Compare, Context, Divide, Facts, Fill, Misfit, Multiply, NormalizeGrad, Relation,
    Rule, Sample, Sqrt, Sum, Value,
};
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

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let spread = along_last(build, operands[0]);
        let axis = spread.sizes.len() - 1;
        let square = both(build, Multiply, operands[0], operands[0]);
        let square = build.add(Sum { axis }.into(), &[square]);
        let least = build.add(Fill { shape: Shape::scalar(), value: LEAST * LEAST }.into(), &[]);
        // Chosen before the root, whose slope at zero is infinite.
        let long = both(build, Compare { relation: Relation::Greater }, square, least);
        let square = build.add(Choose.into(), &[long, square, least]);
        let length = build.add(Sqrt.into(), &[square]);
        let length = build.add(spread.into(), &[length]);
        Some(both(build, Divide, operands[0], length))
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
