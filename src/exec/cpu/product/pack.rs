//! Copies of operands in the order in which tiles read them.
//!
//! B: panel after panel of `columns` numbers for each k, zeros past the edge. A, where it cannot be read in place: its rows
//! with another stride, or (transposed) panel after panel of `rows` numbers for each k.

use super::Matrix;
use super::tile::MOST_ROWS;
use crate::exec::cpu::level::by_level;
use std::ops::Range;

/// Where a piece of packed B goes: one panel, and the depth from which on.
pub(super) struct Panel {
    pub(super) to: *mut f32,
    pub(super) width: usize,
}

/// Packs rows `k` of columns `from..from + live` of B into a panel that begins at depth `k.start`; zeros fill it up.
///
/// # Safety
/// B (whose item begins at `b`) and the panel cover what is read and written.
pub(super) unsafe fn right(
    matrix: &Matrix,
    b: *const f32,
    k: Range<usize>,
    from: usize,
    live: usize,
    panel: &Panel,
) {
    // SAFETY: promised by the caller.
    unsafe {
        match (matrix.transposed, live == panel.width) {
            (false, true) if panel.width == 32 => copy_rows::<32>(b.add(from), matrix.stride, k, panel.to),
            (false, true) if panel.width == 16 => copy_rows::<16>(b.add(from), matrix.stride, k, panel.to),
            (false, true) if panel.width == 8 => copy_rows::<8>(b.add(from), matrix.stride, k, panel.to),
            (false, _) => {
                for (at, k) in k.enumerate() {
                    let to = panel.to.add(at * panel.width);
                    std::ptr::copy_nonoverlapping(b.add(k * matrix.stride + from), to, live);
                    to.add(live).write_bytes(0, panel.width - live);
                }
            }
            (true, _) => turn(b.add(from * matrix.stride), matrix.stride, k, live, panel),
        }
    }
}

/// Copies `W` numbers of each row.
unsafe fn copy_rows<const W: usize>(from: *const f32, stride: usize, k: Range<usize>, to: *mut f32) {
    for (at, k) in k.enumerate() {
        // SAFETY: promised by the caller of `right`; `f32` arrays need no more than a word's alignment.
        unsafe { to.add(at * W).cast::<[f32; W]>().write(from.add(k * stride).cast::<[f32; W]>().read()) };
    }
}

/// Packs stored rows as columns, eight by eight.
unsafe fn turn(from: *const f32, stride: usize, k: Range<usize>, live: usize, panel: &Panel) {
    let (first, depth, width) = (k.start, k.len(), panel.width);
    for j0 in (0..width).step_by(8) {
        let whole = j0 + 8 <= live;
        let mut at = 0;
        while whole && at + 8 <= depth {
            // SAFETY: promised by the caller of `right`: eight rows of eight numbers exist on both sides.
            unsafe {
                turn_eight(from.add(j0 * stride + first + at), stride, panel.to.add(at * width + j0), width)
            };
            at += 8;
        }
        for at in at..depth {
            for j in j0..j0 + 8 {
                // SAFETY: as above; columns that do not exist are not read.
                unsafe {
                    let x = if j < live { *from.add(j * stride + first + at) } else { 0.0 };
                    *panel.to.add(at * width + j) = x;
                }
            }
        }
    }
}

/// Transposes eight by eight numbers.
#[inline(always)]
unsafe fn turn_eight(from: *const f32, stride: usize, to: *mut f32, width: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: promised by the caller; SSE belongs to every x86-64.
    unsafe {
        use std::arch::x86_64::*;
        for (i0, j0) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            let row = |i: usize| _mm_loadu_ps(from.add((i0 + i) * stride + j0));
            let (mut a, mut b, mut c, mut d) = (row(0), row(1), row(2), row(3));
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            for (j, x) in [a, b, c, d].into_iter().enumerate() {
                _mm_storeu_ps(to.add((j0 + j) * width + i0), x);
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    for i in 0..8 {
        for j in 0..8 {
            // SAFETY: promised by the caller.
            unsafe { *to.add(j * width + i) = *from.add(i * stride + j) };
        }
    }
}

/// Packs `height` numbers of each stored row k of a transposed A, from `from` on; `rows` words for each k.
///
/// # Safety
/// A and the panel cover what is read and written.
pub(super) unsafe fn left(
    from: *const f32,
    stride: usize,
    depth: usize,
    height: usize,
    to: *mut f32,
    rows: usize,
) {
    type Copy = unsafe fn(*const f32, usize, usize, *mut f32, usize);
    unsafe fn copy<const H: usize>(from: *const f32, stride: usize, depth: usize, to: *mut f32, rows: usize) {
        for k in 0..depth {
            // SAFETY: promised by the caller of `left`.
            unsafe {
                to.add(k * rows).cast::<[f32; H]>().write(from.add(k * stride).cast::<[f32; H]>().read())
            };
        }
    }
    #[rustfmt::skip]
    const COPIES: [Copy; MOST_ROWS] = [
        copy::<1>, copy::<2>, copy::<3>, copy::<4>, copy::<5>, copy::<6>, copy::<7>,
        copy::<8>, copy::<9>, copy::<10>, copy::<11>, copy::<12>, copy::<13>, copy::<14>,
    ];
    // SAFETY: promised by the caller.
    unsafe { COPIES[height - 1](from, stride, depth, to, rows) }
}

by_level! {
    /// Adds the rows of a packed panel (each `sums.len()` long or longer, `width` apart) into `sums`, in order.
    pub(super) fn add_rows[F](panel: &[f32], width: usize, sums: &mut [f32]) {
        sums.fill(0.0);
        for row in panel.chunks_exact(width) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}
