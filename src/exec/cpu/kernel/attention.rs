//! Multi-head attention.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;
use crate::random::Stream;

/// Sizes and options of one attention.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// Rows of the batch, B.
    pub batch: usize,
    /// Heads, H.
    pub heads: usize,
    /// Queries, N.
    pub queries: usize,
    /// Keys, M.
    pub keys: usize,
    /// Numbers in a query and in a key, K.
    pub width: usize,
    /// Numbers in a value, V.
    pub value_width: usize,
    /// Factor on the scores, usually `1 / sqrt(K)`.
    pub scale: f32,
    /// Query i sees keys j <= i only.
    pub causal: bool,
    /// `[B, M]` conditions: 1.0 where a key may be seen.
    pub key_mask: Option<View>,
    /// `[N, M]` conditions (or `[B, N, M]`, if `mask_step` is N * M): 1.0 where a query may see a key.
    pub mask: Option<View>,
    /// Words from one batch row of `mask` to the next; 0 if all share it.
    pub mask_step: usize,
    /// `[H, N, M]`, added to the scaled scores.
    pub bias: Option<View>,
    /// Dropout on the probabilities.
    pub dropout: Option<Dropout>,
}

/// Dropout on probabilities: entry (b, h, i, j) is drawn at row `first_row + b`, element `(h * N + i) * M + j`.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Probability of zero.
    pub probability: f32,
    /// Where to draw; an entry is kept if its uniform number is not below `probability`.
    pub stream: Stream,
    /// The stream's row of batch row 0.
    pub first_row: u32,
}

/// An operand: number c of token n of head h of batch row b is word `b * batch + h * head + n * token + c`.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Words.
    pub data: View,
    /// Words from one batch row to the next.
    pub batch: usize,
    /// Words from one head to the next.
    pub head: usize,
    /// Words from one token to the next.
    pub token: usize,
}

/// Operands of the forward computation.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    /// `[B, H, N, K]`
    pub q: Heads,
    /// `[B, H, M, K]`
    pub k: Heads,
    /// `[B, H, M, V]`
    pub v: Heads,
    /// `[B, H, N, V]`, written.
    pub out: Heads,
    /// What backward needs, [`saved_words`] long; `None` in inference.
    pub saved: Option<View>,
}

/// Operands of the backward computation.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    /// `[B, H, N, K]`
    pub q: Heads,
    /// `[B, H, M, K]`
    pub k: Heads,
    /// `[B, H, M, V]`
    pub v: Heads,
    /// What forward saved.
    pub saved: View,
    /// `[B, H, N, V]`: gradient of `out`.
    pub dout: Heads,
    /// Gradient of `q`, written.
    pub dq: Heads,
    /// Gradient of `k`, written.
    pub dk: Heads,
    /// Gradient of `v`, written.
    pub dv: Heads,
    /// Receives the gradient of scores plus bias, laid out like `saved`; [`bias_gradient`] sums it.
    pub dscores: Option<View>,
}

/// Words that forward saves: probabilities `[B, H, M, N']`, keys in rows, N' = N rounded up to 16.
pub fn saved_words(a: &Attention) -> usize {
    let _ = a;
    unimplemented!()
}

/// Words of scratch, for either direction.
pub fn scratch_words(a: &Attention, threads: usize) -> usize {
    let _ = (a, threads);
    unimplemented!()
}

/// Computes attention.
pub fn forward(worker: &Worker, a: &Attention, on: &Forward, scratch: View) {
    let _ = (worker, a, on, scratch);
    unimplemented!()
}

/// Computes the gradients of queries, keys and values.
pub fn backward(worker: &Worker, a: &Attention, on: &Backward, scratch: View) {
    let _ = (worker, a, on, scratch);
    unimplemented!()
}

/// Sums `dscores` over the batch into `[H, N, M]` (adds, if `accumulate`).
pub fn bias_gradient(worker: &Worker, a: &Attention, dscores: View, dbias: View, accumulate: bool) {
    let _ = (worker, a, dscores, dbias, accumulate);
    unimplemented!()
}
