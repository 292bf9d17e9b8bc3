//! Layer normalisation.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Operands of the forward computation.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    /// Rows.
    pub rows: usize,
    /// Numbers in a row, D.
    pub width: usize,
    /// Added to the variance.
    pub epsilon: f32,
    /// `[rows, D]`
    pub x: View,
    /// Gain and shift, `[D]` each; `None` is `standardize`.
    pub affine: Option<(View, View)>,
    /// `[rows, D]`, written.
    pub y: View,
    /// `[2, rows]`: mean and 1 / deviation of every row, written; `None` in inference.
    pub saved: Option<View>,
}

/// Operands of the backward computation.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    /// Rows.
    pub rows: usize,
    /// Numbers in a row, D.
    pub width: usize,
    /// `[rows, D]`: the input of forward.
    pub x: View,
    /// `[D]`
    pub gain: Option<View>,
    /// What forward saved.
    pub saved: View,
    /// `[rows, D]`
    pub dy: View,
    /// `[rows, D]`: added to `dx`, the gradient that reaches x another way; may be `dx` itself.
    pub add: Option<View>,
    /// `[rows, D]`, written.
    pub dx: View,
    /// `[D]` each, written: gradients of gain and shift.
    pub daffine: Option<(View, View)>,
    /// Whether `daffine` is added to instead of written.
    pub accumulate: bool,
}

/// Words of scratch that backward needs.
pub fn scratch_words(rows: usize, width: usize) -> usize {
    let _ = (rows, width);
    unimplemented!()
}

/// `y = (x - mean) / sqrt(variance + epsilon) * gain + shift`, with the biased variance.
pub fn forward(worker: &Worker, on: &Forward) {
    let _ = (worker, on);
    unimplemented!()
}

/// The gradients. Holds one barrier, between partial sums and sums.
pub fn backward(worker: &Worker, on: &Backward, scratch: View) {
    let _ = (worker, on, scratch);
    unimplemented!()
}
