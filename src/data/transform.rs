//! From a decoded picture to a square of the asked size: crops, mirrors, colours and RandAugment, drawn from (seed, stage, step, row).
//!
//! Transforms apply left to right; whatever is not square and of the right size in the end is squashed, bicubically, unless `fit` keeps
//! its proportions: such a picture is smaller than the square and lies in its upper left corner. The first draw of
//! a kind has path `data/crop`, `data/flip` or `data/randaugment`, a second one `data/crop.1`: all images of a row get the same draws.
//!
//! ```
//! use chiasm::data::{image::Pixels, transform::Augmentation};
//! use chiasm::recipe::Transform;
//! let augmentation = Augmentation::new(&[Transform::Crop { low: 0.5, high: 1.0 }, Transform::Flip], 1, "pretrain");
//! let square = augmentation.apply(Pixels::filled(50, 40, [9; 3]), 32, Some((7, 0)));
//! assert_eq!((square.width, square.height), (32, 32));
//! ```

use super::image::Pixels;
use super::jitter;
use super::randaugment;
use super::resize::{Filter, resize};
use crate::random::Stream;
use crate::recipe::Transform;

/// Transforms with the streams they draw from.
#[derive(Clone, Debug)]
pub struct Augmentation {
    steps: Vec<(Transform, Stream)>,
}

impl Augmentation {
    /// The transforms of a recipe in a stage.
    pub fn new(transforms: &[Transform], seed: u64, stage: &str) -> Self {
        let mut steps: Vec<(Transform, Stream)> = Vec::new();
        for transform in transforms {
            let earlier = steps.iter().filter(|(t, _)| name(t) == name(transform)).count();
            let number = if earlier == 0 { String::new() } else { format!(".{earlier}") };
            let path = format!("data/{}{number}", name(transform));
            steps.push((transform.clone(), Stream::new(seed, stage, &path)));
        }
        Self { steps }
    }

    /// What is left of them when nothing is drawn: `center` and `fit`.
    pub fn fixed(transforms: &[Transform]) -> Self {
        let draws_not = |t: &&Transform| matches!(t, Transform::Center | Transform::Fit { .. });
        let fixed: Vec<_> = transforms.iter().filter(draws_not).cloned().collect();
        Self::new(&fixed, 0, "")
    }

    /// The size at which scenes are drawn, so that a crop has something to enlarge from.
    pub fn drawn(&self, side: usize) -> usize {
        let crops = self.steps.iter().any(|(transform, _)| matches!(transform, Transform::Crop { .. }));
        if crops { (side * 3 / 2).max(64) } else { side }
    }

    /// Transforms a picture for a row of a step; without a place, transforms that draw do nothing.
    pub fn apply(&self, mut pixels: Pixels, side: usize, place: Option<(u64, u32)>) -> Pixels {
        for (transform, stream) in &self.steps {
            let draws = place.map(|(step, row)| (stream.at_step(step), row));
            pixels = match (transform, draws) {
                (Transform::Center, _) => center(pixels, side),
                (Transform::Fit { short, long, step }, _) => fit(pixels, [*short, *long, *step]),
                (Transform::Crop { low, high }, Some(at)) => crop(pixels, side, (*low, *high), at),
                (Transform::Flip, Some((stream, row))) if stream.uniform(row, 0) < 0.5 => flip(pixels),
                (Transform::RandAugment { count, magnitude, set }, Some((stream, row))) => {
                    randaugment::apply(pixels, *set, (*count, *magnitude), stream, row)
                }
                (Transform::Jitter(strength), Some((stream, row))) => {
                    jitter::apply(pixels, *strength, stream, row)
                }
                _ => pixels,
            };
        }
        let fitted = self.steps.iter().any(|(transform, _)| matches!(transform, Transform::Fit { .. }));
        if fitted && pixels.width.max(pixels.height) <= side {
            return pixels;
        }
        resize(pixels, side, side, Filter::Bicubic)
    }
}

fn name(transform: &Transform) -> &'static str {
    match transform {
        Transform::Crop { .. } => "crop",
        Transform::Flip => "flip",
        Transform::RandAugment { .. } => "randaugment",
        Transform::Jitter(_) => "jitter",
        Transform::Center => "center",
        Transform::Fit { .. } => "fit",
    }
}

/// A rectangle of a picture that lies inside it.
pub fn cut(pixels: &Pixels, left: usize, top: usize, width: usize, height: usize) -> Pixels {
    let rows = pixels.bytes.chunks_exact(pixels.width * 3).skip(top).take(height);
    let bytes = rows.flat_map(|row| &row[left * 3..(left + width) * 3]).copied().collect();
    Pixels { width, height, bytes }
}

/// Mirrored, left to right.
pub fn flip(mut pixels: Pixels) -> Pixels {
    for row in pixels.bytes.chunks_exact_mut(pixels.width * 3) {
        row.reverse();
        row.chunks_exact_mut(3).for_each(|colour| colour.reverse());
    }
    pixels
}

/// Shorter side to `side`, the longer in proportion and rounded down, then the middle (ties of the offset go to even).
pub fn center(pixels: Pixels, side: usize) -> Pixels {
    let shorter = pixels.width.min(pixels.height);
    let scale = |length: usize| ((side as u64 * length as u64) / shorter as u64) as usize;
    let (width, height) = (scale(pixels.width), scale(pixels.height));
    // A strip a thousand times longer than wide would be enlarged to gigabytes only to be cut: cut it first.
    if width.max(height) > 64 * side.max(16) {
        let middle = |length: usize| (length - length.min(shorter * 4)) / 2;
        let (left, top) = (middle(pixels.width), middle(pixels.height));
        let kept = cut(&pixels, left, top, pixels.width.min(shorter * 4), pixels.height.min(shorter * 4));
        return center(kept, side);
    }
    let resized = resize(pixels, width, height, Filter::Bicubic);
    let offset = |length: usize| ((length - side) as f64 / 2.0).round_ties_even() as usize;
    cut(&resized, offset(width), offset(height), side, side)
}

/// The shorter side to `short`, the longer in proportion and at most `long`, both rounded and cut down to whole steps, as ViLT
/// loads pictures; at least one step.
fn fit(pixels: Pixels, [short, long, step]: [usize; 3]) -> Pixels {
    let (width, height) = (pixels.width as f64, pixels.height as f64);
    let scale = short as f64 / width.min(height);
    let sides = if height < width { [scale * width, short as f64] } else { [short as f64, scale * height] };
    let shrink = (long as f64 / sides[0].max(sides[1])).min(1.0);
    let [width, height] = sides.map(|side| ((side * shrink + 0.5) as usize / step * step).max(step));
    resize(pixels, width, height, Filter::Bicubic)
}

/// Random resized crop as torchvision draws it: ten tries, then the largest middle of a permitted aspect.
fn crop(pixels: Pixels, side: usize, share: (f64, f64), (stream, row): (Stream, u32)) -> Pixels {
    let (width, height) = (pixels.width as f64, pixels.height as f64);
    let between = |low: f64, high: f64, e: u32| low + (high - low) * f64::from(stream.uniform(row, e));
    let aspect = (4.0_f64 / 3.0).ln();
    for first in (0..40).step_by(4) {
        let area = width * height * between(share.0, share.1, first);
        let ratio = between(-aspect, aspect, first + 1).exp();
        let (w, h) = ((area * ratio).sqrt().round_ties_even(), (area / ratio).sqrt().round_ties_even());
        if w >= 1.0 && h >= 1.0 && w <= width && h <= height {
            let (w, h) = (w as usize, h as usize);
            let left = stream.below((pixels.width - w + 1) as u32, row, first + 2) as usize;
            let top = stream.below((pixels.height - h + 1) as u32, row, first + 3) as usize;
            return resize(cut(&pixels, left, top, w, h), side, side, Filter::Bicubic);
        }
    }
    let (w, h) = largest(pixels.width, pixels.height);
    let middle = cut(&pixels, (pixels.width - w) / 2, (pixels.height - h) / 2, w, h);
    resize(middle, side, side, Filter::Bicubic)
}

/// The largest size inside a picture with aspect 3/4 to 4/3.
fn largest(width: usize, height: usize) -> (usize, usize) {
    let longest = |short: usize| ((short as f64 * 4.0 / 3.0).round_ties_even() as usize).max(1);
    (width.min(longest(height)), height.min(longest(width)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::AugmentSet;

    fn stripes(width: usize, height: usize) -> Pixels {
        let bytes = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 7])).collect();
        Pixels { width, height, bytes }
    }

    #[test]
    fn flipping_keeps_the_order_of_colours() {
        let flipped = flip(stripes(3, 2));
        assert_eq!(flipped.at(0, 1), [2, 1, 7]);
        assert_eq!(flip(flipped), stripes(3, 2));
    }

    #[test]
    fn every_transform_gives_the_asked_size_of_any_picture() {
        let all = [
            Transform::Crop { low: 0.2, high: 1.0 },
            Transform::Flip,
            Transform::RandAugment { count: 2, magnitude: 7.0, set: AugmentSet::Albef },
            Transform::RandAugment { count: 2, magnitude: 9.0, set: AugmentSet::Vilt },
            Transform::RandAugment { count: 2, magnitude: 9.0, set: AugmentSet::Timm },
            Transform::Jitter(0.4),
            Transform::Center,
        ];
        for (width, height) in [(1, 1), (1, 9), (20_000, 1), (3, 2000), (64, 64), (31, 77)] {
            for transform in &all {
                let augmentation = Augmentation::new(&[transform.clone(), Transform::Flip], 3, "s");
                for row in 0..4 {
                    let out = augmentation.apply(stripes(width, height), 16, Some((5, row)));
                    assert_eq!((out.width, out.height, out.bytes.len()), (16, 16, 768));
                }
            }
        }
    }

    #[test]
    fn a_crop_covers_the_share_it_was_asked_for() {
        let augmentation = Augmentation::new(&[Transform::Crop { low: 0.25, high: 0.25 }], 3, "s");
        for row in 0..50 {
            let out = augmentation.apply(stripes(128, 128), 64, Some((0, row)));
            let wide = f64::from(out.at(63, 0)[0]) - f64::from(out.at(0, 0)[0]);
            let high = f64::from(out.at(0, 63)[1]) - f64::from(out.at(0, 0)[1]);
            assert!((wide * high - 4096.0).abs() < 400.0, "{wide} {high}");
        }
    }

    #[test]
    fn fitting_keeps_proportions_in_whole_steps() {
        let sizes = |width, height| {
            let fitted = fit(stripes(width, height), [384, 639, 32]);
            (fitted.width, fitted.height)
        };
        assert_eq!(sizes(500, 375), (512, 384));
        assert_eq!(sizes(333, 500), (384, 576));
        // 1000 by 400 is 960 by 384, then 639 by 255.6.
        assert_eq!(sizes(1000, 400), (608, 256));
        assert_eq!((sizes(1, 1000), sizes(1, 1)), ((32, 608), (384, 384)));
        let last = Augmentation::fixed(&[Transform::Fit { short: 8, long: 12, step: 4 }]);
        let out = last.apply(stripes(30, 20), 16, None);
        assert_eq!((out.width, out.height), (12, 8));
    }

    #[test]
    fn draws_depend_on_step_and_row_only() {
        let augmentation = Augmentation::new(&[Transform::Crop { low: 0.2, high: 1.0 }], 3, "s");
        let draw = |step, row| augmentation.apply(stripes(50, 60), 16, Some((step, row)));
        assert_eq!(draw(3, 4), draw(3, 4));
        assert_ne!(draw(3, 4), draw(4, 4));
        assert_ne!(draw(3, 4), draw(3, 5));
    }
}
