//! timm's RandAugment with growing operations, `rand-mM-mstd0.5-inc1`, as DeiT and the BEiT family are finetuned with it.
//!
//! Fifteen operations, colours among them; each that is drawn is applied with probability 1/2. Magnitude M counts to 10 and is drawn
//! anew each time, with deviation 1/2. What maps uncover is grey 128, and colours between pixels are bicubic.

use super::pillow::{Ground, Operation};
use crate::data::affine::Between;
use crate::random::Stream;

/// How its maps find colours.
pub const GROUND: Ground = Ground { between: Between::Bicubic, uncovered: [128; 3] };
/// Of the magnitude.
const DEVIATION: f64 = 0.5;
/// The largest magnitude.
const MOST: f64 = 10.0;

/// The operation of a turn on a picture of this size; `None` if its coin says so.
pub fn draw(
    magnitude: f64,
    [width, height]: [usize; 2],
    stream: Stream,
    row: u32,
    turn: u32,
) -> Option<Operation> {
    let first = turn * 4;
    if stream.uniform(row, first + 1) > 0.5 {
        return None;
    }
    // Two numbers of a normal draw stand behind those of all turns.
    let drawn = magnitude + DEVIATION * stream.normal(row, 1024 + turn);
    let level = drawn.clamp(0.0, MOST) / MOST;
    let sign = if stream.uniform(row, first + 2) > 0.5 { -1.0 } else { 1.0 };
    let factor = (1.0 + sign * level * 0.9).max(0.1);
    Some(match stream.below(15, row, first) {
        0 => Operation::AutoContrast,
        1 => Operation::Equalize,
        2 => Operation::Invert,
        3 => Operation::Rotate(sign * level * 30.0),
        4 => Operation::Posterize(4 - (level * 4.0) as u32),
        5 => Operation::Solarize(256.0 - (level * 256.0).floor()),
        6 => Operation::Brighten((level * 110.0) as u8),
        7 => Operation::Colour(factor),
        8 => Operation::Contrast(factor),
        9 => Operation::Brightness(factor),
        10 => Operation::Sharpness(factor),
        11 => Operation::ShearX(sign * level * 0.3),
        12 => Operation::ShearY(sign * level * 0.3),
        13 => Operation::TranslateX(sign * level * 0.45 * width as f64),
        _ => Operation::TranslateY(sign * level * 0.45 * height as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(magnitude: f64) -> Vec<Operation> {
        let stream = Stream::new(1, "s", "data/randaugment");
        (0..4000).filter_map(|row| draw(magnitude, [100, 50], stream, row, 0)).collect()
    }

    #[test]
    fn half_of_the_operations_are_applied_at_magnitudes_around_the_given_one() {
        let drawn = drawn(6.0);
        assert!((1850..2150).contains(&drawn.len()), "{}", drawn.len());
        let turns: Vec<f64> = drawn
            .iter()
            .filter_map(|o| if let Operation::Rotate(d) = o { Some(d.abs() / 3.0) } else { None })
            .collect();
        let mean = turns.iter().sum::<f64>() / turns.len() as f64;
        let square = turns.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / turns.len() as f64;
        assert!((mean - 6.0).abs() < 0.15 && (square.sqrt() - 0.5).abs() < 0.12, "{mean} {square}");
    }

    #[test]
    fn operations_grow_with_the_magnitude() {
        assert!(drawn(10.0).iter().all(|o| !matches!(o, Operation::Posterize(bits) if *bits > 1)));
        let most =
            drawn(10.0).iter().filter(|o| matches!(o, Operation::TranslateX(d) if d.abs() == 45.0)).count();
        assert!(most > 20, "{most}");
        let mild = |o: &Operation| matches!(o, Operation::Solarize(from) if *from < 200.0);
        assert!(!drawn(0.0).iter().any(mild));
    }
}
