//! Uniform draws and dropout factors for a run of elements of one row of a stream.
//!
//! Sixteen blocks of Philox side by side; the numbers are those of [`Stream::uniform`].

use crate::exec::cpu::level::by_level;
use crate::random::{Stream, to_unit};

/// Blocks side by side.
const LANES: usize = 16;

by_level! {
    /// `out[i] = uniform(row, first + i)`
    pub(crate) fn uniform[F](stream: Stream, row: u32, first: u32, out: &mut [f32]) {
        let mut done = 0;
        while done < out.len() {
            let at = first + done as u32;
            let blocks = stream.blocks::<LANES>(row, at / 4);
            let mut batch = [0.0_f32; 4 * LANES];
            for l in 0..LANES {
                for w in 0..4 {
                    batch[4 * l + w] = to_unit(blocks[w][l]);
                }
            }
            let skip = at as usize % 4;
            let count = (4 * LANES - skip).min(out.len() - done);
            out[done..done + count].copy_from_slice(&batch[skip..skip + count]);
            done += count;
        }
    }

    /// Uniform numbers to dropout factors: 0 below `probability`, else `factor`.
    pub(crate) fn keep[F](draws: &mut [f32], probability: f32, factor: f32) {
        draws.iter_mut().for_each(|x| *x = if *x < probability { 0.0 } else { factor });
    }
}

/// What kept entries are multiplied by.
pub(crate) fn factor(probability: f32) -> f32 {
    if probability < 1.0 { 1.0 / (1.0 - probability) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::level::Level;

    #[test]
    fn runs_hold_the_numbers_of_the_stream() {
        let stream = Stream::new(1, "s", "p").at_step(9);
        for level in Level::all() {
            for (first, len) in [(0, 1), (3, 200), (61, 64), (2, 129)] {
                let mut out = vec![0.0; len];
                uniform(level, stream, 5, first, &mut out);
                assert!((0..).zip(&out).all(|(i, x)| *x == stream.uniform(5, first + i)));
            }
        }
    }
}
