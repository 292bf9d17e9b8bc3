//! Momentum twins: `twin = r twin + (1 - r) p` over flat arrays, computed as `p + r (twin - p)`.

use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of each array in one job.
const JOB: usize = 32_768;

/// `twin = r * twin + (1 - r) * p`
///
/// # Panics
/// If the lengths differ.
pub fn step(worker: &Worker, r: f32, p: View, twin: View) {
    assert_eq!(p.len(), twin.len(), "arrays of different lengths");
    worker.share_pieces(p.len(), JOB, |piece| {
        sweep(
            worker.level,
            r,
            p.part(piece.start, piece.len()).read(),
            twin.part(piece.start, piece.len()).write(),
        );
    });
}

by_level! {
    fn sweep[F](r: f32, p: &[f32], twin: &mut [f32]) {
        twin.iter_mut().zip(p).for_each(|(twin, p)| *twin = F::fma(r, *twin - p, *p));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, numbers, pools, view};

    #[test]
    fn a_step_equals_the_formula() {
        for pool in pools() {
            let (p, twin) = (numbers(1, 1001), numbers(2, 1001));
            let exact: Vec<f64> =
                p.iter().zip(&twin).map(|(p, t)| 0.75 * f64::from(*t) + 0.25 * f64::from(*p)).collect();
            pool.run(&|w| step(w, 0.75, view(&p), view(&twin)));
            check("ema", &twin, &exact, 1e-6);
        }
    }
}
