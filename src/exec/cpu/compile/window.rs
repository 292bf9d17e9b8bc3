//! Patches under a moving window, and their sums; convolutions by channel.

use super::Compiler;
use crate::exec::cpu::kernel::depthwise::{self, Planes};
use crate::op::{Value, Window};

impl Compiler<'_> {
    /// `unfold`: one job a patch.
    pub(super) fn unfold(&mut self, value: Value, window: Window) {
        let x_dims = self.dims(self.operand(value, 0));
        let (patches, numbers) = self.rows(value);
        let [x, to] = self.places([self.operand(value, 0), value]);
        let [_, channels, height, width] = [0, 1, 2, 3].map(|i| x_dims.get(i).copied().unwrap_or(1));
        let (down, across) = (window.places(height).unwrap_or(1), window.places(width).unwrap_or(1));
        let (image, side) = (channels * height * width, window.side);
        self.launch(&[x], &[to], 0, move |worker, frame, _| {
            worker.share(patches, |at| {
                let image = frame.view(x).part(at / (down * across) * image, image).read();
                let (top, left) = (at / across % down, at % across);
                let line = frame.view(to).part(at * numbers, numbers).write();
                let (first, end, start) = covered(window, left, width);
                for (row, numbers) in line.chunks_exact_mut(side).enumerate() {
                    numbers.fill(0.0);
                    if let Some(y) = window.under(top, row % side, height) {
                        let from = (row / side * height + y) * width + start;
                        numbers[first..end].copy_from_slice(&image[from..from + end - first]);
                    }
                }
            });
        });
    }

    /// Sizes of a convolution by channel of these images.
    fn planes(&self, images: Value, window: Window) -> Planes {
        let dims = self.dims(images);
        let [rows, channels, height, width] = [0, 1, 2, 3].map(|i| dims.get(i).copied().unwrap_or(1));
        Planes { window, planes: rows * channels, channels, height, width }
    }

    /// `depthwise`: one job a channel of a row.
    pub(super) fn depthwise(&mut self, value: Value, window: Window) {
        let planes = self.planes(self.operand(value, 0), window);
        let [x, w, y] = self.places([self.operand(value, 0), self.operand(value, 1), value]);
        self.launch(&[x, w], &[y], 0, move |worker, frame, _| {
            depthwise::forward(worker, planes, frame.view(x), frame.view(w), frame.view(y));
        });
    }

    /// `depthwise_grad`: one job a channel of a row.
    pub(super) fn depthwise_grad(&mut self, value: Value, window: Window) {
        let planes = self.planes(value, window);
        let [dy, w, dx] = self.places([self.operand(value, 0), self.operand(value, 1), value]);
        self.launch(&[dy, w], &[dx], 0, move |worker, frame, _| {
            depthwise::backward(worker, planes, frame.view(dy), frame.view(w), frame.view(dx));
        });
    }

    /// `depthwise_weight_grad`: one job a channel.
    pub(super) fn depthwise_weight_grad(&mut self, value: Value, window: Window) {
        let planes = self.planes(self.operand(value, 1), window);
        let [dy, x, dw] = self.places([self.operand(value, 0), self.operand(value, 1), value]);
        self.launch(&[dy, x], &[dw], 0, move |worker, frame, _| {
            depthwise::weights(worker, planes, frame.view(dy), frame.view(x), frame.view(dw));
        });
    }

    /// `fold`: one job a channel, so that no two jobs add to the same place.
    pub(super) fn fold(&mut self, value: Value, window: Window) {
        let dims = self.dims(value);
        let [rows, channels, height, width] = [0, 1, 2, 3].map(|i| dims.get(i).copied().unwrap_or(1));
        let [patches, to] = self.places([self.operand(value, 0), value]);
        let across = window.places(width).unwrap_or(1);
        let count = window.places(height).unwrap_or(1) * across;
        let square = window.side * window.side;
        self.launch(&[patches], &[to], 0, move |worker, frame, _| {
            worker.share(rows * channels, |at| {
                let (row, channel) = (at / channels, at % channels);
                let from = frame.view(patches).read();
                let image = frame.view(to).part(at * height * width, height * width).write();
                image.fill(0.0);
                for p in 0..count {
                    let line = &from[((row * count + p) * channels + channel) * square..][..square];
                    let (first, end, start) = covered(window, p % across, width);
                    for (i, numbers) in line.chunks_exact(window.side).enumerate() {
                        if let Some(y) = window.under(p / across, i, height) {
                            let to = &mut image[y * width + start..][..end - first];
                            to.iter_mut().zip(&numbers[first..end]).for_each(|(to, number)| *to += number);
                        }
                    }
                }
            });
        });
    }
}

/// The columns of window `at` that lie over an image: the first, the end, and the place under the first.
fn covered(window: Window, at: usize, width: usize) -> (usize, usize, usize) {
    let corner = at * window.stride;
    let first = window.pad.saturating_sub(corner).min(window.side);
    let end = (width + window.pad).saturating_sub(corner).clamp(first, window.side);
    (first, end, (corner + first).saturating_sub(window.pad).min(width))
}
