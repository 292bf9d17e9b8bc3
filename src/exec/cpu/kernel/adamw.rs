//! One step of AdamW over flat arrays.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Rates of one step, as in `torch.optim.AdamW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// Which step, from 1.
    pub step: u64,
    /// Bounds of the new parameters.
    pub clamp: Option<(f32, f32)>,
}

/// Updates `p`, `m` and `v`; the gradient is first multiplied by the one word `gradient_scale`.
pub fn step(
    worker: &Worker,
    adamw: &AdamW,
    p: View,
    g: View,
    m: View,
    v: View,
    gradient_scale: Option<View>,
) {
    let _ = (worker, adamw, p, g, m, v, gradient_scale);
    unimplemented!()
}
