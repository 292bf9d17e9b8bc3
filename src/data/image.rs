//! From bytes of a JPEG, PNG or WebP file to 8-bit red, green and blue.
//!
//! As Pillow's `convert("RGB")`: alpha is dropped, not blended; palettes, grey, 16 bit and CMYK become RGB. Unlike Pillow, pictures
//! are turned upright as their EXIF orientation says, because that is how their owner saw them. A JPEG without its end is an error.
//!
//! Invariant: `decode` never panics, and allocates nothing for pictures of more than 200 million pixels.
//!
//! ```
//! let error = chiasm::data::image::decode(b"not a picture").unwrap_err();
//! assert_eq!(error, "is neither JPEG, PNG nor WebP");
//! ```

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::Error;

/// More is taken for an attack or a mistake.
const MOST_PIXELS: u64 = 200_000_000;

/// Red, green, blue, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Columns, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
    /// `height * width * 3` values.
    pub bytes: Vec<u8>,
}

impl Pixels {
    /// One colour everywhere.
    pub fn filled(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self { width, height, bytes: colour.repeat(width * height) }
    }

    /// The colour at a place inside the picture.
    #[inline]
    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * 3;
        [self.bytes[start], self.bytes[start + 1], self.bytes[start + 2]]
    }

    /// Writes planes of 0 to 1: `out[c, y, x]`, 3 * height * width of them.
    pub fn write(&self, out: &mut [f32]) {
        let size = self.width * self.height;
        let (red, rest) = out.split_at_mut(size);
        let (green, blue) = rest.split_at_mut(size);
        for (i, pixel) in self.bytes.chunks_exact(3).enumerate() {
            red[i] = f32::from(pixel[0]) / 255.0;
            green[i] = f32::from(pixel[1]) / 255.0;
            blue[i] = f32::from(pixel[2]) / 255.0;
        }
    }
}

/// Reads and decodes a file.
///
/// # Errors
/// `Read` if the file cannot be read, `Picture` if it is no picture, too large or damaged.
pub fn open(path: &Path) -> Result<Pixels, Error> {
    let bytes = fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    decode(&bytes).map_err(|reason| Error::Picture { name: path.display().to_string(), reason })
}

/// Decodes a file that is in memory.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that starts with its name.
pub fn decode(bytes: &[u8]) -> Result<Pixels, String> {
    // The decoders are not ours; a panic in one of them must not end a training run.
    let result = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    result.unwrap_or_else(|_| Err("cannot be decoded".into()))
}

fn read(bytes: &[u8]) -> Result<Pixels, String> {
    let damaged = |error: image::ImageError| format!("is damaged: {error}");
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    let format =
        reader.format().filter(|f| matches!(f, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP));
    let format = format.ok_or(if bytes.is_empty() { "is empty" } else { "is neither JPEG, PNG nor WebP" })?;
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("has {width} x {height} pixels, more than {MOST_PIXELS}"));
    }
    if format == ImageFormat::Jpeg && !is_whole(bytes) {
        return Err("is damaged: the end of the JPEG is missing".into());
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    match rgb.dimensions() {
        (0, _) | (_, 0) => Err("has no pixels".into()),
        (width, height) => {
            Ok(Pixels { width: width as usize, height: height as usize, bytes: rgb.into_raw() })
        }
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    // 16-bit RGBA is the largest pixel; the count of pixels is checked before it is decoded.
    limits.max_alloc = Some(MOST_PIXELS * 8);
    limits
}

/// The decoder fills what is missing with grey; a picture half grey teaches the wrong thing, so the end marker must be there.
fn is_whole(jpeg: &[u8]) -> bool {
    let last = |marker: u8| jpeg.windows(2).rposition(|pair| pair == [0xFF, marker]);
    match (last(0xDA), last(0xD9)) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}
