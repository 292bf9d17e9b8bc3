//! `attend` and its gradient.
//!
//! The gradient is one flat value, `[dq | dk | dv | dbias]`; the kernel writes the pieces side by side, and slices of it are
//! views. Backward wants the probabilities of forward; a gradient without a forward node computes them again.

use super::{Compiler, Saved};
use crate::exec::cpu::frame::{Frame, Place};
use crate::exec::cpu::kernel::attention::{self, Attention, Backward, Dropout, Forward, Heads};
use crate::op::{Attend, AttendGrad, Op, Value};

/// Sizes and options with places instead of views.
#[derive(Clone, Copy)]
struct Call {
    sizes: Attention,
    mask: Option<Place>,
    bias: Option<Place>,
    relation: Option<Place>,
    drop: Option<(f32, usize)>,
    layout: Strides,
}

/// How heads lie in the operands.
#[derive(Clone, Copy)]
enum Strides {
    /// `[B, H, N, K]`
    Apart,
    /// `[B, N, H K]`
    Together,
}

impl Call {
    fn on(&self, frame: &Frame) -> Attention {
        let mut sizes = self.sizes;
        sizes.key_mask = self.mask.map(|place| frame.view(place));
        sizes.bias = self.bias.map(|place| frame.view(place));
        sizes.mask = self.relation.map(|place| frame.view(place));
        sizes.dropout = self.drop.map(|(probability, stream)| Dropout {
            probability,
            stream: frame.streams[stream],
            first_row: 0,
        });
        sizes
    }

    fn heads(&self, frame: &Frame, place: Place, tokens: usize, width: usize) -> Heads {
        let (data, heads) = (frame.view(place), self.sizes.heads);
        let batch = heads * tokens * width;
        match self.layout {
            Strides::Apart => Heads { data, batch, head: tokens * width, token: width },
            Strides::Together => Heads { data, batch, head: width, token: heads * width },
        }
    }

    fn queries(&self, frame: &Frame, place: Place) -> Heads {
        self.heads(frame, place, self.sizes.queries, self.sizes.width)
    }

    fn keys(&self, frame: &Frame, place: Place) -> Heads {
        self.heads(frame, place, self.sizes.keys, self.sizes.width)
    }

    fn values(&self, frame: &Frame, place: Place) -> Heads {
        self.heads(frame, place, self.sizes.keys, self.sizes.value_width)
    }

    fn results(&self, frame: &Frame, place: Place) -> Heads {
        self.heads(frame, place, self.sizes.queries, self.sizes.value_width)
    }

    fn masks(&self) -> impl Iterator<Item = Place> {
        self.mask.into_iter().chain(self.bias).chain(self.relation)
    }
}

impl Compiler<'_> {
    /// `attend`.
    pub(super) fn attend(&mut self, value: Value, op: &Attend) {
        let call = self.call(value, op);
        let wanted = self.sight.readers(self.sight.root(self.operand(value, 0))).into_iter().any(|reader| {
            matches!(self.op(reader), Op::AttendGrad(grad) if grad.of == *op)
                && self.same_operands(value, reader)
        });
        let saved = wanted.then(|| self.save(value, Saved::Weights, attention::saved_words(&call.sizes)));
        let y = self.place(value);
        self.launch_forward(value, call, y, saved);
    }

    fn launch_forward(&mut self, value: Value, call: Call, y: Place, saved: Option<Place>) {
        let [q, k, v] = self.places([0, 1, 2].map(|i| self.operand(value, i)));
        let reads: Vec<Place> = [q, k, v].into_iter().chain(call.masks()).collect();
        let writes: Vec<Place> = [y].into_iter().chain(saved).collect();
        let scratch = attention::scratch_words(&call.sizes, self.threads);
        self.launch(&reads, &writes, scratch, move |worker, frame, scratch| {
            let on = Forward {
                q: call.queries(frame, q),
                k: call.keys(frame, k),
                v: call.values(frame, v),
                out: call.results(frame, y),
                saved: saved.map(|place| frame.view(place)),
            };
            attention::forward(worker, &call.on(frame), &on, scratch);
        });
    }

    /// Whether a gradient is that of an attention.
    fn same_operands(&self, forward: Value, grad: Value) -> bool {
        let (a, b) = (self.operands(forward), self.operands(grad));
        a.len() + 2 == b.len() && a.iter().zip(b).all(|(a, b)| self.same(*a, *b))
    }

    /// `attend_grad`.
    pub(super) fn attend_grad(&mut self, value: Value, op: &AttendGrad) {
        let call = self.call(value, &op.of);
        let saved = self.weights(value, &op.of, call);
        let [q, k, v] = self.places([0, 1, 2].map(|i| self.operand(value, i)));
        let dy = self.operands(value).last().copied().unwrap_or(value);
        let [dy, whole] = self.places([dy, value]);
        let (dq, rest) = (whole.part(0, q.words), q.words);
        let (dk, dv) = (whole.part(rest, k.words), whole.part(rest + k.words, v.words));
        let dscores = op.of.bias.then(|| self.temporary(attention::saved_words(&call.sizes)));
        let reads: Vec<Place> = [q, k, v, saved, dy].into_iter().chain(call.masks()).collect();
        let writes: Vec<Place> = [whole].into_iter().chain(dscores).collect();
        let scratch = attention::scratch_words(&call.sizes, self.threads);
        self.launch(&reads, &writes, scratch, move |worker, frame, scratch| {
            let on = Backward {
                q: call.queries(frame, q),
                k: call.keys(frame, k),
                v: call.values(frame, v),
                saved: frame.view(saved),
                dout: call.results(frame, dy),
                dq: call.queries(frame, dq),
                dk: call.keys(frame, dk),
                dv: call.values(frame, dv),
                dscores: dscores.map(|place| frame.view(place)),
            };
            attention::backward(worker, &call.on(frame), &on, scratch);
        });
        if let (Some(dscores), Some(bias)) = (dscores, call.bias) {
            let dbias = whole.part(rest + k.words + v.words, bias.words);
            self.launch(&[dscores], &[dbias], 0, move |worker, frame, _| {
                attention::bias_gradient(
                    worker,
                    &call.on(frame),
                    frame.view(dscores),
                    frame.view(dbias),
                    false,
                );
            });
        }
    }

    /// The probabilities that forward saved, or computed again.
    fn weights(&mut self, grad: Value, op: &Attend, call: Call) -> Place {
        let known =
            self.sight.readers(self.sight.root(self.operand(grad, 0))).into_iter().find_map(|reader| {
                let forward =
                    matches!(self.op(reader), Op::Attend(of) if of == op) && self.same_operands(reader, grad);
                self.saved.get(&(reader, Saved::Weights)).copied().filter(|_| forward)
            });
        known.unwrap_or_else(|| {
            let saved = self.temporary(attention::saved_words(&call.sizes));
            let y = self
                .temporary(call.sizes.batch * call.sizes.heads * call.sizes.queries * call.sizes.value_width);
            self.launch_forward(grad, call, y, Some(saved));
            saved
        })
    }

    fn call(&mut self, value: Value, op: &Attend) -> Call {
        let [q, k, v] = [0, 1, 2].map(|i| self.dims(self.operand(value, i)));
        let at = |dims: &[usize], back: usize| dims.iter().rev().nth(back).copied().unwrap_or(1);
        let (heads, layout) = match op.heads {
            Some(heads) => (heads, Strides::Together),
            None => (at(&q, 2), Strides::Apart),
        };
        let apart = op.heads.unwrap_or(1);
        let width = at(&q, 0) / apart;
        let sizes = Attention {
            batch: q.first().copied().unwrap_or(1),
            heads,
            queries: at(&q, 1),
            keys: at(&k, 1),
            width,
            value_width: at(&v, 0) / apart,
            scale: 1.0 / (width as f32).sqrt(),
            causal: op.causal,
            key_mask: None,
            mask: None,
            mask_step: 0,
            bias: None,
            dropout: None,
        };
        let mask = op.mask.then(|| self.place(self.operand(value, 3)));
        let bias = op.bias.then(|| self.place(self.operand(value, 3 + usize::from(op.mask))));
        let relation = op.relation_at().map(|at| self.place(self.operand(value, at)));
        let pairs = sizes.queries * sizes.keys;
        let mask_step = if relation.is_some_and(|place| place.words > pairs) { pairs } else { 0 };
        let sizes = Attention { mask_step, ..sizes };
        let drop = op.drop.as_ref().map(|drop| (drop.share as f32, self.stream(&drop.draw)));
        Call { sizes, mask, bias, relation, drop, layout }
    }
}
