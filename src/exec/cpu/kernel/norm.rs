//! The sum of squares of a flat array: lanes of `f32` in blocks, blocks in `f64`, pieces of 32768 words in order.

use super::lanes;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words with a sum of their own.
const PIECE: usize = 32_768;

/// Words of scratch.
pub fn scratch_words(len: usize) -> usize {
    len.div_ceil(PIECE)
}

/// `out[0] = sum x * x`. Holds one barrier; worker 0 writes `out`.
pub fn sum_of_squares(worker: &Worker, x: View, out: View, scratch: View) {
    worker.share_pieces(x.len(), PIECE, |piece| {
        let sum = squares(worker.level, x.part(piece.start, piece.len()).read());
        scratch.part(piece.start / PIECE, 1).write()[0] = sum as f32;
    });
    worker.barrier();
    if worker.index == 0 {
        let sums = scratch.part(0, scratch_words(x.len())).read();
        out.write()[0] = sums.iter().map(|x| f64::from(*x)).sum::<f64>() as f32;
    }
}

by_level! {
    fn squares[F](x: &[f32]) -> f64 {
        lanes::sum(x, |x| x * x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, numbers, pools, view};

    #[test]
    fn sums_of_any_length() {
        for pool in pools() {
            for len in [0, 1, 31, 5000, 1_000_003] {
                let (x, out, scratch) = (numbers(1, len), vec![f32::NAN; 1], vec![0.0; scratch_words(len)]);
                pool.run(&|w| sum_of_squares(w, view(&x), view(&out), view(&scratch)));
                check("norm", &out, &[x.iter().map(|x| f64::from(*x).powi(2)).sum()], 1e-6);
            }
        }
    }
}
