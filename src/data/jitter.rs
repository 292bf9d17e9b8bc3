//! `jitter(s)`: brightness, contrast and saturation, each by a drawn factor of `max(0, 1 - s)` to `1 + s`, in drawn order.
//!
//! As torchvision's ColorJitter on Pillow's pictures: every value goes away from black, from the mean grey of the picture or
//! from the grey of its pixel by the factor, and is cut down to a whole number.
//!
//! ```
//! use chiasm::data::{image::Pixels, jitter::{Change, perform}};
//! let grey = Pixels::filled(4, 4, [100, 100, 100]);
//! assert_eq!(perform(grey.clone(), Change::Brightness, 1.25).at(0, 0), [125; 3]);
//! assert_eq!(perform(grey.clone(), Change::Contrast, 0.3), grey);
//! assert_eq!(perform(grey.clone(), Change::Saturation, 0.3), grey);
//! ```

use super::image::Pixels;
use crate::random::Stream;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Away from black.
    Brightness,
    /// Away from the mean grey of the picture.
    Contrast,
    /// Every pixel away from its own grey.
    Saturation,
}

/// Draws order and factors for a row of a stream, and applies them.
pub fn apply(pixels: Pixels, strength: f64, stream: Stream, row: u32) -> Pixels {
    let mut order = [Change::Brightness, Change::Contrast, Change::Saturation];
    order.swap(2, stream.below(3, row, 0) as usize);
    order.swap(1, stream.below(2, row, 1) as usize);
    order.into_iter().fold(pixels, |pixels, change| {
        let (low, high) = ((1.0 - strength).max(0.0), 1.0 + strength);
        let drawn = f64::from(stream.uniform(row, 2 + change as u32));
        perform(pixels, change, (low + (high - low) * drawn) as f32)
    })
}

/// Applies one change.
pub fn perform(mut pixels: Pixels, change: Change, factor: f32) -> Pixels {
    let mean = if change == Change::Contrast { mean_grey(&pixels) } else { 0 };
    for colour in pixels.bytes.as_chunks_mut::<3>().0 {
        let from = match change {
            Change::Brightness => 0,
            Change::Contrast => mean,
            Change::Saturation => grey(*colour),
        };
        colour.iter_mut().for_each(|value| *value = away(from, *value, factor));
    }
    pixels
}

/// `from + factor (value - from)`, within 8 bits.
fn away(from: u8, value: u8, factor: f32) -> u8 {
    let (from, value) = (f32::from(from), f32::from(value));
    (from + factor * (value - from)) as u8
}

/// Pillow's grey of a colour (ITU-R 601-2).
fn grey([red, green, blue]: [u8; 3]) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16) as u8
}

/// The mean grey of a picture, rounded.
fn mean_grey(pixels: &Pixels) -> u8 {
    let colours = pixels.bytes.as_chunks::<3>().0;
    let sum: u64 = colours.iter().map(|colour| u64::from(grey(*colour))).sum();
    (sum as f64 / colours.len().max(1) as f64 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by Pillow's formulas: greys of red, green and white are 76, 150, 255, their mean 160.
    #[test]
    fn changes_are_those_of_pillow() {
        let bytes = [[255, 0, 0], [0, 255, 0], [255, 255, 255]].concat();
        let picture = Pixels { width: 3, height: 1, bytes };
        let changed = |change, factor| perform(picture.clone(), change, factor).bytes;
        assert_eq!(changed(Change::Brightness, 0.5), [127, 0, 0, 0, 127, 0, 127, 127, 127]);
        assert_eq!(changed(Change::Contrast, 0.5), [207, 80, 80, 80, 207, 80, 207, 207, 207]);
        assert_eq!(changed(Change::Saturation, 0.0), [76, 76, 76, 150, 150, 150, 255, 255, 255]);
        assert_eq!(changed(Change::Saturation, 1.5), [255, 0, 0, 0, 255, 0, 255, 255, 255]);
    }

    #[test]
    fn factors_stay_within_bounds_and_differ() {
        let grey = || Pixels::filled(1, 1, [100; 3]);
        let value = |row| apply(grey(), 0.4, Stream::new(1, "s", "data/jitter").at_step(3), row).at(0, 0)[0];
        let values: Vec<u8> = (0..200).map(value).collect();
        assert!(values.iter().all(|v| (59..=140).contains(v)), "{values:?}");
        assert!(values.iter().any(|v| *v < 70) && values.iter().any(|v| *v > 130));
    }
}
