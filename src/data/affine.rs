//! Turns, shears and shifts of a picture, to the digit as `Image.transform` and `Image.rotate` of Pillow.
//!
//! A map takes places of the result to places of the source: `x = m[0] (i + 1/2) + m[1] (j + 1/2) + m[2]`, and y from `m[3..]`; the colour is
//! the nearest pixel's, or a bicubic blend of sixteen. Places that the picture does not reach get one colour.
//! Invariant: equal to Pillow 13 on every recorded case (tests/data.rs).
//! Example: `[1, 0, 5, 0, 1, 0]` shifts a picture five pixels to the left.

use super::image::Pixels;

/// How the colour between pixels is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// The pixel's that the place lies in.
    Nearest,
    /// Of sixteen around it.
    Bicubic,
}

/// The picture under a map; `uncovered` is the colour of what it does not reach.
pub fn affine(pixels: &Pixels, map: [f64; 6], between: Between, uncovered: [u8; 3]) -> Pixels {
    match between {
        Between::Nearest if map[1] == 0.0 && map[3] == 0.0 => scaled(pixels, map, uncovered),
        Between::Nearest => fixed(pixels, map, uncovered),
        Between::Bicubic => blended(pixels, map, uncovered),
    }
}

/// The map that turns the picture by `degrees` against the clock about its middle.
pub fn rotation(width: usize, height: usize, degrees: f64) -> [f64; 6] {
    let round = |x: f64| (x * 1e15).round() / 1e15;
    let angle = -degrees.rem_euclid(360.0).to_radians();
    let (sin, cos) = (round(angle.sin()), round(angle.cos()));
    let (cx, cy) = (width as f64 / 2.0, height as f64 / 2.0);
    [cos, sin, cos * -cx + sin * -cy + cx, -sin, cos, -sin * -cx + cos * -cy + cy]
}

/// A place within the picture as a pixel.
fn pixel(pixels: &Pixels, x: i64, y: i64) -> Option<[u8; 3]> {
    let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
    (x < pixels.width && y < pixels.height).then(|| pixels.at(x, y))
}

fn every(pixels: &Pixels, colour: impl Fn(usize, usize) -> [u8; 3]) -> Pixels {
    let places = (0..pixels.height).flat_map(|j| (0..pixels.width).map(move |i| (i, j)));
    Pixels { bytes: places.flat_map(|(i, j)| colour(i, j)).collect(), ..*pixels }
}

/// Without turn and shear places are summed up step by step.
fn scaled(pixels: &Pixels, map: [f64; 6], uncovered: [u8; 3]) -> Pixels {
    let along = |first: f64, step: f64, count: usize| {
        let places = std::iter::successors(Some(first + step * 0.5), move |place| Some(place + step));
        places.take(count).map(|place| if place < 0.0 { -1 } else { place as i64 }).collect::<Vec<i64>>()
    };
    let (across, down) = (along(map[2], map[0], pixels.width), along(map[5], map[4], pixels.height));
    every(pixels, |i, j| pixel(pixels, across[i], down[j]).unwrap_or(uncovered))
}

/// With them in steps of 1/65536.
fn fixed(pixels: &Pixels, map: [f64; 6], uncovered: [u8; 3]) -> Pixels {
    let fix = |x: f64| (x * 65536.0 + 0.5).floor() as i64;
    let [a, b, d, e] = [map[0], map[1], map[3], map[4]].map(fix);
    let c = fix(map[2] + map[0] * 0.5 + map[1] * 0.5);
    let f = fix(map[5] + map[3] * 0.5 + map[4] * 0.5);
    every(pixels, |i, j| {
        let (i, j) = (i as i64, j as i64);
        pixel(pixels, (a * i + b * j + c) >> 16, (d * i + e * j + f) >> 16).unwrap_or(uncovered)
    })
}

fn blended(pixels: &Pixels, map: [f64; 6], uncovered: [u8; 3]) -> Pixels {
    every(pixels, |i, j| {
        let (i, j) = (i as f64 + 0.5, j as f64 + 0.5);
        let (x, y) = (map[0] * i + map[1] * j + map[2], map[3] * i + map[4] * j + map[5]);
        let inside = x >= 0.0 && x < pixels.width as f64 && y >= 0.0 && y < pixels.height as f64;
        if inside { blend(pixels, x - 0.5, y - 0.5) } else { uncovered }
    })
}

/// The colour at a place; rows and columns beyond the edge are those at the edge.
fn blend(pixels: &Pixels, x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let near = |at: f64, length: usize| (at.max(0.0) as usize).min(length - 1);
    std::array::from_fn(|c| {
        let row = |row: f64| {
            let row = near(row, pixels.height);
            let four = [-1.0, 0.0, 1.0, 2.0];
            cubic(four.map(|d| f64::from(pixels.at(near(left + d, pixels.width), row)[c])), x - left)
        };
        let value = cubic([row(top - 1.0), row(top), row(top + 1.0), row(top + 2.0)], y - top);
        value.clamp(0.0, 255.0) as u8
    })
}

/// Between the second and the third of four neighbours.
fn cubic([a, b, c, d]: [f64; 4], at: f64) -> f64 {
    let (p2, p3, p4) = (-a + c, 2.0 * (a - b) + c - d, -a + b - c + d);
    b + at * (p2 + at * (p3 + at * p4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_is_exact() {
        let pixels = Pixels { width: 3, height: 3, bytes: (0..27).collect() };
        for between in [Between::Nearest, Between::Bicubic] {
            let turned = affine(&pixels, rotation(3, 3, 90.0), between, [0; 3]);
            assert_eq!((turned.at(0, 0), turned.at(0, 2)), (pixels.at(2, 0), pixels.at(0, 0)));
        }
    }

    #[test]
    fn a_shift_uncovers_the_colour() {
        let map = [1.0, 0.0, 2.0, 0.0, 1.0, 0.0];
        let shifted = affine(&Pixels::filled(4, 2, [9; 3]), map, Between::Nearest, [7; 3]);
        assert_eq!((shifted.at(1, 0), shifted.at(2, 1)), ([9; 3], [7; 3]));
    }
}
