//! The last place of each row that a condition marks (place 0 if none): x [B, N, *], mask [B, N] to [B, *].
//!
//! C1: the mask is a condition on the first two axes of x. Gradient: [`PutLast`](super::PutLast).

use super::pointwise::{count, of_kind};
use super::{Array, Backward, Class, Context, Facts, Misfit, PutLast, Rule, Sample, Value};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// The last marked place of each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Last;

impl Rule for Last {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, mask] = count(operands)?;
        of_kind(mask, Kind::Condition)?;
        if mask.rank() != 2 || x.rank() < 2 || x.sizes[..2] != mask.sizes[..] {
            return Err(Misfit::new("C1", format!("the mask {mask} must be the first two axes of {x}")));
        }
        let mut sizes = x.sizes.clone();
        sizes.remove(1);
        Ok(x.with_sizes(sizes))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let n = at.build.shape(at.operands[1]).sizes[1].clone();
        let x = at.wanted[0].then(|| at.build.add(PutLast { n }.into(), &[at.dy, at.operands[1]]));
        vec![x, None]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, mask] = [operands[0], operands[1]];
        let (n, width) = (x.dims[1], x.dims[2..].iter().product::<usize>());
        let row = |(b, marks): (usize, &[f64])| {
            let from = (b * n + place(marks)) * width;
            x.data[from..from + width].to_vec()
        };
        let mut dims = x.dims.clone();
        dims.remove(1);
        Array { dims, data: mask.rows().enumerate().flat_map(row).collect() }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |x: &[usize]| {
            Sample::new(Self, [Array::random(seed, "x", x), Array::conditions(seed, "m", &x[..2])])
        };
        vec![case(&[4, 5, 3]), case(&[3, 2]), case(&[2, 1, 2])]
    }
}

/// The last marked place, 0 if none is.
pub fn place(marks: &[f64]) -> usize {
    marks.iter().rposition(|m| *m != 0.0).unwrap_or(0)
}
