//! `a - b`
//!
//! C1: the shorter shape equals the end of the longer. C2: both operands are of numbers, or both of ids.

use super::pointwise::{arithmetic, reduced, zip};
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Value, Negate};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `a - b`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subtract;

impl Rule for Subtract {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        arithmetic(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let a = at.wanted[0].then(|| reduced(at.build, at.dy, at.operands[0]));
        let b = at.wanted[1].then(|| {
            let down = at.build.add(Negate.into(), &[at.dy]);
            reduced(at.build, down, at.operands[1])
        });
        vec![a, b]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        zip(operands[0], operands[1], |a, b| a - b)
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], &[usize]); 5] = [(&[3, 4], &[3, 4]), (&[2, 3, 4], &[4]), (&[4], &[2, 4]), (&[], &[3]), (&[1], &[])];
        cases.map(|(a, b)| Sample::new(Self, [Array::random(seed, "a", a), Array::random(seed, "b", b)])).to_vec()
    }
}
