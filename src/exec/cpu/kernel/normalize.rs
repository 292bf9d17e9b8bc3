//! Rows to length one: `y = x / max(|x|, 1e-12)`.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// `[rows, width]` to rows of length one; `norms` (`[rows]`) receives `max(|x|, 1e-12)`.
pub fn forward(worker: &Worker, rows: usize, width: usize, x: View, y: View, norms: Option<View>) {
    let _ = (worker, rows, width, x, y, norms);
    unimplemented!()
}

/// `dx` from the output `y`, its `norms` and `dy`; `dx` may be `dy`.
pub fn backward(worker: &Worker, rows: usize, width: usize, y: View, norms: View, dy: View, dx: View) {
    let _ = (worker, rows, width, y, norms, dy, dx);
    unimplemented!()
}
