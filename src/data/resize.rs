//! Another size, as Pillow's `Image.resize`: antialiased when shrinking, in two passes with rounding to 8 bit between them.
//!
//! Invariant: equal to Pillow's result within 1 of 255 (tests/data.rs compares with recorded ones).
//!
//! ```
//! use chiasm::data::{image::Pixels, resize::{Filter, resize}};
//! let grey = Pixels::filled(7, 5, [128; 3]);
//! assert_eq!(resize(grey, 3, 4, Filter::Bicubic), Pixels::filled(3, 4, [128; 3]));
//! ```

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::image::Pixels;

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
pub fn resize(pixels: Pixels, width: usize, height: usize, filter: Filter) -> Pixels {
    if (pixels.width, pixels.height) == (width, height) {
        return pixels;
    }
    convolve(&pixels, width, height, filter).unwrap_or_else(|| nearest(&pixels, width, height))
}

fn convolve(pixels: &Pixels, width: usize, height: usize, filter: Filter) -> Option<Pixels> {
    let filter = match filter {
        Filter::Bicubic => FilterType::CatmullRom,
        Filter::Bilinear => FilterType::Bilinear,
        Filter::Lanczos => FilterType::Lanczos3,
    };
    let (from_width, from_height) = (u32::try_from(pixels.width).ok()?, u32::try_from(pixels.height).ok()?);
    let source = ImageRef::new(from_width, from_height, &pixels.bytes, PixelType::U8x3).ok()?;
    let mut target = Image::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    Some(Pixels { width, height, bytes: target.into_vec() })
}

/// Only for sizes that the library refuses.
fn nearest(pixels: &Pixels, width: usize, height: usize) -> Pixels {
    let place = |x: usize, to: usize, from: usize| (x * from / to.max(1)).min(from.saturating_sub(1));
    let colours = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let bytes = colours
        .flat_map(|(x, y)| pixels.at(place(x, width, pixels.width), place(y, height, pixels.height)))
        .collect();
    Pixels { width, height, bytes }
}
