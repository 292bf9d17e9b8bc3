//! One step of AdamW over flat arrays, one sweep, as `torch.optim.AdamW` has it.
//!
//! `p *= 1 - rate decay`, `m += (1 - beta1)(g - m)`, `v = beta2 v + (1 - beta2) g g`,
//! `p -= rate / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon)`. Rates are `f64` until they are factors.

use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of each array in one job.
const JOB: usize = 16_384;

/// Rates of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub decay: f64,
    /// Which step, from 1.
    pub step: u64,
    /// Bounds of the new parameters.
    pub clamp: Option<(f32, f32)>,
}

/// The factors of a sweep.
#[derive(Clone, Copy)]
struct Factors {
    gradient: f32,
    shrink: f32,
    first: f32,
    keep: f32,
    second: f32,
    root: f32,
    epsilon: f32,
    rate: f32,
    low: f32,
    high: f32,
}

/// Updates `p`, `m` and `v`; the gradient is first multiplied by the one word `gradient_scale`.
///
/// # Panics
/// If the lengths differ.
pub fn step(
    worker: &Worker,
    adamw: &AdamW,
    p: View,
    g: View,
    m: View,
    v: View,
    gradient_scale: Option<View>,
) {
    assert!(p.len() == g.len() && p.len() == m.len() && p.len() == v.len(), "arrays of different lengths");
    let factors = adamw.factors(gradient_scale.map_or(1.0, |scale| scale.read()[0]));
    worker.share_pieces(p.len(), JOB, |piece| {
        let part = |view: View| view.part(piece.start, piece.len());
        sweep(worker.level, factors, part(p).write(), part(g).read(), part(m).write(), part(v).write());
    });
}

impl AdamW {
    fn factors(&self, gradient: f32) -> Factors {
        let power = self.step as f64;
        let (low, high) = self.clamp.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
        Factors {
            gradient,
            shrink: (1.0 - self.rate * self.decay) as f32,
            first: (1.0 - self.beta1) as f32,
            keep: self.beta2 as f32,
            second: (1.0 - self.beta2) as f32,
            root: (1.0 / (1.0 - self.beta2.powf(power)).sqrt()) as f32,
            epsilon: self.epsilon as f32,
            rate: (self.rate / (1.0 - self.beta1.powf(power))) as f32,
            low,
            high,
        }
    }
}

by_level! {
    fn sweep[F](f: Factors, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * f.gradient;
            *m = F::fma(f.first, g - *m, *m);
            *v = F::fma(f.second * g, g, f.keep * *v);
            let next = *p * f.shrink - f.rate * *m / F::fma(v.sqrt(), f.root, f.epsilon);
            let next = if next < f.low { f.low } else { next };
            *p = if next > f.high { f.high } else { next };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, numbers, pools, view, wide};

    #[test]
    fn steps_equal_the_formulas() {
        let (len, clamp) = (1003, Some((-0.9, 0.9)));
        for pool in pools() {
            let (p, m, v) = (numbers(1, len), vec![0.0; len], vec![0.0; len]);
            let (mut ep, mut em, mut ev) = (wide(&p), vec![0.0; len], vec![0.0; len]);
            for t in 1..5_u64 {
                let g = numbers(10 + t, len);
                let a =
                    AdamW { rate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-6, decay: 0.1, step: t, clamp };
                let scale = [0.5_f32];
                pool.run(&|w| step(w, &a, view(&p), view(&g), view(&m), view(&v), Some(view(&scale))));
                for i in 0..len {
                    let g = f64::from(g[i]) * 0.5;
                    em[i] = 0.9 * em[i] + (1.0 - 0.9) * g;
                    ev[i] = 0.98 * ev[i] + (1.0 - 0.98) * g * g;
                    let root = (ev[i] / (1.0 - 0.98_f64.powi(t as i32))).sqrt() + 1e-6;
                    let next =
                        ep[i] * (1.0 - 0.01 * 0.1) - 0.01 / (1.0 - 0.9_f64.powi(t as i32)) * em[i] / root;
                    ep[i] = next.clamp(-0.9, 0.9);
                }
            }
            check("p", &p, &ep, 1e-6);
            check("m", &m, &em, 1e-6);
            check("v", &v, &ev, 1e-6);
        }
    }
}
