//! Products inside a job of one worker: everything is packed by that worker and nothing is cut.

use super::tile::{Left, MOST_COLUMNS, Tiles};
use super::{Matrix, pack};
use crate::exec::cpu::view::View;

/// Words that hold a packed `[k, n]` matrix at any level.
pub(crate) fn packed_words(k: usize, n: usize) -> usize {
    k * n.next_multiple_of(MOST_COLUMNS)
}

/// Packs a `[k, n]` matrix that begins at `b`.
///
/// # Safety
/// The matrix covers what is read, `to` has [`packed_words`].
pub(crate) unsafe fn pack(
    tiles: &Tiles,
    b: *const f32,
    stride: usize,
    turned: bool,
    k: usize,
    n: usize,
    to: View,
) {
    let matrix = Matrix { data: View::EMPTY, stride, step: 0, transposed: turned };
    for column in (0..n).step_by(tiles.columns) {
        let live = tiles.columns.min(n - column);
        let panel = to.part(column * k, k * tiles.columns);
        let panel = pack::Panel { to: panel.start(), width: tiles.columns };
        // SAFETY: promised by the caller.
        unsafe { pack::right(&matrix, b, 0..k, column, live, &panel) };
    }
}

/// `c = a b` with B packed, for `n` columns (or more, up to the packed zeros).
///
/// # Safety
/// A and C cover what is read and written.
pub(crate) unsafe fn multiply(
    tiles: &Tiles,
    (m, n, k): (usize, usize, usize),
    a: Left,
    b: View,
    c: *mut f32,
    stride: usize,
) {
    let panels = m.div_ceil(tiles.rows).max(1);
    let (height, taller) = (m / panels, m % panels);
    for panel in 0..panels {
        let rows = height + usize::from(panel < taller);
        let row = panel * height + panel.min(taller);
        let left = Left { at: a.at.wrapping_add(row * a.row), ..a };
        for column in (0..n).step_by(tiles.columns) {
            let live = tiles.columns.min(n - column);
            let b = b.part(column * k, k * tiles.columns);
            // SAFETY: promised by the caller.
            unsafe {
                tiles.run(rows, live, k, left, b.start(), c.add(row * stride + column), stride, false);
            }
        }
    }
}
