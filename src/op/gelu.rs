//! GELU, the exact one: `x (1 + erf(x / sqrt 2)) / 2` (Hendrycks & Gimpel, 2016).
//!
//! C2: the operand is of numbers. Gradient: dy times [`GeluSlope`](super::GeluSlope).

use super::pointwise::{both, unary};
use super::{Array, Backward, Class, Context, Facts, GeluSlope, Misfit, Multiply, Rule, Sample, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `x (1 + erf(x / sqrt 2)) / 2`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gelu;

impl Rule for Gelu {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let slope = at.build.add(GeluSlope.into(), &[at.operands[0]]);
        vec![Some(both(at.build, Multiply, at.dy, slope))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(|x| x * normal_below(x))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, 12 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}

/// How much of the standard normal lies below x.
pub fn normal_below(x: f64) -> f64 {
    0.5 * erfc(-x / std::f64::consts::SQRT_2)
}

/// The complementary error function: a series near zero, a continued fraction beyond; about 1e-15 relative.
pub fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x < 2.5 { 1.0 - erf_series(x) } else { erfc_fraction(x) }
}

/// `2 / sqrt(pi) e^(-x x) sum 2^n x^(2n+1) / (2n+1)!!`
fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > sum.abs() * 1e-17 && n < 200.0 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// Laplace's continued fraction, from its far end.
fn erfc_fraction(x: f64) -> f64 {
    let tail = (1..=80).rev().fold(0.0, |tail, k| f64::from(k) / 2.0 / (x + tail));
    (-x * x).exp() / (x + tail) / std::f64::consts::PI.sqrt()
}
