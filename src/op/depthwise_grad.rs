//! The gradient of [`Depthwise`](super::Depthwise) for x: dy [B, C, H', W'], w [C, 1, k, k] to [B, C, H, W].
//!
//! `dx[b, c, y, z] = sum of w[c, 0, u, v] dy[b, c, i, j]` over the windows (i, j) and places (u, v) that lie over (y, z).
//!
//! C1: dy has the places of such a window on images of this height and width. C2: one window for each channel.

use super::depthwise::{cases, pairs};
use super::pointwise::{count, of_kind};
use super::unfold::Window;
use super::{Array, Backward, Class, Context, Depthwise, DepthwiseWeightGrad, Facts, Misfit, Rule, Sample, Value};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// What each place of the images has in the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthwiseGrad {
    /// The window.
    pub window: Window,
    /// Of the images.
    pub height: usize,
    /// Of the images.
    pub width: usize,
}

impl Rule for DepthwiseGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [dy, w] = count(operands)?;
        of_kind(dy, Kind::Float)?;
        of_kind(w, Kind::Float)?;
        let wrong = || Misfit::new("C1", format!("{dy} are no results of images of {} x {}", self.height, self.width));
        let [b, c, down, across] = dy.sizes.as_slice() else { return Err(wrong()) };
        let places = self.window.places(self.height).zip(self.window.places(self.width));
        if places.map(|(down, across)| [Size::from(down), Size::from(across)]) != Some([down.clone(), across.clone()]) {
            return Err(wrong());
        }
        let side = Size::from(self.window.side);
        if w.sizes[..] != [c.clone(), Size::from(1_usize), side.clone(), side] {
            return Err(Misfit::new("C2", format!("{w} is no window for each channel of {dy}")));
        }
        Ok(Shape::float([b.clone(), c.clone(), Size::from(self.height), Size::from(self.width)]))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [dy, w] = [at.operands[0], at.operands[1]];
        let of_dy = at.wanted[0].then(|| at.build.add(Depthwise { window: self.window }.into(), &[at.dy, w]));
        let of_w = DepthwiseWeightGrad { window: self.window };
        let of_w = at.wanted[1].then(|| at.build.add(of_w.into(), &[dy, at.dy]));
        vec![of_dy, of_w]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [dy, w] = [operands[0], operands[1]];
        let mut dx = Array::filled(&[dy.dims[0], dy.dims[1], self.height, self.width], 0.0);
        let (plane, across, side) = (dy.dims[2] * dy.dims[3], dy.dims[3], self.window.side);
        for at in 0..dy.dims[0] * dy.dims[1] {
            let of = at % dy.dims[1] * side * side;
            pairs(self.window, [self.height, self.width], |[i, j], [row, column], [u, v]| {
                dx.data[(at * self.height + row) * self.width + column] += w.data[of + u * side + v] * dy.data[at * plane + i * across + j];
            });
        }
        dx
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Contraction, 2 * self.window.side * self.window.side * operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let sample = |(window, [b, c, h, w]): &(Window, [usize; 4])| {
            let places = |length| window.places(length).unwrap_or(0);
            let dy = Array::random(seed, "dy", &[*b, *c, places(*h), places(*w)]);
            let weights = Array::random(seed, "w", &[*c, 1, window.side, window.side]);
            Sample::new(Self { window: *window, height: *h, width: *w }, [dy, weights])
        };
        cases().iter().map(sample).collect()
    }
}
