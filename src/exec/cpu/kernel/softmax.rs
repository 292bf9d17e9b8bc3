//! Softmax over rows.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// `y = exp(x) / sum exp(x)` over rows of `width`; `y` may be `x`.
pub fn forward(worker: &Worker, rows: usize, width: usize, x: View, y: View) {
    let _ = (worker, rows, width, x, y);
    unimplemented!()
}

/// `dx = y (dy - sum(y dy))`; `dx` may be `dy`.
pub fn backward(worker: &Worker, rows: usize, width: usize, y: View, dy: View, dx: View) {
    let _ = (worker, rows, width, y, dy, dx);
    unimplemented!()
}
