//! Copies between strided layouts.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Most axes of a copy.
pub const AXES: usize = 6;

/// Up to six axes with their strides in words on both sides, merged and ordered for speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    sizes: [usize; AXES],
    from: [usize; AXES],
    to: [usize; AXES],
}

impl Layout {
    /// Axes of any order; a stride of 0 in `from` repeats.
    ///
    /// # Panics
    /// If there are more than six axes.
    pub fn new(sizes: &[usize], from: &[usize], to: &[usize]) -> Self {
        let _ = (sizes, from, to);
        unimplemented!()
    }
}

/// `to = from`, element by element (ids too); `View`s begin at element 0.
pub fn copy(worker: &Worker, layout: &Layout, from: View, to: View) {
    let _ = (worker, layout, from, to);
    unimplemented!()
}

/// `to += from`, element by element. No stride of `to` may be 0 (unless its axis has one element).
pub fn add(worker: &Worker, layout: &Layout, from: View, to: View) {
    let _ = (worker, layout, from, to);
    unimplemented!()
}

/// `to = value`, every word.
pub fn fill(worker: &Worker, to: View, value: f32) {
    let _ = (worker, to, value);
    unimplemented!()
}
