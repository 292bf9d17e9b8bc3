//! Sums and maxima over one axis.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// An axis of `n` between `outer` and `inner` elements: x is `[outer, n, inner]`, the result `[outer, inner]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Elements before.
    pub outer: usize,
    /// Elements of the axis.
    pub n: usize,
    /// Elements behind.
    pub inner: usize,
}

/// Words of scratch that [`sum`] needs.
pub fn scratch_words(axis: Axis) -> usize {
    let _ = axis;
    unimplemented!()
}

/// `y = factor * sum(x)` (a mean has factor 1 / n), added to `y` if `accumulate`. May hold one barrier.
pub fn sum(worker: &Worker, axis: Axis, factor: f32, x: View, y: View, accumulate: bool, scratch: View) {
    let _ = (worker, axis, factor, x, y, accumulate, scratch);
    unimplemented!()
}

/// The largest number and the id (first of equals) where it is; either result may be `None`.
pub fn max(worker: &Worker, axis: Axis, x: View, largest: Option<View>, place: Option<View>) {
    let _ = (worker, axis, x, largest, place);
    unimplemented!()
}
