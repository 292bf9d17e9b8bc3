//! Turns, shears and shifts of a picture, to the digit as `warpAffine` of OpenCV 4: bilinear, what is uncovered becomes grey 128.
//!
//! A map takes places of the source to places of the result: `x' = m[0] x + m[1] y + m[2]`, `y' = m[3] x + m[4] y + m[5]`. OpenCV 4,
//! with which the published models were trained, places colours on a grid of 32 steps a pixel (OpenCV 5 does not, and is up to 6 of
//! 255 away). Invariant: equal to OpenCV 4.6 on every recorded case (tests/data.rs).
//! Example: `[1, 0, -5, 0, 1, 0]` shifts a picture five pixels to the left.

use super::image::Pixels;

/// The colour of places the picture does not reach.
const UNCOVERED: [u8; 3] = [128; 3];
/// Bits behind the point of a place: to 1024ths first, then to 32nds.
const FINE: u32 = 10;
const COARSE: u32 = 5;

/// The picture under a map.
pub(super) fn warp(pixels: &Pixels, map: [f64; 6]) -> Pixels {
    let m = inverse(map);
    let fixed = |place: f64| (place * f64::from(1 << FINE)).round_ties_even() as i64;
    let across: Vec<(i64, i64)> =
        (0..pixels.width).map(|x| (fixed(m[0] * x as f64), fixed(m[3] * x as f64))).collect();
    let half = 1 << (FINE - COARSE - 1);
    let mut bytes = Vec::with_capacity(pixels.bytes.len());
    for y in 0..pixels.height {
        let (left, top) = (fixed(m[1] * y as f64 + m[2]) + half, fixed(m[4] * y as f64 + m[5]) + half);
        for (dx, dy) in &across {
            bytes.extend(blend(pixels, (left + dx) >> (FINE - COARSE), (top + dy) >> (FINE - COARSE)));
        }
    }
    Pixels { bytes, ..*pixels }
}

/// The map that turns the picture by `degrees` against the clock about `(width / 2, height / 2)`.
pub(super) fn rotation(width: usize, height: usize, degrees: f64) -> [f64; 6] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cx, cy) = (width as f64 / 2.0, height as f64 / 2.0);
    [cos, sin, (1.0 - cos) * cx - sin * cy, -sin, cos, sin * cx + (1.0 - cos) * cy]
}

/// From places of the result to places of the source, in OpenCV's order of operations.
fn inverse(m: [f64; 6]) -> [f64; 6] {
    let determinant = m[0] * m[4] - m[1] * m[3];
    let factor = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
    let [a, b, c, d] = [m[4] * factor, m[1] * -factor, m[3] * -factor, m[0] * factor];
    [a, b, -a * m[2] - b * m[5], c, d, -c * m[2] - d * m[5]]
}

/// The colour at a place in 32nds of a pixel.
fn blend(pixels: &Pixels, x: i64, y: i64) -> [u8; 3] {
    let (left, top) = (x >> COARSE, y >> COARSE);
    let whole = 1 << COARSE;
    let (right_share, low_share) = ((x & (whole - 1)) as u32, (y & (whole - 1)) as u32);
    let (left_share, upper_share) = (whole as u32 - right_share, whole as u32 - low_share);
    let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| colour(pixels, left + dx, top + dy));
    let shares = [
        left_share * upper_share,
        right_share * upper_share,
        left_share * low_share,
        right_share * low_share,
    ];
    [0, 1, 2].map(|c| {
        let sum: u32 = corners.iter().zip(shares).map(|(corner, share)| u32::from(corner[c]) * share).sum();
        ((sum + (1 << (2 * COARSE - 1))) >> (2 * COARSE)) as u8
    })
}

fn colour(pixels: &Pixels, x: i64, y: i64) -> [u8; 3] {
    if x < 0 || y < 0 || x >= pixels.width as i64 || y >= pixels.height as i64 {
        return UNCOVERED;
    }
    pixels.at(x as usize, y as usize)
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
        let shifted = warp(&Pixels::filled(4, 2, [9; 3]), [1.0, 0.0, -3.0, 0.0, 1.0, 0.0]);
        assert_eq!((shifted.at(0, 0), shifted.at(1, 0)), ([9; 3], [128; 3]));
    }
}
