//! Sums and maxima over axes.

use super::Compiler;
use super::moves::around;
use crate::exec::cpu::kernel::reduce::{self, Axis};
use crate::op::Value;

impl Compiler<'_> {
    /// `sum` over one axis.
    pub(super) fn sum(&mut self, value: Value, axis: usize) {
        let (outer, n, inner) = around(&self.dims(self.operand(value, 0)), axis);
        self.launch_sum(value, Axis { outer, n, inner });
    }

    /// `sum_leading`: over the first axes.
    pub(super) fn sum_leading(&mut self, value: Value, axes: usize) {
        let dims = self.dims(self.operand(value, 0));
        let (n, inner) = (dims[..axes].iter().product(), dims[axes..].iter().product());
        self.launch_sum(value, Axis { outer: 1, n, inner });
    }

    fn launch_sum(&mut self, value: Value, axis: Axis) {
        let [x, y] = self.places([self.operand(value, 0), value]);
        let scratch = reduce::scratch_words(axis);
        self.launch(&[x], &[y], scratch, move |worker, frame, scratch| {
            reduce::sum(worker, axis, 1.0, frame.view(x), frame.view(y), false, scratch);
        });
    }

    /// `max` over one axis.
    pub(super) fn max(&mut self, value: Value, axis: usize) {
        let (outer, n, inner) = around(&self.dims(self.operand(value, 0)), axis);
        let [x, y] = self.places([self.operand(value, 0), value]);
        self.launch(&[x], &[y], 0, move |worker, frame, _| {
            reduce::max(worker, Axis { outer, n, inner }, frame.view(x), Some(frame.view(y)), None);
        });
    }

    /// `argmax` over the last axis.
    pub(super) fn argmax(&mut self, value: Value) {
        let (rows, width) = self.rows(self.operand(value, 0));
        let [x, y] = self.places([self.operand(value, 0), value]);
        self.launch(&[x], &[y], 0, move |worker, frame, _| {
            let axis = Axis { outer: rows, n: width, inner: 1 };
            reduce::max(worker, axis, frame.view(x), None, Some(frame.view(y)));
        });
    }
}
