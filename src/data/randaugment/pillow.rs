//! The operations of ViLT's and timm's RandAugment, which are Pillow's: colours by table, by enhancers, and maps.

use super::{by_channel, flattened, sharpen, stretched, table};
use crate::data::affine::{Between, affine, rotation};
use crate::data::image::Pixels;
use crate::data::jitter::{self, Change};

/// One operation with its argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Every channel stretched to 0..255.
    AutoContrast,
    /// Every channel's histogram made flat.
    Equalize,
    /// 255 less every value.
    Invert,
    /// Values from this one on inverted.
    Solarize(f64),
    /// Values below 128 made larger by this.
    Brighten(u8),
    /// The same for all values, of which those from 128 on are then inverted.
    BrightenAll(f64),
    /// This many of the upper bits kept, at most 8.
    Posterize(u32),
    /// Away from the grey of each pixel by this factor; so for the next three.
    Colour(f64),
    /// Away from the mean grey.
    Contrast(f64),
    /// Away from black.
    Brightness(f64),
    /// Away from the blurred picture.
    Sharpness(f64),
    /// Degrees against the clock.
    Rotate(f64),
    /// `x + factor y`
    ShearX(f64),
    /// `y + factor x`
    ShearY(f64),
    /// Pixels to the left.
    TranslateX(f64),
    /// Pixels upwards.
    TranslateY(f64),
}

/// How maps find colours: between pixels, and where there are none.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// Between pixels.
    pub between: Between,
    /// Where the picture does not reach.
    pub uncovered: [u8; 3],
}

/// Applies one operation.
pub fn perform(pixels: Pixels, operation: Operation, ground: Ground) -> Pixels {
    let map = |pixels: &Pixels, map| affine(pixels, map, ground.between, ground.uncovered);
    let enhance = |pixels, change, factor: f64| jitter::perform(pixels, change, factor as f32);
    let invert = |v: f64| 255.0 - v;
    match operation {
        Operation::AutoContrast => by_channel(pixels, stretched),
        Operation::Equalize => by_channel(pixels, flattened),
        Operation::Invert => by_channel(pixels, |_| table(invert)),
        Operation::Solarize(from) => by_channel(pixels, |_| table(|v| if v < from { v } else { invert(v) })),
        Operation::Brighten(add) => {
            by_channel(pixels, |_| table(|v| if v < 128.0 { v + f64::from(add) } else { v }))
        }
        Operation::BrightenAll(add) => by_channel(pixels, |_| {
            let brighter = |v: f64| (v + add).min(255.0).floor();
            table(|v| if brighter(v) < 128.0 { brighter(v) } else { invert(brighter(v)) })
        }),
        Operation::Posterize(bits) => by_channel(pixels, |_| {
            let step = f64::from(1_u32 << (8 - bits.min(8)));
            table(|v| (v / step).floor() * step)
        }),
        Operation::Colour(factor) => enhance(pixels, Change::Saturation, factor),
        Operation::Contrast(factor) => enhance(pixels, Change::Contrast, factor),
        Operation::Brightness(factor) => enhance(pixels, Change::Brightness, factor),
        Operation::Sharpness(factor) => sharpen(pixels, factor as f32),
        Operation::Rotate(degrees) => map(&pixels, rotation(pixels.width, pixels.height, degrees)),
        Operation::ShearX(factor) => map(&pixels, [1.0, factor, 0.0, 0.0, 1.0, 0.0]),
        Operation::ShearY(factor) => map(&pixels, [1.0, 0.0, 0.0, factor, 1.0, 0.0]),
        Operation::TranslateX(offset) => map(&pixels, [1.0, 0.0, offset, 0.0, 1.0, 0.0]),
        Operation::TranslateY(offset) => map(&pixels, [1.0, 0.0, 0.0, 0.0, 1.0, offset]),
    }
}
