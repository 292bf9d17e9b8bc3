//! Both conditions hold.
//!
//! C1: the shorter shape equals the end of the longer. C2: both operands are conditions.

use super::pointwise::{logic, zip};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Both conditions hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct And;

impl Rule for And {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        logic(operands)
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        zip(operands[0], operands[1], f64::min)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], &[usize]); 3] = [(&[3, 4], &[3, 4]), (&[2, 4], &[4]), (&[], &[5])];
        let sides = |a: &[usize], b: &[usize]| [Array::conditions(seed, "a", a), Array::conditions(seed, "b", b)];
        cases.map(|(a, b)| Sample::new(Self, sides(a, b))).to_vec()
    }
}
