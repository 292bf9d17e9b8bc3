//! Turns, shears and shifts of a picture, as OpenCV's `warpAffine`: bilinear, what is uncovered becomes grey 128.
//!
//! A map takes places of the result to places of the source: `x' = m[0] x + m[1] y + m[2]`, `y' = m[3] x + m[4] y + m[5]`.
//! Example: `[1, 0, 5, 0, 1, 0]` shifts a picture five pixels to the left.

use super::image::Pixels;

/// The colour of places the picture does not reach.
const UNCOVERED: f32 = 128.0;

/// The picture under a map.
pub(super) fn warp(pixels: &Pixels, m: [f64; 6]) -> Pixels {
    let mut bytes = Vec::with_capacity(pixels.bytes.len());
    for y in 0..pixels.height {
        for x in 0..pixels.width {
            let (x, y) = (x as f64, y as f64);
            bytes.extend(blend(pixels, m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]));
        }
    }
    Pixels { bytes, ..*pixels }
}

/// The map that turns the picture by `degrees` against the clock about `(width / 2, height / 2)`.
pub(super) fn rotation(width: usize, height: usize, degrees: f64) -> [f64; 6] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cx, cy) = (width as f64 / 2.0, height as f64 / 2.0);
    [cos, -sin, cx - cos * cx + sin * cy, sin, cos, cy - sin * cx - cos * cy]
}

fn blend(pixels: &Pixels, x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, low_share) = ((x - left) as f32, (y - top) as f32);
    let corners =
        [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(dx, dy)| colour(pixels, left + dx, top + dy));
    let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
    [0, 1, 2].map(|c| {
        let upper = mix(corners[0][c], corners[1][c], right_share);
        let lower = mix(corners[2][c], corners[3][c], right_share);
        (mix(upper, lower, low_share) + 0.5) as u8
    })
}

fn colour(pixels: &Pixels, x: f64, y: f64) -> [f32; 3] {
    if x < 0.0 || y < 0.0 || x >= pixels.width as f64 || y >= pixels.height as f64 {
        return [UNCOVERED; 3];
    }
    pixels.at(x as usize, y as usize).map(f32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_moves_the_corner() {
        let mut pixels = Pixels::filled(4, 4, [0; 3]);
        pixels.bytes[0] = 200;
        // About (2, 2), not (1.5, 1.5): the corner (0, 0) goes to (0, 4), just outside; (1, 0) would come to (0, 3).
        pixels.bytes[3] = 100;
        let turned = warp(&pixels, rotation(4, 4, 90.0));
        assert_eq!(turned.at(0, 3)[0], 100);
    }

    #[test]
    fn a_shift_uncovers_grey() {
        let shifted = warp(&Pixels::filled(4, 2, [9; 3]), [1.0, 0.0, 3.0, 0.0, 1.0, 0.0]);
        assert_eq!((shifted.at(0, 0), shifted.at(1, 0)), ([9; 3], [128; 3]));
    }
}
