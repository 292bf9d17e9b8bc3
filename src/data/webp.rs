//! From a WebP file to pixels: alpha is dropped.
//!
//! Invariant: all pixels are there, or it is an error; of a moving picture it is the first frame.
//!
//! ```text
//! RIFF .... WEBP ...  ->  Pixels { width: 640, height: 480, .. }
//! ```

use super::image::{Lying, MOST_BYTES, Pixels, coloured, fits};
use super::orientation::Orientation;
use image_webp::{DecodingError, WebPDecoder};
use std::io::Cursor;

/// Decodes a WebP; also says how to turn it upright.
pub(super) fn read(bytes: &[u8]) -> Lying {
    let damaged = |error: DecodingError| format!("is damaged: {error}");
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    decoder.set_memory_limit(MOST_BYTES);
    let (width, height) = decoder.dimensions();
    fits(width.into(), height.into())?;
    let mut values = vec![0; decoder.output_buffer_size().ok_or("is too large")?];
    decoder.read_image(&mut values).map_err(damaged)?;
    let orientation = decoder.exif_metadata().map_err(damaged)?.and_then(|segment| Orientation::of(&segment));
    let bytes = coloured(values, if decoder.has_alpha() { 4 } else { 3 });
    let pixels = Pixels { width: width as usize, height: height as usize, bytes };
    Ok((pixels, orientation.unwrap_or(Orientation::UPRIGHT)))
}
