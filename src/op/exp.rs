//! `e^x`
//!
//! C2: the operand is of numbers.

use super::pointwise::{both, unary};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample, Backward, Value, Multiply};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `e^x`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exp;

impl Rule for Exp {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        vec![Some(both(at.build, Multiply, at.dy, at.result))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(f64::exp)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, 8 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}
