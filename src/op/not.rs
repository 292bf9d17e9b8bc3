//! A condition does not hold.
//!
//! C2: the operand is a condition.

use super::pointwise::{count, of_kind};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// A condition does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Not;

impl Rule for Not {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        of_kind(x, Kind::Condition)?;
        Ok(x.clone())
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(|x| 1.0 - x)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![2, 5]].map(|dims| Sample::new(Self, [Array::conditions(seed, "x", &dims)])).to_vec()
    }
}
