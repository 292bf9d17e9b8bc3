//! Elements moved, not changed: permutations, slices, padding, joins, rows by id.

use super::Compiler;
use crate::exec::cpu::frame::Place;
use crate::exec::cpu::kernel::copy::{self, Layout};
use crate::exec::cpu::kernel::put;
use crate::exec::cpu::kernel::take::{self, Table};
use crate::op::{Broadcast, Concat, Pad, Permute, Put, Slice, Value};

/// Row-major strides.
pub(super) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (0..dims.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * dims[axis + 1];
    }
    strides
}

/// An axis of a shape: elements before it, of it, behind it.
pub(super) fn around(dims: &[usize], axis: usize) -> (usize, usize, usize) {
    (dims[..axis].iter().product(), dims[axis], dims[axis + 1..].iter().product())
}

/// Neighbouring axes that are contiguous on both sides become one.
fn merged(sizes: &[usize], from: &[usize], to: &[usize]) -> [Vec<usize>; 3] {
    let mut axes: Vec<[usize; 3]> = Vec::new();
    for ((size, from), to) in sizes.iter().zip(from).zip(to).filter(|((size, _), _)| **size != 1) {
        match axes.last_mut() {
            Some(last) if last[1] == size * from && last[2] == size * to => {
                *last = [last[0] * size, *from, *to]
            }
            _ => axes.push([*size, *from, *to]),
        }
    }
    [0, 1, 2].map(|i| axes.iter().map(|axis| axis[i]).collect())
}

/// The first words on both sides for every place of some axes.
fn starts([sizes, from, to]: [&[usize]; 3]) -> Vec<(usize, usize)> {
    let mut starts = vec![(0, 0)];
    for ((size, from), to) in sizes.iter().zip(from).zip(to) {
        let places = |start: &(usize, usize)| {
            let (a, b) = *start;
            (0..*size).map(move |i| (a + i * from, b + i * to))
        };
        starts = starts.iter().flat_map(places).collect();
    }
    starts
}

impl Compiler<'_> {
    /// All words of one place to another.
    pub(super) fn copy_words(&mut self, from: Place, to: Place) {
        self.copy_strided(&[from.words], &[1], &[1], from, to);
    }

    /// Elements by strides; a stride of 0 repeats. Axes beyond those of the kernel are walked outside of it.
    pub(super) fn copy_strided(
        &mut self,
        sizes: &[usize],
        from_strides: &[usize],
        to_strides: &[usize],
        from: Place,
        to: Place,
    ) {
        let axes = merged(sizes, from_strides, to_strides);
        let walked = axes[0].len().saturating_sub(copy::AXES);
        let [sizes, from_strides, to_strides] = [0, 1, 2].map(|i| &axes[i][walked..]);
        let layout = Layout::new(sizes, from_strides, to_strides);
        let starts = starts([0, 1, 2].map(|i| &axes[i][..walked]));
        self.launch(&[from], &[to], 0, move |worker, frame, _| {
            for (from_start, to_start) in &starts {
                copy::copy(
                    worker,
                    &layout,
                    frame.view(from).from(*from_start),
                    frame.view(to).from(*to_start),
                );
            }
        });
    }

    /// `permute`.
    pub(super) fn permute(&mut self, value: Value, op: &Permute) {
        let operand = self.operand(value, 0);
        let own = strides(&self.dims(operand));
        let from: Vec<usize> = op.axes.iter().map(|axis| own[*axis]).collect();
        let dims = self.dims(value);
        let places = self.places([operand, value]);
        self.copy_strided(&dims, &from, &strides(&dims), places[0], places[1]);
    }

    /// `slice`, where it is not a view.
    pub(super) fn slice(&mut self, value: Value, op: &Slice) {
        let operand = self.operand(value, 0);
        let (outer, n, inner) = around(&self.dims(operand), op.axis);
        let (start, len) = (op.start.len(), op.end.len() - op.start.len());
        let [from, to] = self.places([operand, value]);
        let from = from.part(start * inner, from.words - start * inner);
        self.copy_strided(&[outer, len * inner], &[n * inner, 1], &[len * inner, 1], from, to);
    }

    /// `pad`: zeros before and after.
    pub(super) fn pad(&mut self, value: Value, op: &Pad) {
        let operand = self.operand(value, 0);
        let (outer, n, inner) = around(&self.dims(operand), op.axis);
        let all = op.before.len() + n + op.after.len();
        let [from, to] = self.places([operand, value]);
        let before = op.before.len() * inner;
        let layout = Layout::new(&[outer, n * inner], &[n * inner, 1], &[all * inner, 1]);
        self.launch(&[from], &[to], 0, move |worker, frame, _| {
            let to = frame.view(to);
            copy::fill(worker, to, 0.0);
            worker.barrier();
            copy::copy(worker, &layout, frame.view(from), to.from(before));
        });
    }

    /// `concat`: one copy an operand; they do not meet, so one launch makes them all.
    pub(super) fn concat(&mut self, value: Value, op: &Concat) {
        let (_, all, inner) = around(&self.dims(value), op.axis);
        let to = self.place(value);
        let (mut start, mut copies, mut reads) = (0, Vec::new(), Vec::new());
        for operand in self.operands(value).to_vec() {
            let (outer, n, _) = around(&self.dims(operand), op.axis);
            let from = self.place(operand);
            if from.words > 0 {
                let layout = Layout::new(&[outer, n * inner], &[n * inner, 1], &[all * inner, 1]);
                copies.push((layout, from, start * inner));
                reads.push(from);
            }
            start += n;
        }
        self.launch(&reads, &[to], 0, move |worker, frame, _| {
            for (layout, from, start) in &copies {
                copy::copy(worker, layout, frame.view(*from), frame.view(to).from(*start));
            }
        });
    }

    /// `broadcast` along axes that no pattern describes.
    pub(super) fn broadcast(&mut self, value: Value, op: &Broadcast) {
        let operand = self.operand(value, 0);
        let (dims, own) = (self.dims(value), self.dims(operand));
        let steps = strides(&own);
        let mut from = vec![0; dims.len()];
        for (i, axis) in op.axes.iter().enumerate().filter(|(i, _)| own[*i] > 1) {
            from[*axis] = steps[i];
        }
        let places = self.places([operand, value]);
        self.copy_strided(&dims, &from, &strides(&dims), places[0], places[1]);
    }

    /// `take`: rows of a table by id.
    pub(super) fn take(&mut self, value: Value) {
        let (table, ids) = (self.operand(value, 0), self.operand(value, 1));
        let size = self.table(table, ids);
        let check = self.check(value, size.rows);
        let [table, ids, to] = self.places([table, ids, value]);
        self.launch(&[table, ids], &[to], 0, move |worker, frame, _| {
            let [table, ids, to] = [table, ids, to].map(|place| frame.view(place));
            frame.check(worker, check, ids, size.rows);
            take::take(worker, size, table, ids, to);
        });
    }

    /// `sum_by`: rows added up by id.
    pub(super) fn sum_by(&mut self, value: Value) {
        let (rows, ids) = (self.operand(value, 0), self.operand(value, 1));
        let size = self.table(value, ids);
        let check = self.check(value, size.rows);
        let [rows, ids, to] = self.places([rows, ids, value]);
        self.launch(&[rows, ids], &[to], 0, move |worker, frame, _| {
            let [rows, ids, to] = [rows, ids, to].map(|place| frame.view(place));
            frame.check(worker, check, ids, size.rows);
            take::sum_by(worker, size, rows, ids, to, false);
        });
    }

    /// `last`: the last marked place of every row.
    pub(super) fn last(&mut self, value: Value) {
        let x = self.operand(value, 0);
        let dims = self.dims(x);
        let (n, width) = (dims[1], dims[2..].iter().product::<usize>());
        let [x, mask, to] = self.places([x, self.operand(value, 1), value]);
        self.launch(&[x, mask], &[to], 0, move |worker, frame, _| {
            worker.share(dims[0], |row| {
                let place = last_marked(frame.view(mask).part(row * n, n).read());
                let from = frame.view(x).part((row * n + place) * width, width).read();
                frame.view(to).part(row * width, width).write().copy_from_slice(from);
            });
        });
    }

    /// `put_last`: rows put into the last marked place of zeros.
    pub(super) fn put_last(&mut self, value: Value) {
        let dims = self.dims(value);
        let (n, width) = (dims[1], dims[2..].iter().product::<usize>());
        let [x, mask, to] = self.places([self.operand(value, 0), self.operand(value, 1), value]);
        self.launch(&[x, mask], &[to], 0, move |worker, frame, _| {
            worker.share(dims[0], |row| {
                let place = last_marked(frame.view(mask).part(row * n, n).read());
                let rows = frame.view(to).part(row * n * width, n * width).write();
                rows.fill(0.0);
                let from = frame.view(x).part(row * width, width).read();
                rows[place * width..(place + 1) * width].copy_from_slice(from);
            });
        });
    }

    /// `put`: places of an axis replaced, where the old ones lie if the two share a room.
    pub(super) fn put(&mut self, value: Value, op: &Put) {
        let [x, new, ids] = [0, 1, 2].map(|i| self.operand(value, i));
        let (outer, places, inner) = around(&self.dims(value), op.axis);
        let size = put::Places { outer, places, new: self.count(ids), inner };
        let check = self.check(value, places);
        let [x, new, ids, to] = self.places([x, new, ids, value]);
        self.launch(&[x, new, ids], &[to], 0, move |worker, frame, _| {
            let [x, new, ids, to] = [x, new, ids, to].map(|place| frame.view(place));
            frame.check(worker, check, ids, places);
            put::put(worker, size, x, new, ids, to);
        });
    }

    fn table(&self, table: Value, ids: Value) -> Table {
        let rows = self.dims(table).first().copied().unwrap_or(1);
        Table { rows, width: self.count(table) / rows.max(1), count: self.count(ids) }
    }
}

/// The last place where a condition holds, or the first place.
fn last_marked(marks: &[f32]) -> usize {
    marks.iter().rposition(|mark| *mark != 0.0).unwrap_or(0)
}
