//! RandAugment, in three sets of operations: ALBEF's, [`vilt`]'s and [`timm`]'s.
//!
//! ALBEF's, which BLIP and VLMo use too, are ten operations that leave colour names true.
//! `count` operations are drawn with replacement, each is then applied with probability 1/2. At magnitude M of 10: shear ±0.3 M/10,
//! shift ±10 M/10 pixels, turn ±30 M/10 degrees (signs are coin flips, uncovered area grey 128), brightness and sharpness by the factor
//! 0.1 + 1.8 M/10. The formulas are those of the OpenCV code that these projects share, to the digit (tests/data.rs), but for two slips
//! of it: sharpened values beyond 8 bit are clipped where they wrapped round, and AutoContrast stretches from the darkest value where
//! that was negated in 8 bit.
//!
//! ```
//! use chiasm::data::{image::Pixels, randaugment::{Operation, perform}};
//! let grey = Pixels::filled(4, 4, [100; 3]);
//! assert_eq!(perform(grey.clone(), Operation::Brightness(1.36)).at(0, 0), [136; 3]);
//! assert_eq!(perform(grey.clone(), Operation::Equalize), grey);
//! ```

use super::image::Pixels;
use super::warp::{rotation, warp};
use crate::random::Stream;
use crate::recipe::AugmentSet;

pub mod pillow;
pub mod timm;
pub mod vilt;

/// One of the ten, with its argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Nothing.
    Identity,
    /// Every channel stretched to 0..255.
    AutoContrast,
    /// Every channel's histogram made flat.
    Equalize,
    /// Times this factor.
    Brightness(f64),
    /// Away from the blurred picture by this factor; 1 changes nothing.
    Sharpness(f64),
    /// `x + factor y`
    ShearX(f64),
    /// `y + factor x`
    ShearY(f64),
    /// Pixels to the left.
    TranslateX(f64),
    /// Pixels upwards.
    TranslateY(f64),
    /// Degrees against the clock.
    Rotate(f64),
}

/// Draws and applies `count` operations for a row of a stream.
pub fn apply(
    pixels: Pixels,
    set: AugmentSet,
    (count, magnitude): (usize, f64),
    stream: Stream,
    row: u32,
) -> Pixels {
    (0..count as u32).fold(pixels, |pixels, turn| match set {
        AugmentSet::Albef => match draw(magnitude, stream, row, turn) {
            Some(operation) => perform(pixels, operation),
            None => pixels,
        },
        AugmentSet::Vilt => {
            let operation = vilt::draw(magnitude, stream, row, turn);
            pillow::perform(pixels, operation, vilt::GROUND)
        }
        AugmentSet::Timm => match timm::draw(magnitude, [pixels.width, pixels.height], stream, row, turn) {
            Some(operation) => pillow::perform(pixels, operation, timm::GROUND),
            None => pixels,
        },
    })
}

fn draw(magnitude: f64, stream: Stream, row: u32, turn: u32) -> Option<Operation> {
    let first = turn * 4;
    if stream.uniform(row, first + 1) > 0.5 {
        return None;
    }
    let level = magnitude / 10.0;
    let signed = |most: f64| if stream.uniform(row, first + 2) > 0.5 { -most * level } else { most * level };
    Some(match stream.below(10, row, first) {
        0 => Operation::Identity,
        1 => Operation::AutoContrast,
        2 => Operation::Equalize,
        3 => Operation::Brightness(0.1 + 1.8 * level),
        4 => Operation::Sharpness(0.1 + 1.8 * level),
        5 => Operation::ShearX(signed(0.3)),
        6 => Operation::ShearY(signed(0.3)),
        7 => Operation::TranslateX(signed(10.0)),
        8 => Operation::TranslateY(signed(10.0)),
        _ => Operation::Rotate(signed(30.0)),
    })
}

/// Applies one operation.
pub fn perform(pixels: Pixels, operation: Operation) -> Pixels {
    match operation {
        Operation::Identity => pixels,
        Operation::AutoContrast => by_channel(pixels, stretched),
        Operation::Equalize => by_channel(pixels, flattened),
        Operation::Brightness(factor) => by_channel(pixels, |_| table(|v| v * factor)),
        Operation::Sharpness(factor) => sharpen(pixels, factor as f32),
        Operation::ShearX(factor) => warp(&pixels, [1.0, single(factor), 0.0, 0.0, 1.0, 0.0]),
        Operation::ShearY(factor) => warp(&pixels, [1.0, 0.0, 0.0, single(factor), 1.0, 0.0]),
        Operation::TranslateX(offset) => warp(&pixels, [1.0, 0.0, single(-offset), 0.0, 1.0, 0.0]),
        Operation::TranslateY(offset) => warp(&pixels, [1.0, 0.0, 0.0, 0.0, 1.0, single(-offset)]),
        Operation::Rotate(degrees) => warp(&pixels, rotation(pixels.width, pixels.height, degrees)),
    }
}

/// The original makes these maps in single precision.
fn single(number: f64) -> f64 {
    f64::from(number as f32)
}

type Histogram = [usize; 256];

/// Replaces every value by its entry in the table that its channel's histogram leads to.
fn by_channel(mut pixels: Pixels, make: impl Fn(&Histogram) -> [u8; 256]) -> Pixels {
    for channel in 0..3 {
        let mut histogram = [0; 256];
        pixels.bytes.iter().skip(channel).step_by(3).for_each(|v| histogram[usize::from(*v)] += 1);
        let table = make(&histogram);
        pixels.bytes.iter_mut().skip(channel).step_by(3).for_each(|v| *v = table[usize::from(*v)]);
    }
    pixels
}

fn table(value: impl Fn(f64) -> f64) -> [u8; 256] {
    std::array::from_fn(|i| value(i as f64).clamp(0.0, 255.0) as u8)
}

fn stretched(histogram: &Histogram) -> [u8; 256] {
    let low = histogram.iter().position(|n| *n > 0).unwrap_or(0);
    let high = histogram.iter().rposition(|n| *n > 0).unwrap_or(0);
    if high <= low {
        return table(|v| v);
    }
    let scale = 255.0 / (high - low) as f64;
    table(|v| v * scale - low as f64 * scale)
}

fn flattened(histogram: &Histogram) -> [u8; 256] {
    let last = histogram.iter().rfind(|n| **n > 0).copied().unwrap_or(0);
    let step = (histogram.iter().sum::<usize>() - last) / 255;
    if step == 0 {
        return table(|v| v);
    }
    let mut below = step / 2;
    std::array::from_fn(|i| {
        let value = (below / step).min(255) as u8;
        below += histogram[i];
        value
    })
}

/// The kernel is 1 around 5, over 13; the outermost pixels stay.
fn sharpen(pixels: Pixels, factor: f32) -> Pixels {
    if factor == 1.0 || pixels.width < 3 || pixels.height < 3 {
        return pixels;
    }
    let mut out = pixels.bytes.clone();
    let line = pixels.width * 3;
    for y in 1..pixels.height - 1 {
        let inner = y * line + 3..(y + 1) * line - 3;
        for (i, out) in inner.clone().zip(&mut out[inner]) {
            let around = |i: usize| [i - 3, i, i + 3].map(|i| u32::from(pixels.bytes[i])).iter().sum::<u32>();
            let value = f32::from(pixels.bytes[i]);
            let sum = around(i - line) + around(i) + around(i + line) + 4 * u32::from(pixels.bytes[i]);
            let blurred = (sum as f32 / 13.0).round();
            *out = (blurred + factor * (value - blurred)).clamp(0.0, 255.0) as u8;
        }
    }
    Pixels { bytes: out, ..pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Pixels {
        Pixels { width: 16, height: 16, bytes: (0..768).map(|i| 50 + (i / 3 % 100) as u8).collect() }
    }

    #[test]
    fn contrast_reaches_both_ends() {
        let out = perform(ramp(), Operation::AutoContrast);
        // As in the original, the table is cut to whole numbers, and 254.99 becomes 254.
        assert!(out.bytes.contains(&0) && out.bytes.iter().any(|v| *v >= 254));
    }

    #[test]
    fn magnitude_five_leaves_brightness_and_sharpness_alone() {
        assert_eq!(perform(ramp(), Operation::Brightness(1.0)), ramp());
        assert_eq!(perform(ramp(), Operation::Sharpness(1.0)), ramp());
    }

    #[test]
    fn translation_is_in_pixels_and_leaves_grey() {
        let out = perform(Pixels::filled(16, 2, [9; 3]), Operation::TranslateX(7.0));
        assert_eq!((out.at(8, 0), out.at(9, 0)), ([9; 3], [128; 3]));
    }

    #[test]
    fn about_half_of_the_operations_are_applied() {
        let stream = Stream::new(1, "s", "data/randaugment");
        let drawn: Vec<_> = (0..1000).filter_map(|row| draw(7.0, stream, row, 0)).collect();
        assert!((440..560).contains(&drawn.len()), "{}", drawn.len());
        let turns = drawn.iter().filter(|o| matches!(o, Operation::Rotate(d) if d.abs() == 21.0)).count();
        assert!((25..80).contains(&turns), "{turns}");
    }
}
