//! `a b`
//!
//! C1: the shorter shape equals the end of the longer. C2: both operands are of numbers, or both of ids.

use super::pointwise::{arithmetic, both, reduced, zip};
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `a b`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Multiply;

impl Rule for Multiply {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        arithmetic(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let mut side = |i: usize| {
            at.wanted[i].then(|| {
                let scaled = both(at.build, Multiply, at.dy, at.operands[1 - i]);
                reduced(at.build, scaled, at.operands[i])
            })
        };
        vec![side(0), side(1)]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        zip(operands[0], operands[1], |a, b| a * b)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], &[usize]); 5] = [(&[3, 4], &[3, 4]), (&[2, 3, 4], &[4]), (&[4], &[2, 4]), (&[], &[3]), (&[1], &[])];
        cases.map(|(a, b)| Sample::new(Self, [Array::random(seed, "a", a), Array::random(seed, "b", b)])).to_vec()
    }
}
