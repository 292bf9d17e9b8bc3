//! The gradient of cross entropy for its logits: (logits, target, [only], dy) to
//! `w ((1 - s) (sum(t) p - t) + s (p - 1/K))`, with w the share of each position in dy.
//!
//! C1: the operands fit the cross entropy, dy its result.

use super::cross_entropy::variants;
use super::softmax::softmax;
use super::{Array, Class, Context, CrossEntropy, Facts, Misfit, Rule, Sample};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// The gradient of the logits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossEntropyGrad {
    /// The loss.
    pub of: CrossEntropy,
}

impl Rule for CrossEntropyGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let Some((dy, rest)) = operands.split_last() else {
            return Err(Misfit::new("C1", "expected operands"));
        };
        let loss = self.of.infer(rest)?;
        if **dy != loss {
            return Err(Misfit::new("C1", format!("dy must be {loss}, found {dy}")));
        }
        Ok(rest[0].clone())
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let (logits, target, dy) = (operands[0], operands[1], operands[operands.len() - 1]);
        let positions = logits.data.len() / logits.width().max(1);
        let counted = (0..positions).filter(|i| self.of.counts(operands, *i)).count().max(1);
        let each = positions / logits.dims[0].max(1);
        let row = |(i, row): (usize, &[f64])| {
            if !self.of.counts(operands, i) {
                return vec![0.0; row.len()];
            }
            let weight = if self.of.per_row { dy.data[i / each.max(1)] } else { dy.data[0] / counted as f64 };
            let k = row.len();
            let wanted: Vec<f64> = if target.dims.len() == logits.dims.len() {
                target.data[i * k..(i + 1) * k].to_vec()
            } else {
                (0..k).map(|j| f64::from(u8::from(j as f64 == target.data[i]))).collect()
            };
            let mass: f64 = wanted.iter().sum();
            let p = softmax(row);
            let s = self.of.smooth;
            (0..k).map(|j| weight * ((1.0 - s) * (mass * p[j] - wanted[j]) + s * (p[j] - 1.0 / k as f64))).collect()
        };
        Array { dims: logits.dims.clone(), data: logits.rows().enumerate().flat_map(row).collect() }
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 14 * operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |(of, mut operands): (CrossEntropy, Vec<_>)| {
            let logits: &(_, Array) = &operands[0];
            let dims = if of.per_row { vec![logits.1.dims[0]] } else { vec![] };
            operands.push(Array::random(seed, "dy", &dims));
            Sample::new(Self { of }, operands)
        };
        variants(seed).into_iter().map(case).collect()
    }
}
