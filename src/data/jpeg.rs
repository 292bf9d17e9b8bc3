//! From bytes of a JPEG file to 8-bit red, green and blue, to the digit as Pillow and torchvision decode it.
//!
//! They use libjpeg-turbo with its accurate integer transform and smooth enlargement of colour; so do we, in the copy that mozjpeg
//! builds from C. Other decoders are up to 7 of 255 away. CMYK counts as inverted, as Adobe writes it and Pillow reads it.
//!
//! Invariant: what is returned came from a file with its end; nothing is allocated before its size was found fit.
//! Errors inside libjpeg unwind with a text, which [`super::image::decode`] catches.

use mozjpeg::{ColorSpace, Decompress, Marker};

use super::image::{Lying, Pixels, fits};
use super::orientation::Orientation;

/// Decodes a JPEG; also says how to turn it upright.
pub(super) fn read(bytes: &[u8]) -> Lying {
    let damaged = |error: std::io::Error| format!("is damaged: {error}");
    let builder = Decompress::builder().with_markers(&[Marker::APP(1)]);
    let picture = builder.from_mem(bytes).map_err(damaged)?;
    let (width, height) = picture.size();
    fits(width as u64, height as u64)?;
    let orientation =
        picture.markers().find_map(|marker| Orientation::of(marker.data.strip_prefix(b"Exif\0\0")?));
    let inks = matches!(picture.color_space(), ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK);
    let space = if inks { ColorSpace::JCS_CMYK } else { ColorSpace::JCS_RGB };
    let mut started = picture.to_colorspace(space).map_err(damaged)?;
    let colours: Vec<u8> = started.read_scanlines().map_err(damaged)?;
    let rest = started.finish_into_inner().map_err(damaged)?;
    // The decoder fills what is missing with grey; a picture half grey teaches the wrong thing.
    if !bytes[..bytes.len() - rest.len()].ends_with(&[0xFF, 0xD9]) {
        return Err("is damaged: the end of the JPEG is missing".into());
    }
    let bytes = if inks { colours.chunks_exact(4).flat_map(mixed).collect() } else { colours };
    Ok((Pixels { width, height, bytes }, orientation.unwrap_or(Orientation::UPRIGHT)))
}

/// Inverted cyan, magenta, yellow and black as light, with Pillow's rounding.
fn mixed(inks: &[u8]) -> [u8; 3] {
    let light = u32::from(inks[3]);
    [0, 1, 2].map(|i| {
        let product = (255 - u32::from(inks[i])) * light + 128;
        light.saturating_sub(((product >> 8) + product) >> 8) as u8
    })
}
