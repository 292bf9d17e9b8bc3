//! A convolution: x [B, C, H, W], w [O, C, k, k], b [O] to [B, O, H', W'], zeros beyond the edge.
//!
//! `y[b, o, i, j] = b[o] + sum over c, u, v of w[o, c, u, v] x[b, c, i stride + u - pad, j stride + v - pad]`. Gradients by the
//! patches under the window: `dw = dy' patches`, `dx = fold(dy w)`.
//!
//! C1: images at least as large as the window. C2: the window is square, of the images' channels; one bias an output.

use super::matmul::rows;
use super::pointwise::{count, of_kind};
use super::unfold::{Window, extent};
use super::{
    Add, Array, Backward, Build, Class, Context, Facts, Matmul, Misfit, Permute, Reshape, Rule, Sample, SumLeading, Unfold, Value,
};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// A convolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Zeros above and to the left of the image.
    pub pad: usize,
    /// Zeros below and to the right of it.
    pub after: usize,
    /// Places from one window to the next.
    pub stride: usize,
}

impl Conv2d {
    fn window(&self, w: &Shape) -> Window {
        Window { side: w.sizes.last().map_or(0, Size::len), stride: self.stride, pad: self.pad, after: self.after }
    }
}

/// w as a matrix [O, C k k].
fn matrix(build: &mut dyn Build, w: Value) -> Value {
    let sizes = build.shape(w).sizes;
    let numbers = sizes[1..].iter().map(Size::len).product::<usize>();
    build.add(Reshape { sizes: smallvec![sizes[0].clone(), Size::from(numbers)] }.into(), &[w])
}

impl Rule for Conv2d {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, w, b] = count(operands)?;
        for operand in [x, w, b] {
            of_kind(operand, Kind::Float)?;
        }
        let (rows, [channels, _, _, down, across]) = extent(x, self.window(w))?;
        let fits = w.rank() == 4 && w.sizes[2] == w.sizes[3] && w.sizes[1] == Size::from(channels) && self.stride > 0;
        if !fits || b.sizes[..] != w.sizes[..1] {
            return Err(Misfit::new("C2", format!("{w} with {b} is no convolution of {x}")));
        }
        Ok(Shape::float([rows, w.sizes[0].clone(), Size::from(down), Size::from(across)]))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [x, w] = [at.operands[0], at.operands[1]];
        let (x_shape, w_shape) = (at.build.shape(x), at.build.shape(w));
        let dy = at.build.shape(at.dy).sizes;
        let places = Size::from(dy[2].len() * dy[3].len());
        let flat = Reshape { sizes: smallvec![dy[0].clone(), dy[1].clone(), places] };
        let flat = at.build.add(flat.into(), &[at.dy]);
        let by_place = at.build.add(Permute { axes: vec![0, 2, 1] }.into(), &[flat]);
        let dy = rows(at.build, by_place);
        let dx = at.wanted[0].then(|| {
            let matrix = matrix(at.build, w);
            let patches = at.build.add(Matmul { transpose_left: false, transpose_right: false }.into(), &[by_place, matrix]);
            let (height, width) = (x_shape.sizes[2].len(), x_shape.sizes[3].len());
            at.build.add(super::Fold { window: self.window(&w_shape), height, width }.into(), &[patches])
        });
        let dw = at.wanted[1].then(|| {
            let patches = at.build.add(Unfold { window: self.window(&w_shape) }.into(), &[x]);
            let patches = rows(at.build, patches);
            let dw = at.build.add(Matmul { transpose_left: true, transpose_right: false }.into(), &[dy, patches]);
            at.build.add(Reshape { sizes: w_shape.sizes.clone() }.into(), &[dw])
        });
        let db = at.wanted[2].then(|| at.build.add(SumLeading { axes: 1 }.into(), &[dy]));
        vec![dx, dw, db]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, w, b] = [operands[0], operands[1], operands[2]];
        let window = Window { side: w.dims[3], stride: self.stride, pad: self.pad, after: self.after };
        let (h, across) = (x.dims[2], x.dims[3]);
        let sizes = [window.places(h).unwrap_or(0), window.places(across).unwrap_or(0)];
        Array::from_fn(&[x.dims[0], w.dims[0], sizes[0], sizes[1]], |at| {
            let mut sum = b.data[at[1]];
            for (c, i, j) in (0..w.dims[1] * window.side * window.side).map(|n| (n / (window.side * window.side), n / window.side % window.side, n % window.side)) {
                if let Some((y, z)) = window.under(at[2], i, h).zip(window.under(at[3], j, across)) {
                    sum += w.at(&[at[1], c, i, j]) * x.at(&[at[0], c, y, z]);
                }
            }
            sum
        })
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let [x, w, b] = [operands[0], operands[1], operands[2]];
        let (x_shape, w_shape) = (build.shape(x), build.shape(w));
        let (rows, [_, _, _, down, across]) = extent(&x_shape, self.window(&w_shape)).ok()?;
        let patches = build.add(Unfold { window: self.window(&w_shape) }.into(), &[x]);
        let matrix = matrix(build, w);
        let matrix = build.add(Permute { axes: vec![1, 0] }.into(), &[matrix]);
        let y = build.add(Matmul { transpose_left: false, transpose_right: false }.into(), &[patches, matrix]);
        let y = build.add(Add.into(), &[y, b]);
        let y = build.add(Permute { axes: vec![0, 2, 1] }.into(), &[y]);
        let sizes = vec![rows, w_shape.sizes[0].clone(), Size::from(down), Size::from(across)];
        Some(build.add(Reshape { sizes: sizes.into() }.into(), &[y]))
    }

    fn facts(&self, operands: &[&Shape], result: &Shape) -> Facts {
        let sums = operands[1].sizes.iter().skip(1).map(Size::len).product::<usize>();
        Facts::new(Class::Contraction, 2 * sums * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |x: &[usize], out: usize, side: usize, (pad, after, stride)| {
            let w = Array::random(seed, "w", &[out, x[1], side, side]);
            Sample::new(Self { pad, after, stride }, [Array::random(seed, "x", x), w, Array::random(seed, "b", &[out])])
        };
        vec![case(&[2, 3, 5, 5], 4, 3, (1, 1, 1)), case(&[1, 2, 6, 4], 3, 3, (1, 1, 2)), case(&[2, 2, 3, 3], 2, 1, (0, 0, 1)), case(&[1, 1, 7, 7], 1, 7, (3, 3, 1)), case(&[1, 2, 6, 4], 3, 3, (0, 1, 2))]
    }
}
