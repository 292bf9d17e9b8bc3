//! Zeros before and after one axis.
//!
//! C1: the axis exists. Gradient: [`Slice`](super::Slice).

use super::pointwise::count;
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Slice, Value};
use crate::shape::{Batch, Shape, Size};
use serde::{Deserialize, Serialize};

/// Zeros before and after one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// Which axis.
    pub axis: usize,
    /// Zeros before it.
    pub before: Size,
    /// Zeros after it.
    pub after: Size,
}

impl Rule for Pad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        let mut sizes = x.sizes.clone();
        let Some(size) = sizes.get_mut(self.axis) else {
            return Err(Misfit::new("C1", format!("{x} has no axis {}", self.axis)));
        };
        *size = self.before.clone() + size.clone() + self.after.clone();
        Ok(x.with_sizes(sizes))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let size = at.build.shape(at.operands[0]).sizes[self.axis].clone();
        let end = self.before.clone() + size;
        let slice = Slice { axis: self.axis, start: self.before.clone(), end };
        vec![Some(at.build.add(slice.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let x = operands[0];
        let (before, size, after) = x.around(self.axis);
        let mut dims = x.dims.clone();
        dims[self.axis] += self.before.len() + self.after.len();
        let mut data = Vec::with_capacity(dims.iter().product());
        for b in 0..before {
            data.resize(data.len() + self.before.len() * after, 0.0);
            data.extend(&x.data[b * size * after..(b + 1) * size * after]);
            data.resize(data.len() + self.after.len() * after, 0.0);
        }
        Array { dims, data }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |dims: &[usize], axis, before: usize, after: usize| {
            let op = Self { axis, before: before.into(), after: after.into() };
            Sample::new(op, [Array::random(seed, "x", dims)])
        };
        vec![case(&[2, 3], 0, 1, 2), case(&[2, 3, 2], 1, 0, 4), case(&[3], 0, 2, 0)]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { axis: self.axis, before: self.before.bind(batch), after: self.after.bind(batch) }
    }
}
