//! A convolution of each channel by itself: x [B, C, H, W], w [C, 1, k, k] to [B, C, H', W'], zeros beyond the edge.
//!
//! `y[b, c, i, j] = sum over u, v of w[c, 0, u, v] x[b, c, i stride + u - pad, j stride + v - pad]`. It is linear in x and in w, and so
//! are its gradients: [`DepthwiseGrad`] for x and [`DepthwiseWeightGrad`] for w.
//!
//! C1: images at least as large as the window. C2: the window is square, one for each channel.

use super::pointwise::{count, of_kind};
use super::unfold::{Window, extent};
use super::{
    Array, Backward, Build, Class, Context, DepthwiseGrad, DepthwiseWeightGrad, Facts, Misfit, Multiply, Permute, Reshape, Rule, Sample,
    Sum, Unfold, Value,
};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// A convolution of each channel by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depthwise {
    /// The window.
    pub window: Window,
}

/// Each pair of places that a window brings together: the result's, the image's and the weight's, by (row, column).
pub fn pairs(window: Window, [height, width]: [usize; 2], mut visit: impl FnMut([usize; 2], [usize; 2], [usize; 2])) {
    let (down, across) = (window.places(height).unwrap_or(0), window.places(width).unwrap_or(0));
    for (i, j) in (0..down * across).map(|place| (place / across, place % across)) {
        for (u, v) in (0..window.side * window.side).map(|place| (place / window.side, place % window.side)) {
            if let Some((y, x)) = window.under(i, u, height).zip(window.under(j, v, width)) {
                visit([i, j], [y, x], [u, v]);
            }
        }
    }
}

impl Rule for Depthwise {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, w] = count(operands)?;
        of_kind(x, Kind::Float)?;
        of_kind(w, Kind::Float)?;
        let (rows, [channels, _, _, down, across]) = extent(x, self.window)?;
        let side = Size::from(self.window.side);
        if w.sizes[..] != [Size::from(channels), Size::from(1_usize), side.clone(), side] || self.window.stride == 0 {
            return Err(Misfit::new("C2", format!("{w} is no window for each channel of {x}")));
        }
        Ok(Shape::float([rows, Size::from(channels), Size::from(down), Size::from(across)]))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [x, w] = [at.operands[0], at.operands[1]];
        let sizes = at.build.shape(x).sizes;
        let (height, width) = (sizes[2].len(), sizes[3].len());
        let of_x = DepthwiseGrad { window: self.window, height, width };
        let dx = at.wanted[0].then(|| at.build.add(of_x.into(), &[at.dy, w]));
        let of_w = DepthwiseWeightGrad { window: self.window };
        let dw = at.wanted[1].then(|| at.build.add(of_w.into(), &[at.dy, x]));
        vec![dx, dw]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, w] = [operands[0], operands[1]];
        let places = |length: usize| self.window.places(length).unwrap_or(0);
        let mut y = Array::filled(&[x.dims[0], x.dims[1], places(x.dims[2]), places(x.dims[3])], 0.0);
        let (height, width, side) = (x.dims[2], x.dims[3], self.window.side);
        let (plane, across) = (y.dims[2] * y.dims[3], y.dims[3]);
        for at in 0..x.dims[0] * x.dims[1] {
            let of = at % x.dims[1] * side * side;
            pairs(self.window, [height, width], |[i, j], [row, column], [u, v]| {
                y.data[at * plane + i * across + j] += w.data[of + u * side + v] * x.data[at * height * width + row * width + column];
            });
        }
        y
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let [x, w] = [operands[0], operands[1]];
        let (rows, [channels, _, _, down, across]) = extent(&build.shape(x), self.window).ok()?;
        let [channels, numbers] = [channels, self.window.side * self.window.side].map(Size::from);
        let patches = build.add(Unfold { window: self.window }.into(), &[x]);
        let sizes = smallvec![rows.clone(), Size::from(down * across), channels.clone(), numbers.clone()];
        let patches = build.add(Reshape { sizes }.into(), &[patches]);
        let weights = build.add(Reshape { sizes: smallvec![channels.clone(), numbers] }.into(), &[w]);
        let products = build.add(Multiply.into(), &[patches, weights]);
        let y = build.add(Sum { axis: 3 }.into(), &[products]);
        let y = build.add(Permute { axes: vec![0, 2, 1] }.into(), &[y]);
        Some(build.add(Reshape { sizes: smallvec![rows, channels, Size::from(down), Size::from(across)] }.into(), &[y]))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Contraction, 2 * self.window.side * self.window.side * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let sample = |(window, [b, c, h, w]): &(Window, [usize; 4])| {
            let weights = Array::random(seed, "w", &[*c, 1, window.side, window.side]);
            Sample::new(Self { window: *window }, [Array::random(seed, "x", &[*b, *c, *h, *w]), weights])
        };
        cases().iter().map(sample).collect()
    }
}

/// Windows with sizes of images to try them on.
pub fn cases() -> Vec<(Window, [usize; 4])> {
    let window = |side, stride, pad, after| Window { side, stride, pad, after };
    vec![
        (window(3, 1, 1, 1), [2, 3, 5, 4]),
        (window(3, 2, 0, 1), [1, 2, 6, 7]),
        (window(5, 2, 1, 2), [2, 1, 9, 8]),
        (window(5, 1, 2, 2), [1, 2, 3, 20]),
        (window(1, 1, 0, 0), [1, 1, 1, 1]),
    ]
}
