//! ViLT's RandAugment: fourteen operations, colours among them; every one that is drawn is applied.
//!
//! Magnitude M counts to 30: an argument is `low + (high - low) M / 30`. Signs of turns, shears and shifts are coin flips; what they
//! uncover is black, and colours are those of the nearest pixel.

use super::pillow::{Ground, Operation};
use crate::data::affine::Between;
use crate::random::Stream;

/// How its maps find colours.
pub const GROUND: Ground = Ground { between: Between::Nearest, uncovered: [0; 3] };

/// The operation of a turn.
pub fn draw(magnitude: f64, stream: Stream, row: u32, turn: u32) -> Operation {
    let first = turn * 4;
    let between = |low: f64, high: f64| low + (high - low) * (magnitude / 30.0);
    let sign = if stream.uniform(row, first + 2) > 0.5 { -1.0 } else { 1.0 };
    let signed = |high: f64| sign * between(0.0, high);
    match stream.below(14, row, first) {
        0 => Operation::AutoContrast,
        1 => Operation::Equalize,
        2 => Operation::Rotate(signed(30.0)),
        3 => Operation::Posterize((between(0.0, 4.0) as u32).max(1)),
        4 => Operation::Solarize(between(0.0, 256.0)),
        5 => Operation::BrightenAll(between(0.0, 110.0)),
        6 => Operation::Colour(between(0.1, 1.9)),
        7 => Operation::Contrast(between(0.1, 1.9)),
        8 => Operation::Brightness(between(0.1, 1.9)),
        9 => Operation::Sharpness(between(0.1, 1.9)),
        10 => Operation::ShearX(signed(0.3)),
        11 => Operation::ShearY(signed(0.3)),
        12 => Operation::TranslateX(signed(100.0)),
        _ => Operation::TranslateY(signed(100.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitude_nine_of_thirty() {
        let stream = Stream::new(1, "s", "data/randaugment");
        let drawn: Vec<_> = (0..2000).map(|row| draw(9.0, stream, row, 0)).collect();
        let count = |wanted: Operation| drawn.iter().filter(|o| **o == wanted).count();
        assert_eq!(
            count(Operation::Posterize(1)) + count(Operation::Posterize(2)),
            count(Operation::Posterize(1))
        );
        for wanted in [Operation::Solarize(76.8), Operation::BrightenAll(33.0), Operation::AutoContrast] {
            assert!((90..200).contains(&count(wanted)), "{wanted:?}: {}", count(wanted));
        }
        for wanted in [Operation::TranslateX(30.0), Operation::TranslateX(-30.0), Operation::Rotate(-9.0)] {
            assert!((40..110).contains(&count(wanted)), "{wanted:?}: {}", count(wanted));
        }
    }
}
