//! The place of the largest over the last axis, the first of equals, as ids; no gradient.
//!
//! C1: there is an axis.

use super::pointwise::unary;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// The place of the largest: [.., K] to ids [..].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Argmax;

impl Rule for Argmax {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let mut x = unary(operands)?;
        if x.sizes.pop().is_none() {
            return Err(Misfit::new("C1", "expected at least one axis"));
        }
        Ok(x.with_kind(Kind::Ids))
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let x = operands[0];
        let place = |row: &[f64]| {
            let best = (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            best as f64
        };
        Array { dims: x.dims[..x.dims.len() - 1].to_vec(), data: x.rows().map(place).collect() }
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![5], vec![3, 7], vec![2, 3, 1]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}
