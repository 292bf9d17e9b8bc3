//! The sum of squares of a flat array.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of scratch.
pub fn scratch_words(len: usize) -> usize {
    let _ = len;
    unimplemented!()
}

/// `out[0] = sum x * x`. Holds one barrier; worker 0 writes `out`.
pub fn sum_of_squares(worker: &Worker, x: View, out: View, scratch: View) {
    let _ = (worker, x, out, scratch);
    unimplemented!()
}
