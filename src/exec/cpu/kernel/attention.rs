//! Multi-head attention, one job for each batch row and head.
//!
//! `out = softmax(scale q k' + bias) v` over the keys a query may see; a query that sees none gives zeros. Scores are computed
//! TRANSPOSED, keys in rows: softmax then runs down columns in whole vectors, and probabilities are a left operand that needs no
//! packing. Probabilities are saved for backward, before dropout; dropout is drawn again. Sums are `f32`.
//!
//! Backward, with P~ the probabilities after dropout: `dv = P~' dout`, `dP~ = dout v'`,
//! `dscores = P~ dP~ - P sum(P~ dP~)` over keys, `dq = scale dscores k`, `dk = scale dscores' q`.

use super::draw;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::math;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::product::small::{multiply, pack, packed_words};
use crate::exec::cpu::product::tile::{Left, Tiles};
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
    a.batch * a.heads * a.table()
}

/// Words of scratch, for either direction.
pub fn scratch_words(a: &Attention, threads: usize) -> usize {
    threads * Room::words(a)
}

/// Computes attention.
pub fn forward(worker: &Worker, a: &Attention, on: &Forward, scratch: View) {
    a.check(&[(on.q, a.queries, a.width), (on.k, a.keys, a.width)]);
    a.check(&[(on.v, a.keys, a.value_width), (on.out, a.queries, a.value_width)]);
    let job = Job { worker, tiles: Tiles::of(worker.level), a, room: Room::new(a, worker, scratch) };
    worker.share(a.batch * a.heads, |index| job.forward(on, index));
}

/// Computes the gradients of queries, keys and values.
pub fn backward(worker: &Worker, a: &Attention, on: &Backward, scratch: View) {
    a.check(&[(on.q, a.queries, a.width), (on.k, a.keys, a.width), (on.v, a.keys, a.value_width)]);
    a.check(&[(on.dq, a.queries, a.width), (on.dk, a.keys, a.width), (on.dv, a.keys, a.value_width)]);
    a.check(&[(on.dout, a.queries, a.value_width)]);
    let job = Job { worker, tiles: Tiles::of(worker.level), a, room: Room::new(a, worker, scratch) };
    worker.share(a.batch * a.heads, |index| job.backward(on, index));
}

/// Sums `dscores` over the batch into `[H, N, M]` (adds, if `accumulate`), rows of the batch in order.
pub fn bias_gradient(worker: &Worker, a: &Attention, dscores: View, dbias: View, accumulate: bool) {
    let (n, m, stride) = (a.queries, a.keys, a.stride());
    worker.share(a.heads * n, |job| {
        let (head, i) = (job / n, job % n);
        let to = dbias.part(job * m, m).write();
        if !accumulate {
            to.fill(0.0);
        }
        for b in 0..a.batch {
            let from = dscores.part((b * a.heads + head) * a.table(), a.table()).read();
            to.iter_mut().enumerate().for_each(|(j, to)| *to += from[j * stride + i]);
        }
    });
}

impl Attention {
    /// N', the words from one key's scores to the next key's.
    fn stride(&self) -> usize {
        self.queries.next_multiple_of(16)
    }

    /// Words of one head's scores.
    fn table(&self) -> usize {
        self.keys * self.stride()
    }

    fn check(&self, operands: &[(Heads, usize, usize)]) {
        if self.batch * self.heads == 0 {
            return;
        }
        for (x, tokens, width) in operands {
            let last = (self.batch - 1) * x.batch + (self.heads - 1) * x.head;
            let words = if tokens * width == 0 { 0 } else { last + (tokens - 1) * x.token + width };
            assert!(x.data.len() >= words, "an operand of attention has {} words, not {words}", x.data.len());
        }
    }

    /// Whether scores need more than their scale.
    fn adorned(&self) -> bool {
        self.causal || self.key_mask.is_some() || self.mask.is_some() || self.bias.is_some()
    }
}

impl Heads {
    /// Address of the first number of a head.
    fn at(&self, b: usize, head: usize) -> *mut f32 {
        self.data.start().wrapping_add(b * self.batch + head * self.head)
    }

    /// One head as a left operand.
    fn left(&self, b: usize, head: usize) -> Left {
        Left { at: self.at(b, head), row: self.token, step: 1 }
    }
}

/// One worker's scratch.
struct Room {
    /// Two tables of scores.
    tables: [View; 2],
    /// A packed operand.
    packed: View,
    /// Two numbers for each query.
    columns: [View; 2],
    /// Dropout factors of one query.
    line: View,
}

impl Room {
    fn packed(a: &Attention) -> usize {
        let (wide, long) = (a.width.max(a.value_width), a.queries.max(a.keys));
        packed_words(wide, a.stride()).max(packed_words(long, wide))
    }

    fn words(a: &Attention) -> usize {
        (2 * a.table() + Self::packed(a) + 2 * a.stride() + a.keys).next_multiple_of(16)
    }

    fn new(a: &Attention, worker: &Worker, scratch: View) -> Self {
        let mut rest = scratch.part(worker.index * Self::words(a), Self::words(a));
        let mut take = |words| {
            let part = rest.part(0, words);
            rest = rest.from(words);
            part
        };
        Self {
            tables: [take(a.table()), take(a.table())],
            packed: take(Self::packed(a)),
            columns: [take(a.stride()), take(a.stride())],
            line: take(a.keys),
        }
    }
}

/// One worker at work on heads.
struct Job<'a> {
    worker: &'a Worker<'a>,
    tiles: &'static Tiles,
    a: &'a Attention,
    room: Room,
}

impl Job<'_> {
    fn forward(&self, on: &Forward, index: usize) {
        let (a, b, head) = (self.a, index / self.a.heads, index % self.a.heads);
        let saved = on.saved.map(|saved| saved.part(index * a.table(), a.table()));
        let scores = saved.unwrap_or(self.room.tables[0]);
        self.turned(on.k.left(b, head), a.width, on.q.at(b, head), on.q.token, scores);
        if a.adorned() {
            self.adorn(scores.write(), b, head);
        }
        let [largest, total] = self.room.columns;
        let scale = if a.adorned() { 1.0 } else { a.scale };
        softmax(self.worker.level, scores.write(), scale, largest.write(), total.write());
        let kept = self.dropped(scores, index);
        let left = Left { at: kept.start(), row: 1, step: a.stride() };
        let (n, m, width) = (a.queries, a.keys, a.value_width);
        self.times(
            left,
            (n, width, m),
            (on.v.at(b, head), on.v.token),
            1.0,
            (on.out.at(b, head), on.out.token),
        );
    }

    fn backward(&self, on: &Backward, index: usize) {
        let (a, b, head) = (self.a, index / self.a.heads, index % self.a.heads);
        let (n, m, stride) = (a.queries, a.keys, a.stride());
        let p = on.saved.part(index * a.table(), a.table());
        let kept = self.dropped(p, index);
        let by_keys = |view: View| Left { at: view.start(), row: stride, step: 1 };
        let by_queries = |view: View| Left { at: view.start(), row: 1, step: stride };
        let dout = (on.dout.at(b, head), on.dout.token);
        self.times(by_keys(kept), (m, a.value_width, n), dout, 1.0, (on.dv.at(b, head), on.dv.token));
        let ds = on.dscores.map_or(self.room.tables[1], |all| all.part(index * a.table(), a.table()));
        self.turned(on.v.left(b, head), a.value_width, dout.0, dout.1, ds);
        score_gradient(self.worker.level, p.read(), kept.read(), ds.write(), self.room.columns[0].write());
        let (q, k) = ((on.q.at(b, head), on.q.token), (on.k.at(b, head), on.k.token));
        self.times(by_keys(ds), (m, a.width, n), q, a.scale, (on.dk.at(b, head), on.dk.token));
        self.times(by_queries(ds), (n, a.width, m), k, a.scale, (on.dq.at(b, head), on.dq.token));
    }

    /// `[M, N'] = left other'`: keys in rows, queries in columns.
    fn turned(&self, left: Left, width: usize, other: *const f32, token: usize, to: View) {
        let (a, packed) = (self.a, self.room.packed);
        // SAFETY: `check` saw that the operands cover their heads; table and packed operand have the right size.
        unsafe {
            pack(self.tiles, other, token, true, width, a.queries, packed);
            // Panels are packed whole, so columns beyond the last query get zeros; what no panel covers is never used.
            let columns = a.queries.next_multiple_of(self.tiles.columns).min(a.stride());
            multiply(self.tiles, (a.keys, columns, width), left, packed, to.start(), a.stride());
        }
    }

    /// `c = factor left right`, for operands with rows of tokens.
    fn times(
        &self,
        left: Left,
        (m, n, k): (usize, usize, usize),
        right: (*mut f32, usize),
        factor: f32,
        c: (*mut f32, usize),
    ) {
        let packed = self.room.packed;
        // SAFETY: as in `turned`.
        unsafe {
            pack(self.tiles, right.0, right.1, false, k, n, packed);
            if factor != 1.0 {
                multiply_by(
                    self.worker.level,
                    packed.part(0, k * n.next_multiple_of(self.tiles.columns)).write(),
                    factor,
                );
            }
            multiply(self.tiles, (m, n, k), left, packed, c.0, c.1);
        }
    }

    /// Scale, bias and masks.
    fn adorn(&self, scores: &mut [f32], b: usize, head: usize) {
        let (a, n, m) = (self.a, self.a.queries, self.a.keys);
        let bias = a.bias.map(|bias| bias.part(head * n * m, n * m).read());
        let seen = a.mask.map(|mask| mask.part(b * a.mask_step, n * m).read());
        let keys = a.key_mask.map(|mask| mask.part(b * m, m).read());
        for (j, row) in scores.chunks_exact_mut(a.stride()).enumerate() {
            if keys.is_some_and(|keys| keys[j] == 0.0) {
                row.fill(f32::NEG_INFINITY);
                continue;
            }
            row.iter_mut().for_each(|x| *x *= a.scale);
            let row = &mut row[..n];
            if let Some(bias) = bias {
                row.iter_mut().enumerate().for_each(|(i, x)| *x += bias[i * m + j]);
            }
            if let Some(seen) = seen {
                row.iter_mut()
                    .enumerate()
                    .filter(|(i, _)| seen[i * m + j] == 0.0)
                    .for_each(|(_, x)| *x = f32::NEG_INFINITY);
            }
            if a.causal {
                row[..j.min(n)].fill(f32::NEG_INFINITY);
            }
        }
    }

    /// Probabilities after dropout: themselves if there is none.
    fn dropped(&self, p: View, index: usize) -> View {
        let (a, m, stride) = (self.a, self.a.keys, self.a.stride());
        let Some(dropout) = a.dropout.filter(|dropout| dropout.probability > 0.0) else { return p };
        // Forward without saving has its probabilities in table 0, so the result goes to table 1.
        let result = if p == self.room.tables[0] { self.room.tables[1] } else { self.room.tables[0] };
        let (from, to, line) = (p.read(), result.write(), self.room.line.write());
        let row = dropout.first_row.wrapping_add((index / a.heads) as u32);
        for i in 0..a.queries {
            let first = ((index % a.heads * a.queries + i) * m) as u32;
            draw::uniform(self.worker.level, dropout.stream, row, first, line);
            draw::keep(self.worker.level, line, dropout.probability, draw::factor(dropout.probability));
            for (j, keep) in line.iter().enumerate() {
                to[j * stride + i] = from[j * stride + i] * keep;
            }
        }
        for row in to.chunks_exact_mut(stride) {
            row[a.queries..].fill(0.0);
        }
        result
    }
}

by_level! {
    /// Softmax down the columns of rows as long as `largest`; columns of -inf become 0.
    fn softmax[F](scores: &mut [f32], scale: f32, largest: &mut [f32], total: &mut [f32]) {
        largest.fill(-1e30);
        total.fill(0.0);
        for row in scores.chunks_exact_mut(largest.len()) {
            for (x, largest) in row.iter_mut().zip(largest.iter_mut()) {
                *x *= scale;
                *largest = if *x > *largest { *x } else { *largest };
            }
        }
        for row in scores.chunks_exact_mut(largest.len()) {
            for ((x, largest), total) in row.iter_mut().zip(&*largest).zip(total.iter_mut()) {
                *x = math::exp::<F>(*x - *largest);
                *total += *x;
            }
        }
        total.iter_mut().for_each(|total| *total = if *total > 0.0 { 1.0 / *total } else { 0.0 });
        for row in scores.chunks_exact_mut(total.len()) {
            row.iter_mut().zip(&*total).for_each(|(x, total)| *x *= total);
        }
    }

    /// From the gradient of `kept` to that of the scores.
    fn score_gradient[F](p: &[f32], kept: &[f32], gradient: &mut [f32], total: &mut [f32]) {
        let stride = total.len();
        total.fill(0.0);
        for (row, kept) in gradient.chunks_exact_mut(stride).zip(kept.chunks_exact(stride)) {
            for ((x, kept), total) in row.iter_mut().zip(kept).zip(total.iter_mut()) {
                *x *= kept;
                *total += *x;
            }
        }
        for (row, p) in gradient.chunks_exact_mut(stride).zip(p.chunks_exact(stride)) {
            for ((x, p), total) in row.iter_mut().zip(p).zip(&*total) {
                *x = F::fma(-p, *total, *x);
            }
        }
    }

    fn multiply_by[F](x: &mut [f32], factor: f32) {
        x.iter_mut().for_each(|x| *x *= factor);
    }
}

#[cfg(test)]
mod tests;
