//! How a picture lies in its file: from an EXIF segment to pixels turned upright.
//!
//! Invariant: an upright picture has the same pixels in another order; an EXIF segment that cannot be read changes nothing.
//!
//! ```text
//! a photo taken with the camera held upright: 640 x 480, orientation 6  ->  480 x 640
//! ```

use super::image::Pixels;
use exif::{In, Reader, Tag};

/// EXIF's tag 0x0112: 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u32);

impl Orientation {
    /// That of a picture without EXIF.
    pub const UPRIGHT: Self = Self(1);

    /// What an EXIF segment says, without the `Exif` before it.
    pub fn of(segment: &[u8]) -> Option<Self> {
        let exif = Reader::new().read_raw(segment.to_vec()).ok()?;
        let value = exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0)?;
        (1..=8).contains(&value).then_some(Self(value))
    }

    /// The picture as its owner saw it.
    pub fn upright(self, pixels: Pixels) -> Pixels {
        if self == Self::UPRIGHT {
            return pixels;
        }
        let (w, h) = (pixels.width, pixels.height);
        let (width, height) = if self.0 >= 5 { (h, w) } else { (w, h) };
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let bytes = places.flat_map(|(x, y)| {
            let (x, y) = match self.0 {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                _ => (w - 1 - y, x),
            };
            pixels.at(x, y)
        });
        Pixels { width, height, bytes: bytes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 2 x 3 grey pixels 1 to 6, row by row.
    fn turned(orientation: u32) -> (usize, Vec<u8>) {
        let bytes = (1..=6).flat_map(|grey| [grey; 3]).collect();
        let upright = Orientation(orientation).upright(Pixels { width: 2, height: 3, bytes });
        (upright.width, upright.bytes.chunks(3).map(|pixel| pixel[0]).collect())
    }

    #[test]
    fn every_orientation_is_turned() {
        let expected: [(usize, [u8; 6]); 8] = [
            (2, [1, 2, 3, 4, 5, 6]),
            (2, [2, 1, 4, 3, 6, 5]),
            (2, [6, 5, 4, 3, 2, 1]),
            (2, [5, 6, 3, 4, 1, 2]),
            (3, [1, 3, 5, 2, 4, 6]),
            (3, [5, 3, 1, 6, 4, 2]),
            (3, [6, 4, 2, 5, 3, 1]),
            (3, [2, 4, 6, 1, 3, 5]),
        ];
        for (i, (width, bytes)) in expected.iter().enumerate() {
            assert_eq!(turned(i as u32 + 1), (*width, bytes.to_vec()), "orientation {}", i + 1);
        }
    }
}
