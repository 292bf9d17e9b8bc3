//! Rows put into the last marked place of zeros, the transpose of [`Last`](super::Last): dy [B, *], mask [B, n] to [B, n, *].
//!
//! C1: the mask is a condition [B, n] over the rows of dy.

use super::last::place;
use super::pointwise::{count, of_kind};
use super::{Array, Backward, Class, Context, Facts, Last, Misfit, Rule, Sample, Value};
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// Rows put into the last marked place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PutLast {
    /// Places a row.
    pub n: Size,
}

impl Rule for PutLast {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, mask] = count(operands)?;
        of_kind(mask, Kind::Condition)?;
        if mask.rank() != 2 || x.sizes.first() != Some(&mask.sizes[0]) || mask.sizes[1] != self.n {
            return Err(Misfit::new("C1", format!("the mask {mask} must be [B, {}] over the rows of {x}", self.n)));
        }
        let mut sizes = x.sizes.clone();
        sizes.insert(1, self.n.clone());
        Ok(x.with_sizes(sizes))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let x = at.wanted[0].then(|| at.build.add(Last.into(), &[at.dy, at.operands[1]]));
        vec![x, None]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, mask] = [operands[0], operands[1]];
        let (n, width) = (self.n.len(), x.dims[1..].iter().product::<usize>());
        let mut dims = x.dims.clone();
        dims.insert(1, n);
        let mut y = Array::filled(&dims, 0.0);
        for (b, marks) in mask.rows().enumerate() {
            let to = (b * n + place(marks)) * width;
            y.data[to..to + width].copy_from_slice(&x.data[b * width..(b + 1) * width]);
        }
        y
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |x: &[usize], n: usize| {
            let mask = Array::conditions(seed, "m", &[x[0], n]);
            Sample::new(Self { n: n.into() }, [Array::random(seed, "x", x), mask])
        };
        vec![case(&[4, 3], 5), case(&[3], 2)]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { n: self.n.bind(batch) }
    }
}
