//! From bytes of a JPEG, PNG or WebP file to 8-bit red, green and blue.
//!
//! As Pillow's `convert("RGB")`: alpha is dropped, not blended; palettes, grey and CMYK become RGB, of 16 bits the upper 8 are kept,
//! of a moving picture the first frame. A file that lacks its end is an error. Two things differ from Pillow: pictures are turned
//! upright as their EXIF orientation says, because that is how their owner saw them, and 16-bit grey is not clipped at 255.
//!
//! Invariant: `decode` never panics, and allocates nothing for pictures of more than 200 million pixels.
//!
//! ```
//! let error = chiasm::data::image::decode(b"not a picture").unwrap_err();
//! assert_eq!(error, "is neither JPEG, PNG nor WebP; it begins with \"not a picture\"");
//! ```

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::{Error, jpeg};

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
/// `Picture` if the file cannot be read, is no picture, too large or damaged.
pub fn open(path: &Path) -> Result<Pixels, Error> {
    let said = |reason: String| Error::Picture(format!("{} {reason}", path.display()));
    let bytes = fs::read(path).map_err(|error| said(format!("cannot be read: {error}")))?;
    decode(&bytes).map_err(|reason| said(one_line(&reason)))
}

/// Decodes a file that is in memory.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that starts with its name.
pub fn decode(bytes: &[u8]) -> Result<Pixels, String> {
    // The decoders are not ours: libjpeg unwinds with a text, and a panic in one of them must not end a training run.
    let result = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    result.unwrap_or_else(|thrown| {
        let text =
            thrown.downcast_ref::<String>().map(|text| text.trim_start_matches("libjpeg fatal error: "));
        Err(text.map_or("cannot be decoded".into(), |text| format!("is damaged: {text}")))
    })
}

fn read(bytes: &[u8]) -> Result<Pixels, String> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    let (pixels, orientation) = match reader.format() {
        Some(ImageFormat::Jpeg) => jpeg::read(bytes)?,
        Some(ImageFormat::Png | ImageFormat::WebP) => other(reader)?,
        Some(format) => {
            let name = format.extensions_str().first().copied().unwrap_or("unknown").to_uppercase();
            return Err(format!("is a {name} file; JPEG, PNG and WebP can be read"));
        }
        None if bytes.is_empty() => return Err("is empty".into()),
        None => return Err(format!("is neither JPEG, PNG nor WebP; it begins with {:?}", start(bytes))),
    };
    Ok(upright(pixels, orientation))
}

/// PNG and WebP.
fn other(mut reader: ImageReader<Cursor<&[u8]>>) -> Result<(Pixels, Orientation), String> {
    let damaged = |error: ImageError| format!("is damaged: {error}");
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    fits(width.into(), height.into())?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let bytes = match &picture {
        DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgba16(_) => {
            picture.into_rgb16().into_raw().into_iter().map(|value| (value >> 8) as u8).collect()
        }
        _ => picture.into_rgb8().into_raw(),
    };
    Ok((Pixels { width: width as usize, height: height as usize, bytes }, orientation))
}

/// Whether a picture of this size is decoded at all.
pub(super) fn fits(width: u64, height: u64) -> Result<(), String> {
    match width * height {
        0 => Err("has no pixels".into()),
        pixels if pixels > MOST_PIXELS => {
            Err(format!("has {width} x {height} pixels, more than {MOST_PIXELS}"))
        }
        _ => Ok(()),
    }
}

fn upright(pixels: Pixels, orientation: Orientation) -> Pixels {
    let Pixels { width, height, bytes } = pixels;
    if orientation == Orientation::NoTransforms {
        return Pixels { width, height, bytes };
    }
    let rgb = RgbImage::from_raw(width as u32, height as u32, bytes).unwrap_or_default();
    let mut picture = DynamicImage::ImageRgb8(rgb);
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    Pixels { width: rgb.width() as usize, height: rgb.height() as usize, bytes: rgb.into_raw() }
}

/// Some decoders end their messages with a line break.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first line or so, for people: an error page says what it is.
fn start(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).into_owned();
    text.trim().chars().take(24).collect()
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    // 16-bit RGBA is the largest pixel; the count of pixels is checked before it is decoded.
    limits.max_alloc = Some(MOST_PIXELS * 8);
    limits
}
