//! Another size, as Pillow's `Image.resize`: antialiased when shrinking, across and then down, rounded to 8 bit after each.
//!
//! Every pixel of the result is a weighted mean of its neighbours; weights are whole 2^-22ths as in Pillow, because ready-made libraries
//! with 16-bit weights are up to 2 of 255 away. Invariant: equal to Pillow's result (tests/data.rs compares with recorded ones).
//!
//! ```
//! use chiasm::data::{image::Pixels, resize::{Filter, resize}};
//! let grey = Pixels::filled(7, 5, [128; 3]);
//! assert_eq!(resize(grey, 3, 4, Filter::Bicubic), Pixels::filled(3, 4, [128; 3]));
//! ```

use super::image::Pixels;

/// Bits behind the point of a weight: 32, less 8 of the value and 2 for sums above one.
const BITS: u32 = 22;

/// How neighbours are weighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Catmull-Rom, a = -1/2: the filter of every model here.
    Bicubic,
    /// A triangle.
    Bilinear,
    /// A windowed sine of three lobes.
    Lanczos,
}

/// Makes a picture `width` by `height` (both at least 1), whatever its aspect ratio was.
pub fn resize(mut pixels: Pixels, width: usize, height: usize, filter: Filter) -> Pixels {
    if pixels.width != width {
        pixels = across(&pixels, width, &weigh(pixels.width, width, filter));
    }
    if pixels.height != height {
        pixels = down(&pixels, height, &weigh(pixels.height, height, filter));
    }
    pixels
}

/// The neighbours of one place of the result: the first of them, and their weights.
struct Window {
    first: usize,
    weights: Vec<i32>,
}

/// The windows of all places along an axis.
fn weigh(from: usize, to: usize, filter: Filter) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let reach = filter.reach() * stretch;
    let window = |place: usize| {
        let center = (place as f64 + 0.5) * scale;
        let first = (center - reach + 0.5).max(0.0) as usize;
        let end = ((center + reach + 0.5) as usize).min(from);
        let weight = |x: usize| filter.weight((x as f64 - center + 0.5) / stretch);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let whole = |weight: &f64| (weight / sum * f64::from(1 << BITS)).round() as i32;
        Window { first, weights: weights.iter().map(whole).collect() }
    };
    (0..to).map(window).collect()
}

impl Filter {
    /// How far it sees, in pixels of the coarser picture.
    fn reach(self) -> f64 {
        match self {
            Self::Bicubic => 2.0,
            Self::Bilinear => 1.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            _ if x >= self.reach() => 0.0,
            Self::Bilinear => 1.0 - x,
            Self::Lanczos => sinc(x) * sinc(x / 3.0),
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic => ((x - 5.0) * x + 8.0) * x * -0.5 + 2.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

fn round(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

fn across(pixels: &Pixels, width: usize, windows: &[Window]) -> Pixels {
    let mut bytes = Vec::with_capacity(width * pixels.height * 3);
    for line in pixels.bytes.chunks_exact(pixels.width * 3) {
        for Window { first, weights } in windows {
            let mut sums = [1 << (BITS - 1); 3];
            for (colour, weight) in line[first * 3..].chunks_exact(3).zip(weights) {
                for (sum, value) in sums.iter_mut().zip(colour) {
                    *sum += i32::from(*value) * weight;
                }
            }
            bytes.extend(sums.map(round));
        }
    }
    Pixels { width, bytes, ..*pixels }
}

fn down(pixels: &Pixels, height: usize, windows: &[Window]) -> Pixels {
    let line = pixels.width * 3;
    let mut bytes = Vec::with_capacity(line * height);
    let mut sums = vec![0; line];
    for Window { first, weights } in windows {
        sums.fill(1 << (BITS - 1));
        for (values, weight) in pixels.bytes[first * line..].chunks_exact(line).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += i32::from(*value) * weight;
            }
        }
        bytes.extend(sums.iter().map(|sum| round(*sum)));
    }
    Pixels { height, bytes, ..*pixels }
}
