//! Draws that no chain can make.

use super::Compiler;
use crate::op::{BlockMask, Draw, PickWords, Places, RandomIds, SampleIds, Shuffle, Value};

/// Elements in one job of a drawing launch.
const JOB: usize = 1024;

impl Compiler<'_> {
    /// Rows and elements of a row for draws of a value.
    fn address(&self, value: Value, draw: &Draw) -> usize {
        let dims = self.dims(value);
        let row = if draw.rows { dims.iter().skip(1).product() } else { self.count(value) };
        usize::max(row, 1)
    }

    /// `random_ids`: whole numbers below a bound.
    pub(super) fn random_ids(&mut self, value: Value, op: &RandomIds) {
        let (stream, row, below) = (self.stream(&op.draw), self.address(value, &op.draw), op.below as u32);
        let to = self.place(value);
        self.launch(&[], &[to], 0, move |worker, frame, _| {
            let stream = frame.streams[stream];
            worker.share_pieces(to.words, JOB, |piece| {
                let start = piece.start;
                let ids = frame.view(to).part(start, piece.len()).write_ids();
                for (i, id) in ids.iter_mut().enumerate() {
                    let at = start + i;
                    *id = stream.below(below, (at / row) as u32, (at % row) as u32) as i32;
                }
            });
        });
    }

    /// `sample`: one column a row, in proportion to its weight.
    pub(super) fn sample_ids(&mut self, value: Value, op: &SampleIds) {
        let (rows, width) = self.rows(self.operand(value, 0));
        let (stream, row) = (self.stream(&op.draw), self.address(value, &op.draw));
        let [weights, to] = self.places([self.operand(value, 0), value]);
        self.launch(&[weights], &[to], 0, move |worker, frame, _| {
            worker.share(rows, |at| {
                let weights = frame.view(weights).part(at * width, width).read();
                let drawn = frame.streams[stream].uniform((at / row) as u32, (at % row) as u32);
                frame.view(to).part(at, 1).write_ids()[0] = column(weights, drawn) as i32;
            });
        });
    }

    /// `shuffle`: the start of a permutation; every swap needs the one before.
    pub(super) fn shuffle(&mut self, value: Value, op: &Shuffle) {
        let (stream, n) = (self.stream(&op.draw), op.n.len());
        let to = self.place(value);
        self.launch(&[], &[to], n, move |worker, frame, scratch| {
            worker.share(1, |_| {
                let order = scratch.part(0, n).write_ids();
                order.iter_mut().enumerate().for_each(|(i, id)| *id = i as i32);
                for i in (1..n).rev() {
                    order.swap(i, frame.streams[stream].below(i as u32 + 1, 0, i as u32) as usize);
                }
                let places = frame.view(to).write_ids();
                places.iter_mut().zip(order.iter().cycle()).for_each(|(place, id)| *place = *id);
            });
        });
    }

    /// `block_mask`: rectangles of hidden patches.
    pub(super) fn block_mask(&mut self, value: Value, op: &BlockMask) {
        let (rows, width) = self.rows(value);
        let (op, stream, to) = (op.clone(), self.stream(&op.draw), self.place(value));
        self.launch(&[], &[to], 0, move |worker, frame, _| {
            worker.share(rows, |row| {
                op.fill(frame.view(to).part(row * width, width).write(), frame.streams[stream], row as u32);
            });
        });
    }

    /// `pick_words`: whole words in random order.
    pub(super) fn pick_words(&mut self, value: Value, op: &PickWords) {
        let (rows, width) = self.rows(value);
        let (op, stream) = (op.clone(), self.stream(&op.draw));
        let given = self.places([0, 1, 2].map(|i| self.operand(value, i)));
        let to = self.place(value);
        self.launch(&given, &[to], 0, move |worker, frame, _| {
            worker.share(rows, |row| {
                let of = |place| frame.view(place).part(row * width, width);
                let [valid, eligible, begins] = given.map(|place| of(place).read());
                op.fill(
                    of(to).write(),
                    Places { valid, eligible, begins },
                    frame.streams[stream],
                    row as u32,
                );
            });
        });
    }
}

/// The first column at which the running sum of weights passes the drawn share of it all; even if all weights are zero.
fn column(weights: &[f32], drawn: f32) -> usize {
    let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
    if total <= 0.0 {
        return ((f64::from(drawn) * weights.len() as f64) as usize).min(weights.len().saturating_sub(1));
    }
    let mut rest = f64::from(drawn) * total;
    let passes = |weight: &f32| {
        rest -= f64::from(*weight);
        rest < 0.0
    };
    let last = weights.iter().rposition(|w| *w > 0.0).unwrap_or(0);
    weights.iter().position(passes).unwrap_or(last)
}
