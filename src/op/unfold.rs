//! The patches under a moving window: x [B, C, H, W] to [B, P, C k k], zeros beyond the edge.
//!
//! Window p of the P = H' W' has its corner at `(y, x) stride - pad`, H' = (H + pad + after - k) / stride + 1 and so on; its
//! numbers lie by channel, row, column. With it a convolution is a matrix product. Gradient: [`Fold`](super::Fold).
//!
//! C1: images [B, C, H, W] of known height and width, at least as large as the window.

use super::pointwise::{count, of_kind};
use super::{Array, Backward, Class, Context, Facts, Fold, Misfit, Rule, Sample, Value};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// A square window that moves over images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its side, k.
    pub side: usize,
    /// Places from one window to the next.
    pub stride: usize,
    /// Zeros above and to the left of the image.
    pub pad: usize,
    /// Zeros below and to the right of it.
    pub after: usize,
}

impl Window {
    /// Windows along an axis; `None` if the axis is shorter than the window.
    pub fn places(&self, length: usize) -> Option<usize> {
        let rest = (length + self.pad + self.after).checked_sub(self.side)?;
        Some(rest / self.stride.max(1) + 1)
    }

    /// The place under row or column `i` of window `at`; `None` beyond the edge.
    pub fn under(&self, at: usize, i: usize, length: usize) -> Option<usize> {
        (at * self.stride + i).checked_sub(self.pad).filter(|place| *place < length)
    }
}

/// The patches under a moving window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfold {
    /// The window.
    pub window: Window,
}

/// Rows, channels, height, width, and windows down and across.
///
/// # Errors
/// C1: it is no image, or smaller than the window.
pub fn extent(x: &Shape, window: Window) -> Result<(Size, [usize; 5]), Misfit> {
    let wrong = || Misfit::new("C1", format!("expected images [B, C, H, W] of at least {} pixels, found {x}", window.side));
    let [b, c, h, w] = x.sizes.as_slice() else { return Err(wrong()) };
    let known = |size: &Size| size.number().and_then(|n| usize::try_from(n).ok()).ok_or_else(wrong);
    let (c, h, w) = (known(c)?, known(h)?, known(w)?);
    let (down, across) = (window.places(h).ok_or_else(wrong)?, window.places(w).ok_or_else(wrong)?);
    Ok((b.clone(), [c, h, w, down, across]))
}

impl Rule for Unfold {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        of_kind(x, Kind::Float)?;
        let (b, [c, _, _, down, across]) = extent(x, self.window)?;
        let numbers = c * self.window.side * self.window.side;
        Ok(Shape::float([b, Size::from(down * across), Size::from(numbers)]))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let dims: Vec<usize> = at.build.shape(at.operands[0]).sizes.iter().skip(2).map(Size::len).collect();
        let fold = Fold { window: self.window, height: dims[0], width: dims[1] };
        vec![Some(at.build.add(fold.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let x = operands[0];
        let (b, c, h, w) = (x.dims[0], x.dims[1], x.dims[2], x.dims[3]);
        let (window, k) = (self.window, self.window.side);
        let (down, across) = (window.places(h).unwrap_or(0), window.places(w).unwrap_or(0));
        Array::from_fn(&[b, down * across, c * k * k], |at| {
            let (channel, i, j) = (at[2] / (k * k), at[2] / k % k, at[2] % k);
            let place = window.under(at[1] / across, i, h).zip(window.under(at[1] % across, j, w));
            place.map_or(0.0, |(y, z)| x.at(&[at[0], channel, y, z]))
        })
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |dims: &[usize], (side, stride, pad, after)| {
            let window = Window { side, stride, pad, after };
            Sample::new(Self { window }, [Array::random(seed, "x", dims)])
        };
        vec![case(&[2, 3, 5, 5], (3, 1, 1, 1)), case(&[1, 2, 6, 4], (2, 2, 0, 0)), case(&[2, 1, 5, 6], (3, 2, 1, 1)), case(&[1, 1, 1, 1], (1, 1, 0, 0)), case(&[1, 2, 6, 7], (3, 2, 0, 1))]
    }
}
