//! From a PNG file to pixels: palettes and grey become colours, of 16 bits the upper 8 are kept, alpha is dropped.
//!
//! Invariant: all pixels are there, or it is an error; of a moving picture it is the first frame.
//!
//! ```text
//! 89 50 4E 47 ...  ->  Pixels { width: 640, height: 480, .. }
//! ```

use super::image::{Lying, MOST_BYTES, Pixels, coloured, fits};
use super::orientation::Orientation;
use png::{Decoder, DecodingError, Limits, Transformations};
use std::io::Cursor;

/// Decodes a PNG; also says how to turn it upright.
pub(super) fn read(bytes: &[u8]) -> Lying {
    let damaged = |error: DecodingError| format!("is damaged: {error}");
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MOST_BYTES });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = reader.info().size();
    fits(width.into(), height.into())?;
    let mut values = vec![0; reader.output_buffer_size().ok_or("is too large")?];
    let frame = reader.next_frame(&mut values).map_err(damaged)?;
    values.truncate(frame.buffer_size());
    let orientation = reader.info().exif_metadata.as_deref().and_then(Orientation::of);
    let bytes = coloured(values, frame.color_type.samples());
    let pixels = Pixels { width: frame.width as usize, height: frame.height as usize, bytes };
    Ok((pixels, orientation.unwrap_or(Orientation::UPRIGHT)))
}
