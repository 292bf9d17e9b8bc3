//! The last part of a step of most optimisers: `p = p shrink - rate d` over flat arrays, and momentum, `m = share m + part x`.

use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of each array in one job.
const JOB: usize = 16_384;

/// How parameters follow a direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// What is left of a parameter after weight decay.
    pub shrink: f32,
    /// Times the direction.
    pub rate: f32,
    /// Bounds of the new parameters; infinite if there are none.
    pub bounds: [f32; 2],
}

impl Descent {
    /// The new value of a parameter.
    #[inline(always)]
    pub(super) fn step(self, p: f32, direction: f32) -> f32 {
        let next = p * self.shrink - self.rate * direction;
        let next = if next < self.bounds[0] { self.bounds[0] } else { next };
        if next > self.bounds[1] { self.bounds[1] } else { next }
    }
}

/// Moves `p` against the direction `d`.
///
/// # Panics
/// If the lengths differ.
pub fn step(worker: &Worker, descent: Descent, p: View, d: View) {
    assert_eq!(p.len(), d.len(), "arrays of different lengths");
    worker.share_pieces(p.len(), JOB, |piece| {
        let part = |view: View| view.part(piece.start, piece.len());
        sweep(worker.level, descent, part(p).write(), part(d).read());
    });
}

/// `m = share m + part x`
///
/// # Panics
/// If the lengths differ.
pub fn mix(worker: &Worker, share: f32, part: f32, x: View, m: View) {
    assert_eq!(x.len(), m.len(), "arrays of different lengths");
    worker.share_pieces(m.len(), JOB, |piece| {
        let of = |view: View| view.part(piece.start, piece.len());
        mix_sweep(worker.level, share, part, of(x).read(), of(m).write());
    });
}

by_level! {
    fn sweep[F](descent: Descent, p: &mut [f32], d: &[f32]) {
        p.iter_mut().zip(d).for_each(|(p, d)| *p = descent.step(*p, *d));
    }
    fn mix_sweep[F](share: f32, part: f32, x: &[f32], m: &mut [f32]) {
        m.iter_mut().zip(x).for_each(|(m, x)| *m = F::fma(part, *x, share * *m));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, numbers, pools, view};

    #[test]
    fn momentum_and_step_equal_the_formulas() {
        let descent = Descent { shrink: 0.99, rate: 0.5, bounds: [-0.6, 0.7] };
        for pool in pools() {
            let (p, m, x) = (numbers(1, 1003), numbers(2, 1003), numbers(3, 1003));
            let mixed = |i: usize| 0.9 * f64::from(m[i]) + 0.1 * f64::from(x[i]);
            let em: Vec<f64> = (0..1003).map(mixed).collect();
            let stepped = |i: usize| (0.99 * f64::from(p[i]) - 0.5 * em[i]).clamp(-0.6, 0.7);
            let ep: Vec<f64> = (0..1003).map(stepped).collect();
            pool.run(&|w| {
                mix(w, 0.9, 0.1, view(&x), view(&m));
                w.barrier();
                step(w, descent, view(&p), view(&m));
            });
            check("m", &m, &em, 1e-6);
            check("p", &p, &ep, 1e-6);
        }
    }
}
