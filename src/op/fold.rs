//! The transpose of [`Unfold`](super::Unfold): every number of a patch is added to the place it lies over,
//! [B, P, C k k] to [B, C, H, W].
//!
//! C1: the patches are those of such a window on images of this height and width.

use super::pointwise::{count, of_kind};
use super::unfold::Window;
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Unfold, Value};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// Patches added up to images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// The window.
    pub window: Window,
    /// Of the images.
    pub height: usize,
    /// Of the images.
    pub width: usize,
}

impl Rule for Fold {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [patches] = count(operands)?;
        of_kind(patches, Kind::Float)?;
        let wrong = || Misfit::new("C1", format!("{patches} are no patches of {} x {}", self.height, self.width));
        let [b, p, numbers] = patches.sizes.as_slice() else { return Err(wrong()) };
        let (down, across) = (self.window.places(self.height), self.window.places(self.width));
        let places = down.zip(across).map(|(down, across)| Size::from(down * across));
        let channels = numbers.divided((self.window.side * self.window.side) as i64).ok_or_else(wrong)?;
        if places.as_ref() != Some(p) {
            return Err(wrong());
        }
        Ok(Shape::float([b.clone(), channels, Size::from(self.height), Size::from(self.width)]))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        vec![Some(at.build.add(Unfold { window: self.window }.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let (patches, k) = (operands[0], self.window.side);
        let (b, channels) = (patches.dims[0], patches.dims[2] / (k * k));
        let across = self.window.places(self.width).unwrap_or(1);
        let mut images = Array::filled(&[b, channels, self.height, self.width], 0.0);
        for (flat, number) in patches.data.iter().enumerate() {
            let (row, p, at) = (flat / (patches.dims[1] * patches.dims[2]), flat / patches.dims[2] % patches.dims[1], flat % patches.dims[2]);
            let (channel, i, j) = (at / (k * k), at / k % k, at % k);
            let y = self.window.under(p / across, i, self.height);
            if let Some((y, x)) = y.zip(self.window.under(p % across, j, self.width)) {
                images.data[((row * channels + channel) * self.height + y) * self.width + x] += number;
            }
        }
        images
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |(side, stride, pad, after), height: usize, width: usize, channels: usize| {
            let window = Window { side, stride, pad, after };
            let places = window.places(height).unwrap_or(0) * window.places(width).unwrap_or(0);
            let patches = Array::random(seed, "patches", &[2, places, channels * side * side]);
            Sample::new(Self { window, height, width }, [patches])
        };
        vec![case((3, 1, 1, 1), 5, 5, 2), case((2, 2, 0, 0), 6, 4, 1), case((3, 2, 1, 1), 5, 6, 3), case((1, 1, 0, 0), 1, 1, 1), case((3, 2, 0, 1), 6, 7, 2)]
    }
}
