//! Rows of a `[rows, width]` table by id, and the sum of rows by id.
//!
//! [`sum_by`] gives each job some columns of the table: every column is added up by one worker, in the order of the ids, so the
//! digits are always the same and no two workers meet.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words in one job of [`take`].
const JOB: usize = 16_384;
/// Columns in one job of [`sum_by`].
const COLUMNS: usize = 64;

/// Sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// Rows of the table.
    pub rows: usize,
    /// Numbers in a row.
    pub width: usize,
    /// Ids.
    pub count: usize,
}

impl Table {
    /// The row an id names, if the table has it.
    fn row(&self, id: i32) -> Option<usize> {
        usize::try_from(id).ok().filter(|row| *row < self.rows)
    }
}

/// `out[i] = table[ids[i]]`; a row of zeros where the id is outside the table.
pub fn take(worker: &Worker, size: Table, table: View, ids: View, out: View) {
    let (ids, width) = (ids.part(0, size.count).read_ids(), size.width);
    worker.share_pieces(size.count, JOB / width.max(1), |piece| {
        for i in piece {
            let to = out.part(i * width, width).write();
            match size.row(ids[i]) {
                Some(row) => to.copy_from_slice(table.part(row * width, width).read()),
                None => to.fill(0.0),
            }
        }
    });
}

/// `table[r] = sum of values[i] with ids[i] = r` (added, if `accumulate`), in the order of i; ids outside the table are left out.
pub fn sum_by(worker: &Worker, size: Table, values: View, ids: View, table: View, accumulate: bool) {
    let (ids, width) = (ids.part(0, size.count).read_ids(), size.width);
    worker.share_pieces(width, COLUMNS, |columns| {
        let part = |view: View, row: usize| view.part(row * width + columns.start, columns.len());
        if !accumulate {
            (0..size.rows).for_each(|row| part(table, row).write().fill(0.0));
        }
        for (i, id) in ids.iter().enumerate() {
            if let Some(row) = size.row(*id) {
                let (to, from) = (part(table, row).write(), part(values, i).read());
                to.iter_mut().zip(from).for_each(|(to, x)| *to += x);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, ids, numbers, pools, view};

    #[test]
    fn rows_are_taken_and_summed_by_id() {
        for pool in pools() {
            for (rows, width, count) in [(1, 1, 1), (7, 100, 50), (30, 65, 3)] {
                let size = Table { rows, width, count };
                let (table, mut ids) = (numbers(1, rows * width), ids(2, count, rows as u32));
                if count > 1 {
                    ids[1] = f32::from_bits(-1_i32 as u32);
                    ids[2] = f32::from_bits(rows as u32);
                }
                let (out, sums) = (vec![f32::NAN; count * width], vec![f32::NAN; rows * width]);
                pool.run(&|w| {
                    take(w, size, view(&table), view(&ids), view(&out));
                    w.barrier();
                    sum_by(w, size, view(&out), view(&ids), view(&sums), false);
                });
                let (mut taken, mut summed) = (Vec::new(), vec![0.0; rows * width]);
                for id in &ids {
                    let row = size.row(id.to_bits() as i32);
                    for c in 0..width {
                        let x = row.map_or(0.0, |row| f64::from(table[row * width + c]));
                        taken.push(x);
                        row.into_iter().for_each(|row| summed[row * width + c] += x);
                    }
                }
                check("take", &out, &taken, 0.0);
                check("sum by", &sums, &summed, 1e-6);
            }
        }
    }
}
