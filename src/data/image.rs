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
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::orientation::Orientation;
use super::{Error, jpeg, png, webp};

/// More is taken for an attack or a mistake.
const MOST_PIXELS: u64 = 200_000_000;
/// Bytes a decoder may take: 16-bit RGBA is the largest pixel.
pub(super) const MOST_BYTES: usize = 8 * MOST_PIXELS as usize;

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

    /// Writes planes of 0 to 1 into the upper left corner of a square, `out[c, y, x]`; what it does not cover is -1.
    pub fn write_on(&self, side: usize, out: &mut [f32]) {
        if (self.width, self.height) == (side, side) {
            return self.write(out);
        }
        out.fill(-1.0);
        let (width, height) = (self.width.min(side), self.height.min(side));
        for (channel, plane) in out.chunks_exact_mut((side * side).max(1)).take(3).enumerate() {
            for (y, line) in plane.chunks_exact_mut(side).take(height).enumerate() {
                line[..width].iter_mut().enumerate().for_each(|(x, out)| {
                    *out = f32::from(self.at(x, y)[channel]) / 255.0;
                });
            }
        }
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

/// Pixels as they lie in a file, and how to turn them upright.
pub(super) type Lying = Result<(Pixels, Orientation), String>;

fn read(bytes: &[u8]) -> Result<Pixels, String> {
    let (pixels, orientation) = match bytes {
        [0xFF, 0xD8, 0xFF, ..] => jpeg::read(bytes)?,
        [0x89, b'P', b'N', b'G', ..] => png::read(bytes)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp::read(bytes)?,
        [] => return Err("is empty".into()),
        _ => return Err(refused(bytes)),
    };
    Ok(orientation.upright(pixels))
}

/// What a file is that cannot be read.
fn refused(bytes: &[u8]) -> String {
    let name = match bytes {
        [b'G', b'I', b'F', b'8', ..] => "GIF",
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => "BMP",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "TIFF",
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => "AVIF",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', ..] => "HEIC",
        _ => return format!("is neither JPEG, PNG nor WebP; it begins with {:?}", start(bytes)),
    };
    format!("is a {name} file; JPEG, PNG and WebP can be read")
}

/// Red, green and blue of values that come `channels` a pixel: grey or colours, perhaps with alpha.
pub(super) fn coloured(values: Vec<u8>, channels: usize) -> Vec<u8> {
    match channels {
        1 | 2 => values.chunks_exact(channels).flat_map(|pixel| [pixel[0]; 3]).collect(),
        3 => values,
        _ => values.chunks_exact(channels).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
    }
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

/// Some decoders end their messages with a line break.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first line or so, for people: an error page says what it is.
fn start(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).into_owned();
    text.trim().chars().take(24).collect()
}
