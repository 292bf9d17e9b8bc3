//! The hyperbolic tangent; gradient `dy (1 - y y)`.
//!
//! C2: the operand is of numbers.

use super::pointwise::{both, unary};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample, Backward, Value, Fill, Multiply, Subtract};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// The hyperbolic tangent; gradient `dy (1 - y y)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tanh;

impl Rule for Tanh {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let square = both(at.build, Multiply, at.result, at.result);
        let one = at.build.add(Fill { shape: Shape::scalar(), value: 1.0 }.into(), &[]);
        let slope = both(at.build, Subtract, one, square);
        vec![Some(both(at.build, Multiply, at.dy, slope))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(f64::tanh)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, 8 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}
