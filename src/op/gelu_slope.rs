//! The derivative of GELU: `P(x) + x p(x)` with the normal distribution P and its density p.
//!
//! C2: the operand is of numbers. Made by the gradient of [`Gelu`](super::Gelu); it has no gradient of its own.

use super::gelu::normal_below;
use super::pointwise::unary;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `P(x) + x p(x)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeluSlope;

impl Rule for GeluSlope {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(|x| {
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            normal_below(x) + x * density
        })
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        // Near its zero at -0.75 the value is a difference of larger numbers.
        Facts { tolerance: 2e-4, ..Facts::new(Class::Pointwise, 20 * result.elements()) }
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}
