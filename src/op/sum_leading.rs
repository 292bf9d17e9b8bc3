//! The sum over the first axes: the gradient of a broadcast, of a bias for one.
//!
//! C1: there are at least that many axes. Gradient: dy repeated.

use super::pointwise::unary;
use super::{Array, Backward, Broadcast, Class, Context, Facts, Misfit, Rule, Sample, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// The sum over the first axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SumLeading {
    /// How many.
    pub axes: usize,
}

impl Rule for SumLeading {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let mut x = unary(operands)?;
        if self.axes > x.rank() {
            return Err(Misfit::new("C1", format!("{x} has no {} axes", self.axes)));
        }
        x.sizes.drain(..self.axes);
        Ok(x)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let sizes = at.build.shape(at.operands[0]).sizes;
        let axes = (self.axes..sizes.len()).collect();
        vec![Some(at.build.add(Broadcast { sizes, axes }.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let x = operands[0];
        let mut sum = Array::filled(&x.dims[self.axes..], 0.0);
        let width = sum.data.len().max(1);
        x.data.iter().enumerate().for_each(|(i, v)| sum.data[i % width] += v);
        sum
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], usize); 4] = [(&[3, 4], 1), (&[2, 3, 4], 2), (&[5], 1), (&[2, 3], 2)];
        cases.map(|(dims, axes)| Sample::new(Self { axes }, [Array::random(seed, "x", dims)])).to_vec()
    }
}
