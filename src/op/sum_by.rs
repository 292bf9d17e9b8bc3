//! Rows added up by index, the transpose of taking: x [index, *], index to [rows, *].
//!
//! C1: x begins with the axes of the index. Gradient: [`Take`](super::Take).

use super::pointwise::{count, of_kind};
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Take, Value};
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// Rows added up by index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SumBy {
    /// Rows of the result, above every id.
    pub rows: Size,
}

impl Rule for SumBy {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, ids] = count(operands)?;
        of_kind(x, Kind::Float)?;
        of_kind(ids, Kind::Ids)?;
        if x.rank() < ids.rank() || x.sizes[..ids.rank()] != ids.sizes[..] {
            return Err(Misfit::new("C1", format!("{x} does not begin with the axes of {ids}")));
        }
        let rest = x.sizes[ids.rank()..].iter().cloned();
        Ok(Shape::float(std::iter::once(self.rows.clone()).chain(rest)))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let x = at.wanted[0].then(|| at.build.add(Take.into(), &[at.dy, at.operands[1]]));
        vec![x, None]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, ids] = [operands[0], operands[1]];
        let rest = &x.dims[ids.dims.len()..];
        let width: usize = rest.iter().product();
        let dims: Vec<usize> = std::iter::once(self.rows.len()).chain(rest.iter().copied()).collect();
        let mut sum = Array::filled(&dims, 0.0);
        for (i, id) in ids.data.iter().enumerate() {
            let to = *id as usize * width;
            (0..width).for_each(|j| sum.data[to + j] += x.data[i * width + j]);
        }
        sum
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |rows: usize, x: &[usize], ids: &[usize]| {
            let operands = [Array::random(seed, "x", x), Array::ids(seed, "i", ids, rows as u32)];
            Sample::new(Self { rows: rows.into() }, operands)
        };
        vec![case(4, &[9, 3], &[9]), case(5, &[2, 6, 3], &[2, 6]), case(3, &[7], &[7])]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { rows: self.rows.bind(batch) }
    }
}
