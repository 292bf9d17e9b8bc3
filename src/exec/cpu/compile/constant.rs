//! Tables that follow from attributes alone: computed once, copied to where a run wants them.

use super::Compiler;
use crate::op::{Bicubic, Offsets, Value};

/// Words in one job of a copy.
const JOB: usize = 4096;

impl Compiler<'_> {
    /// `bicubic`: a resampling matrix.
    pub(super) fn bicubic(&mut self, value: Value, op: &Bicubic) {
        let numbers: Vec<f32> = (0..op.to).flat_map(|place| op.row(place)).map(|x| x as f32).collect();
        self.precomputed(value, &numbers);
    }

    /// `offsets`: rows of a table of relative positions.
    pub(super) fn offsets(&mut self, value: Value, op: &Offsets) {
        let words: Vec<f32> = op.ids().into_iter().map(|id| f32::from_bits(id as u32)).collect();
        self.precomputed(value, &words);
    }

    fn precomputed(&mut self, value: Value, words: &[f32]) {
        let from = self.constants(words);
        let to = self.place(value);
        self.launch(&[from], &[to], 0, move |worker, frame, _| {
            worker.share_pieces(to.words, JOB, |piece| {
                let (start, len) = (piece.start, piece.len());
                let from = frame.view(from).part(start, len).read();
                frame.view(to).part(start, len).write().copy_from_slice(from);
            });
        });
    }
}
