//! Rows of a table by id, and the sum of rows by id.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

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

/// `out[i] = table[ids[i]]`; a row of zeros where the id is outside the table.
pub fn take(worker: &Worker, size: Table, table: View, ids: View, out: View) {
    let _ = (worker, size, table, ids, out);
    unimplemented!()
}

/// `table[r] = sum of values[i] with ids[i] = r` (added, if `accumulate`), in the order of i; ids outside the table are left out.
pub fn sum_by(worker: &Worker, size: Table, values: View, ids: View, table: View, accumulate: bool) {
    let _ = (worker, size, values, ids, table, accumulate);
    unimplemented!()
}
