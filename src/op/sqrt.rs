//! The square root.
//!
//! C2: the operand is of numbers.

use super::pointwise::{both, unary};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample, Backward, Value, Divide, Fill, Multiply};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// The square root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sqrt;

impl Rule for Sqrt {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let half = at.build.add(Fill { shape: Shape::scalar(), value: 0.5 }.into(), &[]);
        let dx = both(at.build, Divide, at.dy, at.result);
        vec![Some(both(at.build, Multiply, dx, half))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(f64::sqrt)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, 4 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::positive(seed, "x", &dims)])).to_vec()
    }
}
