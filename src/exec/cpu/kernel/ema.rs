//! Momentum twins.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// `twin = r * twin + (1 - r) * p`
pub fn step(worker: &Worker, r: f32, p: View, twin: View) {
    let _ = (worker, r, p, twin);
    unimplemented!()
}
