//! `cross_entropy` and its gradient.
//!
//! Logits are rows of classes; a target is one id a row, or a row of probabilities. Forward keeps the logarithms of the
//! sums and the count, which backward reads; a gradient without a forward node computes them again.

use super::{Compiler, Saved};
use crate::exec::cpu::frame::{Frame, Place};
use crate::exec::cpu::kernel::cross_entropy::{self as kernel, CrossEntropy as Call, Target};
use crate::exec::cpu::kernel::reduce;
use crate::op::{CrossEntropy, CrossEntropyGrad, Op, Value};
use crate::shape::Kind;

/// The kernel's operands as places.
#[derive(Clone, Copy)]
struct On {
    rows: usize,
    classes: usize,
    smoothing: f32,
    logits: Place,
    target: Place,
    ids: bool,
    only: Option<Place>,
    log_sums: Place,
    losses: Place,
    total: Place,
    check: usize,
}

impl On {
    fn call(&self, frame: &Frame) -> Call {
        let target = frame.view(self.target);
        Call {
            rows: self.rows,
            classes: self.classes,
            smoothing: self.smoothing,
            logits: frame.view(self.logits),
            target: if self.ids { Target::Ids(target) } else { Target::Soft(target) },
            only: self.only.map(|place| frame.view(place)),
            log_sums: frame.view(self.log_sums),
            losses: frame.view(self.losses),
            total: frame.view(self.total),
        }
    }

    fn reads(&self) -> Vec<Place> {
        [self.logits, self.target].into_iter().chain(self.only).collect()
    }
}

impl Compiler<'_> {
    /// `cross_entropy`.
    pub(super) fn cross_entropy(&mut self, value: Value, op: &CrossEntropy) {
        let wanted = self.sight.readers(self.sight.root(self.operand(value, 0))).into_iter().any(|reader| {
            matches!(self.op(reader), Op::CrossEntropyGrad(grad) if grad.of == *op)
                && self.same_target(value, reader, op)
        });
        let on = self.losses(value, op, wanted.then_some(value));
        let result = self.place(value);
        if op.per_row {
            let axis = reduce::Axis { outer: result.words, n: on.rows / result.words.max(1), inner: 1 };
            let scratch = reduce::scratch_words(axis);
            self.launch(&[on.losses], &[result], scratch, move |worker, frame, scratch| {
                reduce::sum(worker, axis, 1.0, frame.view(on.losses), frame.view(result), false, scratch);
            });
        } else {
            self.copy_words(on.total.part(0, 1), result);
        }
    }

    /// Whether a gradient is that of a loss.
    fn same_target(&self, forward: Value, grad: Value, op: &CrossEntropy) -> bool {
        (0..2 + usize::from(op.only)).all(|i| self.same(self.operand(forward, i), self.operand(grad, i)))
    }

    /// The launch of the forward kernel on the operands of a loss or of its gradient.
    fn losses(&mut self, value: Value, op: &CrossEntropy, keep: Option<Value>) -> On {
        let (rows, classes) = self.rows(self.operand(value, 0));
        let room = |compiler: &mut Self, what, words| match keep {
            Some(owner) => compiler.save(owner, what, words),
            None => compiler.temporary(words),
        };
        let log_sums = room(self, Saved::Sums, rows);
        let total = room(self, Saved::Total, 2);
        let losses = self.temporary(rows);
        let on = self.on(value, op, log_sums, losses, total);
        self.launch(&on.reads(), &[log_sums, losses, total], 0, move |worker, frame, _| {
            if on.ids && on.only.is_none() {
                frame.check(worker, on.check, frame.view(on.target), classes);
            }
            kernel::forward(worker, &on.call(frame));
        });
        on
    }

    fn on(&mut self, value: Value, op: &CrossEntropy, log_sums: Place, losses: Place, total: Place) -> On {
        let (rows, classes) = self.rows(self.operand(value, 0));
        let [logits, target] = self.places([self.operand(value, 0), self.operand(value, 1)]);
        let ids = self.graph.shape(self.operand(value, 1)).kind == Kind::Ids;
        let only = op.only.then(|| self.place(self.operand(value, 2)));
        let check = self.check(value, classes);
        let smoothing = op.smooth as f32;
        On { rows, classes, smoothing, logits, target, ids, only, log_sums, losses, total, check }
    }

    /// `cross_entropy_grad`: of the logits.
    pub(super) fn cross_entropy_grad(&mut self, value: Value, op: &CrossEntropyGrad) {
        let known =
            self.sight.readers(self.sight.root(self.operand(value, 0))).into_iter().find_map(|reader| {
                let forward = matches!(self.op(reader), Op::CrossEntropy(of) if *of == op.of)
                    && self.same_target(reader, value, &op.of);
                let log_sums = self.saved.get(&(reader, Saved::Sums)).filter(|_| forward)?;
                Some((*log_sums, *self.saved.get(&(reader, Saved::Total))?))
            });
        let on = match known {
            Some((log_sums, total)) => self.on(value, &op.of, log_sums, log_sums, total),
            None => self.losses(value, &op.of, None),
        };
        let dloss = self.operands(value).last().copied().unwrap_or(value);
        let [dloss, dlogits] = self.places([dloss, value]);
        let dloss = if op.of.per_row { self.spread_rows(dloss, on.rows) } else { dloss };
        let reads = [on.reads(), vec![on.log_sums, on.total, dloss]].concat();
        let per_row = op.of.per_row;
        self.launch(&reads, &[dlogits], 0, move |worker, frame, _| {
            let (dloss, dlogits) = (frame.view(dloss), frame.view(dlogits));
            if per_row {
                kernel::backward_rows(worker, &on.call(frame), dloss, dlogits);
            } else {
                kernel::backward(worker, &on.call(frame), dloss, dlogits);
            }
        });
        self.over(on.logits, dlogits);
    }

    /// One number a batch row, repeated for each of its positions.
    fn spread_rows(&mut self, numbers: Place, rows: usize) -> Place {
        let each = rows / numbers.words.max(1);
        if each == 1 {
            return numbers;
        }
        let spread = self.temporary(rows);
        self.copy_strided(&[numbers.words, each], &[1, 0], &[each, 1], numbers, spread);
        spread
    }
}
