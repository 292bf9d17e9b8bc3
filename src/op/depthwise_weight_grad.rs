//! The gradient of [`Depthwise`](super::Depthwise) for w: dy [B, C, H', W'], x [B, C, H, W] to [C, 1, k, k].
//!
//! `dw[c, 0, u, v] = sum over b, i, j of dy[b, c, i, j] x[b, c, i stride + u - pad, j stride + v - pad]`.
//!
//! C1: images at least as large as the window. C2: dy has its places on them.

use super::depthwise::{cases, pairs};
use super::pointwise::{count, of_kind};
use super::unfold::{Window, extent};
use super::{Array, Backward, Class, Context, Depthwise, DepthwiseGrad, Facts, Misfit, Rule, Sample, Value};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// What each weight has in the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthwiseWeightGrad {
    /// The window.
    pub window: Window,
}

impl Rule for DepthwiseWeightGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [dy, x] = count(operands)?;
        of_kind(dy, Kind::Float)?;
        of_kind(x, Kind::Float)?;
        let (rows, [channels, _, _, down, across]) = extent(x, self.window)?;
        if dy.sizes[..] != [rows, Size::from(channels), Size::from(down), Size::from(across)] {
            return Err(Misfit::new("C2", format!("{dy} are no results of {x}")));
        }
        let side = self.window.side;
        Ok(Shape::float([channels, 1, side, side].map(Size::from)))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [dy, x] = [at.operands[0], at.operands[1]];
        let sizes = at.build.shape(x).sizes;
        let of_dy = at.wanted[0].then(|| at.build.add(Depthwise { window: self.window }.into(), &[x, at.dy]));
        let of_x = DepthwiseGrad { window: self.window, height: sizes[2].len(), width: sizes[3].len() };
        let of_x = at.wanted[1].then(|| at.build.add(of_x.into(), &[dy, at.dy]));
        vec![of_dy, of_x]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [dy, x] = [operands[0], operands[1]];
        let (side, channels, height, width) = (self.window.side, x.dims[1], x.dims[2], x.dims[3]);
        let mut dw = Array::filled(&[channels, 1, side, side], 0.0);
        let (plane, across) = (dy.dims[2] * dy.dims[3], dy.dims[3]);
        for at in 0..x.dims[0] * channels {
            let of = at % channels * side * side;
            pairs(self.window, [height, width], |[i, j], [row, column], [u, v]| {
                dw.data[of + u * side + v] += dy.data[at * plane + i * across + j] * x.data[(at * height + row) * width + column];
            });
        }
        dw
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Contraction, 2 * self.window.side * self.window.side * operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let sample = |(window, [b, c, h, w]): &(Window, [usize; 4])| {
            let places = |length| window.places(length).unwrap_or(0);
            let dy = Array::random(seed, "dy", &[*b, *c, places(*h), places(*w)]);
            Sample::new(Self { window: *window }, [dy, Array::random(seed, "x", &[*b, *c, *h, *w])])
        };
        cases().iter().map(sample).collect()
    }
}
