//! Places `start..end` of one axis.
//!
//! C1: the axis exists and `0 <= start <= end <=` its size. Gradient: [`Pad`](super::Pad).

use super::pointwise::count;
use super::{Array, Backward, Class, Context, Facts, Misfit, Pad, Rule, Sample, Value};
use crate::shape::{Batch, Shape, Size};
use serde::{Deserialize, Serialize};

/// Places `start..end` of one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Which axis.
    pub axis: usize,
    /// The first place.
    pub start: Size,
    /// One past the last place.
    pub end: Size,
}

impl Rule for Slice {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        let wrong = || Misfit::new("C1", format!("{}..{} of axis {} is outside of {x}", self.start, self.end, self.axis));
        let size = x.sizes.get(self.axis).ok_or_else(wrong)?;
        let inside = Size::from(0i64).at_most(&self.start) && self.start.at_most(&self.end) && self.end.at_most(size);
        if !inside {
            return Err(wrong());
        }
        let mut sizes = x.sizes.clone();
        sizes[self.axis] = self.end.clone() - self.start.clone();
        Ok(x.with_sizes(sizes))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let size = at.build.shape(at.operands[0]).sizes[self.axis].clone();
        let pad = Pad { axis: self.axis, before: self.start.clone(), after: size - self.end.clone() };
        vec![Some(at.build.add(pad.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let x = operands[0];
        let mut dims = x.dims.clone();
        dims[self.axis] = self.end.len() - self.start.len();
        let (before, size, after) = x.around(self.axis);
        let piece = |b: usize| {
            let from = (b * size + self.start.len()) * after;
            x.data[from..from + dims[self.axis] * after].to_vec()
        };
        Array { data: (0..before).flat_map(piece).collect(), dims: dims.clone() }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |dims: &[usize], axis, start: usize, end: usize| {
            let op = Self { axis, start: start.into(), end: end.into() };
            Sample::new(op, [Array::random(seed, "x", dims)])
        };
        vec![case(&[5, 3], 0, 1, 4), case(&[2, 5, 3], 1, 0, 1), case(&[2, 5], 1, 4, 5), case(&[7], 0, 2, 6)]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { axis: self.axis, start: self.start.bind(batch), end: self.end.bind(batch) }
    }
}
