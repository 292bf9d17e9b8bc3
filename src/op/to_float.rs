//! Ids and conditions as numbers; no gradient.

use super::pointwise::count;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// Ids and conditions as numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToFloat;

impl Rule for ToFloat {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        Ok(x.with_kind(Kind::Float))
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].clone()
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let ids = Sample::new(Self, [Array::ids(seed, "x", &[2, 3], 50)]);
        vec![ids, Sample::new(Self, [Array::conditions(seed, "x", &[4])])]
    }
}
