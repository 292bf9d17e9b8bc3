//! `1 / (1 + e^-x)`; gradient `dy y (1 - y)`.
//!
//! C2: the operand is of numbers.

use super::pointwise::{both, unary};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample, Backward, Value, Fill, Multiply, Subtract};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `1 / (1 + e^-x)`; gradient `dy y (1 - y)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sigmoid;

impl Rule for Sigmoid {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let one = at.build.add(Fill { shape: Shape::scalar(), value: 1.0 }.into(), &[]);
        let rest = both(at.build, Subtract, one, at.result);
        let slope = both(at.build, Multiply, at.result, rest);
        vec![Some(both(at.build, Multiply, at.dy, slope))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(|x| 1.0 / (1.0 + (-x).exp()))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, 8 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}
