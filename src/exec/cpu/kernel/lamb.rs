//! The direction of LAMB over a flat array: what AdamW would subtract, weight decay included, before it is scaled to the norms.
//!
//! `m += (1 - beta1)(g - m)`, `v = beta2 v + (1 - beta2) g g`,
//! `d = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay p`, written in the place of g.

use super::adamw::AdamW;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of each array in one job.
const JOB: usize = 16_384;

/// The factors of a sweep.
#[derive(Clone, Copy)]
struct Factors {
    gradient: f32,
    first: f32,
    keep: f32,
    second: f32,
    root: f32,
    epsilon: f32,
    mean: f32,
    decay: f32,
}

/// Updates `m` and `v`, and makes the gradients in `g`, times `scale`, the direction. Rate and clamp of the settings are not
/// looked at.
///
/// # Panics
/// If the lengths differ.
pub fn direction(worker: &Worker, adamw: &AdamW, p: View, g: View, m: View, v: View, scale: f32) {
    assert!(p.len() == g.len() && p.len() == m.len() && p.len() == v.len(), "arrays of different lengths");
    let power = adamw.step as f64;
    let factors = Factors {
        gradient: scale,
        first: (1.0 - adamw.beta1) as f32,
        keep: adamw.beta2 as f32,
        second: (1.0 - adamw.beta2) as f32,
        root: (1.0 / (1.0 - adamw.beta2.powf(power)).sqrt()) as f32,
        epsilon: adamw.epsilon as f32,
        mean: (1.0 / (1.0 - adamw.beta1.powf(power))) as f32,
        decay: adamw.decay as f32,
    };
    worker.share_pieces(p.len(), JOB, |piece| {
        let part = |view: View| view.part(piece.start, piece.len());
        sweep(worker.level, factors, part(p).read(), part(g).write(), part(m).write(), part(v).write());
    });
}

by_level! {
    fn sweep[F](f: Factors, p: &[f32], g: &mut [f32], m: &mut [f32], v: &mut [f32]) {
        for (((p, d), m), v) in p.iter().zip(g).zip(m).zip(v) {
            let g = *d * f.gradient;
            *m = F::fma(f.first, g - *m, *m);
            *v = F::fma(f.second * g, g, f.keep * *v);
            *d = F::fma(f.decay, *p, f.mean * *m / F::fma(v.sqrt(), f.root, f.epsilon));
        }
    }
}
