//! The same value without gradient.

use super::pointwise::count;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// The same value without gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop;

impl Rule for Stop {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        Ok(x.clone())
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].clone()
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::View, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        vec![Sample::new(Self, [Array::random(seed, "x", &[2, 3])])]
    }
}
