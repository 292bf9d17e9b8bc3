//! Softmax cross entropy, mean over the rows that count.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// What the logits should say.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// `[R]` ids. A row whose id is not below V does not count.
    Ids(View),
    /// `[R, V]` probabilities.
    Soft(View),
}

/// Sizes and operands of both directions.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy {
    /// R
    pub rows: usize,
    /// V
    pub classes: usize,
    /// Share of the loss that is the mean of `-log p` over classes.
    pub smoothing: f32,
    /// `[R, V]`
    pub logits: View,
    /// What they should say.
    pub target: Target,
    /// `[R]` conditions: the rows that count; all of them if `None`.
    pub only: Option<View>,
    /// `[R]`, written by forward, read by backward: log of the sum of exponentials.
    pub log_sums: View,
    /// `[R]`, written by forward: each row's loss, 0 where it does not count.
    pub losses: View,
    /// `[2]`, written by forward, read by backward: mean loss (0 if no row counts) and number of rows that count.
    pub total: View,
}

/// The loss. Holds one barrier; worker 0 writes `total`.
pub fn forward(worker: &Worker, on: &CrossEntropy) {
    let _ = (worker, on);
    unimplemented!()
}

/// `dlogits = dloss / count * (softmax - target)`; `dloss` is one word. `dlogits` may be the logits.
pub fn backward(worker: &Worker, on: &CrossEntropy, dloss: View, dlogits: View) {
    let _ = (worker, on, dloss, dlogits);
    unimplemented!()
}

/// As [`backward`] for losses used row by row: `dlosses` is `[R]`, nothing is divided by the count.
pub fn backward_rows(worker: &Worker, on: &CrossEntropy, dlosses: View, dlogits: View) {
    let _ = (worker, on, dlosses, dlogits);
    unimplemented!()
}
