//! The sum over one axis.
//!
//! C1: the axis exists. Gradient: dy repeated along it.

use super::pointwise::unary;
use super::{Array, Backward, Broadcast, Class, Context, Facts, Misfit, Rule, Sample, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// The sum over one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// Which axis.
    pub axis: usize,
}

impl Rule for Sum {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        without(unary(operands)?, self.axis)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let sizes = at.build.shape(at.operands[0]).sizes;
        let axes = (0..sizes.len()).filter(|a| *a != self.axis).collect();
        vec![Some(at.build.add(Broadcast { sizes, axes }.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        reduce(operands[0], self.axis, |values| values.iter().sum())
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], usize); 4] = [(&[3, 4], 0), (&[3, 4], 1), (&[2, 3, 4], 1), (&[5], 0)];
        cases.map(|(dims, axis)| Sample::new(Self { axis }, [Array::random(seed, "x", dims)])).to_vec()
    }
}

/// C1: a shape with one axis less.
pub fn without(mut shape: Shape, axis: usize) -> Result<Shape, Misfit> {
    if axis >= shape.rank() {
        return Err(Misfit::new("C1", format!("{shape} has no axis {axis}")));
    }
    shape.sizes.remove(axis);
    Ok(shape)
}

/// A number for each run of values along an axis.
pub fn reduce(x: &Array, axis: usize, f: impl Fn(&[f64]) -> f64) -> Array {
    let (before, size, after) = x.around(axis);
    let mut dims = x.dims.clone();
    dims.remove(axis);
    let run = |b: usize, a: usize| (0..size).map(|i| x.data[(b * size + i) * after + a]).collect::<Vec<f64>>();
    let data = (0..before).flat_map(|b| (0..after).map(move |a| (b, a))).map(|(b, a)| f(&run(b, a))).collect();
    Array { dims, data }
}
