//! From a scene to pixels, at any size: signed distances to the outlines, so edges are smooth.
//!
//! Invariant: only additions, multiplications, divisions and square roots, each rounded as IEEE 754 says, so every machine draws the
//! same bytes. Example: at 64 pixels a large object is about 19 wide, a small one 12; cells are 21 wide.

use super::super::image::Pixels;
use super::{Colour, Ground, Object, Scene, Shape, Size};

type Point = [f32; 2];

/// Cosine and sine of -10, -5, 0, 5 and 10 degrees.
const TURNS: [Point; 5] = [
    [0.984_807_7, -0.173_648_18],
    [0.996_194_7, -0.087_155_74],
    [1.0, 0.0],
    [0.996_194_7, 0.087_155_74],
    [0.984_807_7, 0.173_648_18],
];

const SQUARE: &[Point] = &[[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]];
const TRIANGLE: &[Point] = &[[0.0, -1.0], [1.0, 0.8], [-1.0, 0.8]];
const DIAMOND: &[Point] = &[[0.0, -1.1], [0.75, 0.0], [0.0, 1.1], [-0.75, 0.0]];
const CROSS: &[Point] = &[
    [-0.33, -1.0],
    [0.33, -1.0],
    [0.33, -0.33],
    [1.0, -0.33],
    [1.0, 0.33],
    [0.33, 0.33],
    [0.33, 1.0],
    [-0.33, 1.0],
    [-0.33, 0.33],
    [-1.0, 0.33],
    [-1.0, -0.33],
    [-0.33, -0.33],
];
/// Five points at 1.1, five dents at 0.46.
const STAR: &[Point] = &[
    [0.0, -1.1],
    [0.270, -0.372],
    [1.046, -0.340],
    [0.437, 0.142],
    [0.647, 0.890],
    [0.0, 0.46],
    [-0.647, 0.890],
    [-0.437, 0.142],
    [-1.046, -0.340],
    [-0.270, -0.372],
];

pub(super) fn draw(scene: &Scene, side: usize) -> Pixels {
    let mut pixels = Pixels::filled(side, side, ground(scene.ground));
    scene.objects.iter().for_each(|object| paint(&mut pixels, object));
    pixels
}

fn ground(ground: Ground) -> [u8; 3] {
    match ground {
        Ground::Black => [16, 16, 18],
        Ground::Gray => [112, 112, 112],
        Ground::Brown => [84, 54, 30],
        Ground::Navy => [18, 24, 80],
    }
}

fn paint(pixels: &mut Pixels, object: &Object) {
    let side = pixels.width;
    let unit = side as f32 / 64.0;
    let middle = [f32::from(object.column), f32::from(object.row)];
    let middle = [0, 1].map(|i| (64.0 / 6.0 + middle[i] * 64.0 / 3.0 + object.shift[i]) * unit);
    let radius = unit * if object.size == Size::Large { 9.5 } else { 6.2 };
    let outline = outline(object, radius);
    let colour = colour(object);
    let reach = radius * 1.2 + 1.0;
    let range = |c: f32| ((c - reach).max(0.0) as usize)..(((c + reach) as usize + 1).min(side));
    for y in range(middle[1]) {
        for x in range(middle[0]) {
            let from = [x as f32 + 0.5 - middle[0], y as f32 + 0.5 - middle[1]];
            let distance = match object.shape {
                Shape::Circle => length(from) - radius,
                _ => to_polygon(from, &outline),
            };
            cover(pixels, x, y, colour, (0.5 - distance).clamp(0.0, 1.0));
        }
    }
}

fn cover(pixels: &mut Pixels, x: usize, y: usize, colour: [f32; 3], share: f32) {
    let start = (y * pixels.width + x) * 3;
    for (value, colour) in pixels.bytes[start..start + 3].iter_mut().zip(colour) {
        let under = f32::from(*value);
        *value = (under + (colour - under) * share + 0.5) as u8;
    }
}

fn colour(object: &Object) -> [f32; 3] {
    let rgb: [f32; 3] = match object.colour {
        Colour::Red => [220.0, 30.0, 30.0],
        Colour::Green => [30.0, 170.0, 50.0],
        Colour::Blue => [40.0, 90.0, 235.0],
        Colour::Yellow => [235.0, 215.0, 30.0],
        Colour::Purple => [145.0, 50.0, 190.0],
        Colour::Orange => [240.0, 130.0, 15.0],
        Colour::Pink => [245.0, 150.0, 190.0],
        Colour::White => [235.0, 235.0, 235.0],
    };
    rgb.map(|value| (value * object.shade).min(255.0))
}

/// The corners of a shape about its middle; none for a circle.
fn outline(object: &Object, radius: f32) -> Vec<Point> {
    let corners = match object.shape {
        Shape::Circle => &[],
        Shape::Square => SQUARE,
        Shape::Triangle => TRIANGLE,
        Shape::Star => STAR,
        Shape::Diamond => DIAMOND,
        Shape::Cross => CROSS,
    };
    let [cos, sin] = TURNS[usize::from(object.turn)];
    corners.iter().map(|[x, y]| [(x * cos - y * sin) * radius, (x * sin + y * cos) * radius]).collect()
}

fn length([x, y]: Point) -> f32 {
    (x * x + y * y).sqrt()
}

/// Distance to the nearest edge, negative inside.
fn to_polygon(p: Point, corners: &[Point]) -> f32 {
    let mut nearest = f32::MAX;
    let mut inside = false;
    let mut before = corners.last().copied().unwrap_or_default();
    for corner in corners {
        let edge = [before[0] - corner[0], before[1] - corner[1]];
        let away = [p[0] - corner[0], p[1] - corner[1]];
        let along = (away[0] * edge[0] + away[1] * edge[1]) / (edge[0] * edge[0] + edge[1] * edge[1]);
        let along = along.clamp(0.0, 1.0);
        let gap = [away[0] - edge[0] * along, away[1] - edge[1] * along];
        nearest = nearest.min(gap[0] * gap[0] + gap[1] * gap[1]);
        let crosses = (corner[1] > p[1]) != (before[1] > p[1]);
        if crosses && p[0] < corner[0] + edge[0] * away[1] / edge[1] {
            inside = !inside;
        }
        before = *corner;
    }
    if inside { -nearest.sqrt() } else { nearest.sqrt() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn distances_to_a_square() {
        let square = [[-2.0, -2.0], [2.0, -2.0], [2.0, 2.0], [-2.0, 2.0]];
        assert_eq!(to_polygon([0.5, 0.0], &square), -1.5);
        assert_eq!(to_polygon([5.0, 6.0], &square), 5.0);
    }

    #[test]
    fn scenes_are_drawn_at_any_size() {
        let scene = &Scene::all("val").unwrap()[3];
        for side in [1, 2, 16, 64, 97, 224] {
            assert_eq!(scene.draw(side).bytes.len(), side * side * 3);
        }
        assert!(scene.draw(64).bytes.chunks(3).any(|pixel| pixel != ground(scene.ground)));
    }
}
