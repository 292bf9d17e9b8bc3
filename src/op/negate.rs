//! `-x`
//!
//! C2: the operand is of numbers.

use super::pointwise::unary;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample, Backward, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `-x`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Negate;

impl Rule for Negate {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        vec![Some(at.build.add(Negate.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(|x| -x)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}
