//! Copies between strided layouts: permutations, slices, concatenations, padding, broadcasts.
//!
//! A [`Layout`] is a list of at most six axes with a stride on both sides. When it is made, axes of one element go, neighbours
//! that are one axis on both sides are merged, and the axis that is contiguous in the result becomes the innermost. Then
//! rows are copied whole if the source is contiguous too, else blocks of 16 by 16 are transposed.
//!
//! ```
//! use chiasm::exec::cpu::kernel::copy::Layout;
//! // [2, 3, 4] -> [2, 4, 3]
//! let turned = Layout::new(&[2, 4, 3], &[12, 1, 4], &[12, 3, 1]);
//! // Columns 1 and 2 of a [5, 4] matrix; the source's view begins at word 1.
//! let sliced = Layout::new(&[5, 2], &[4, 1], &[2, 1]);
//! assert_ne!(turned, sliced);
//! ```

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Most axes of a copy.
pub const AXES: usize = 6;
/// Words in one job, roughly.
const JOB: usize = 8192;
/// Side of the blocks that are transposed.
const SIDE: usize = 16;

/// Up to six axes with their strides in words on both sides, merged and ordered for speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    sizes: [usize; AXES],
    from: [usize; AXES],
    to: [usize; AXES],
}

impl Layout {
    /// Axes of any order; a stride of 0 in `from` repeats.
    ///
    /// # Panics
    /// If there are more than six axes.
    pub fn new(sizes: &[usize], from: &[usize], to: &[usize]) -> Self {
        assert!(
            sizes.len() <= AXES && sizes.len() == from.len() && sizes.len() == to.len(),
            "at most six axes"
        );
        let mut axes: Vec<[usize; 3]> = (0..sizes.len()).map(|i| [sizes[i], from[i], to[i]]).collect();
        axes.retain(|axis| axis[0] != 1);
        axes.sort_by_key(|axis| std::cmp::Reverse(axis[2]));
        let mut merged: Vec<[usize; 3]> = Vec::new();
        for [size, from, to] in axes {
            match merged.last_mut() {
                Some(last) if last[1] == size * from && last[2] == size * to => {
                    *last = [last[0] * size, from, to]
                }
                _ => merged.push([size, from, to]),
            }
        }
        // Of the other axes, the one that is contiguous in the source comes next to the innermost.
        let outer = merged.len().saturating_sub(1);
        if let Some(i) = merged[..outer].iter().position(|axis| axis[1] == 1) {
            let axis = merged.remove(i);
            merged.insert(outer - 1, axis);
        }
        let mut layout = Self { sizes: [1; AXES], from: [0; AXES], to: [0; AXES] };
        let skip = AXES - merged.len();
        for (i, [size, from, to]) in merged.into_iter().enumerate() {
            (layout.sizes[skip + i], layout.from[skip + i], layout.to[skip + i]) = (size, from, to);
        }
        layout
    }

    /// Words from the first to the last element, with some strides.
    fn span(&self, strides: &[usize; AXES]) -> usize {
        if self.sizes.contains(&0) {
            0
        } else {
            1 + (0..AXES).map(|i| (self.sizes[i] - 1) * strides[i]).sum::<usize>()
        }
    }

    /// Where the two innermost axes begin, for a number of the outer ones.
    fn start(&self, mut outer: usize) -> (usize, usize) {
        let (mut from, mut to) = (0, 0);
        for i in (0..AXES - 2).rev() {
            from += outer % self.sizes[i] * self.from[i];
            to += outer % self.sizes[i] * self.to[i];
            outer /= self.sizes[i];
        }
        (from, to)
    }
}

/// `to = from`, element by element (ids too); both views begin at element 0.
///
/// # Panics
/// If a view is too short.
pub fn copy(worker: &Worker, layout: &Layout, from: View, to: View) {
    walk::<false>(worker, layout, from, to);
}

/// `to += from`, element by element. No stride of `to` may be 0 (unless its axis has one element).
///
/// # Panics
/// If a view is too short.
pub fn add(worker: &Worker, layout: &Layout, from: View, to: View) {
    walk::<true>(worker, layout, from, to);
}

/// `to = value`, every word.
pub fn fill(worker: &Worker, to: View, value: f32) {
    worker.share_pieces(to.len(), 4 * JOB, |piece| to.part(piece.start, piece.len()).write().fill(value));
}

/// Shares out pieces of the second axis from the end, of every outer index.
fn walk<const ADD: bool>(worker: &Worker, layout: &Layout, from: View, to: View) {
    let (words, result) = (layout.span(&layout.from), layout.span(&layout.to));
    assert!(
        from.len() >= words && to.len() >= result,
        "{} and {} words, not {words} and {result}",
        from.len(),
        to.len()
    );
    if words == 0 {
        return;
    }
    let [rows, columns] = [layout.sizes[AXES - 2], layout.sizes[AXES - 1]];
    let outer: usize = layout.sizes[..AXES - 2].iter().product();
    let piece = (JOB / columns).clamp(1, rows.next_multiple_of(SIDE)).next_multiple_of(SIDE);
    let pieces = rows.div_ceil(piece);
    worker.share_pieces(outer * pieces, (JOB / (piece.min(rows) * columns)).max(1), |units| {
        for unit in units {
            let (f, t) = layout.start(unit / pieces);
            let first = unit % pieces * piece;
            let rows = piece.min(rows - first);
            // SAFETY: both views span the layout, as checked above.
            unsafe {
                let from = from.start().add(f + first * layout.from[AXES - 2]);
                let to = to.start().add(t + first * layout.to[AXES - 2]);
                plane::<ADD>(layout, rows, from, to);
            }
        }
    });
}

/// Copies the two innermost axes.
unsafe fn plane<const ADD: bool>(layout: &Layout, rows: usize, from: *const f32, to: *mut f32) {
    let columns = layout.sizes[AXES - 1];
    let (f, t) = ([layout.from[AXES - 2], layout.from[AXES - 1]], [layout.to[AXES - 2], layout.to[AXES - 1]]);
    let side = if f[1] == 1 { columns } else { SIDE };
    for i in (0..rows).step_by(SIDE) {
        for j in (0..columns).step_by(side) {
            let (rows, columns) = (SIDE.min(rows - i), side.min(columns - j));
            for i in i..i + rows {
                // SAFETY: promised by the caller.
                unsafe {
                    let (from, to) = (from.add(i * f[0] + j * f[1]), to.add(i * t[0] + j * t[1]));
                    row::<ADD>(columns, from, f[1], to, t[1]);
                }
            }
        }
    }
}

/// Copies a row.
#[inline]
unsafe fn row<const ADD: bool>(n: usize, from: *const f32, f: usize, to: *mut f32, t: usize) {
    // SAFETY: promised by the caller. Words go as they are, so ids survive.
    unsafe {
        match (ADD, f, t) {
            (false, 1, 1) => std::ptr::copy_nonoverlapping(from, to, n),
            (true, 1, 1) => (0..n).for_each(|i| *to.add(i) += *from.add(i)),
            (true, ..) => (0..n).for_each(|i| *to.add(i * t) += *from.add(i * f)),
            (false, ..) => (0..n).for_each(|i| *to.add(i * t).cast::<u32>() = *from.add(i * f).cast::<u32>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{numbers, pools, view};

    /// Every element by itself.
    fn plainly(sizes: &[usize], from: &[usize], to: &[usize], x: &[f32], y: &mut [f32], add: bool) {
        for index in 0..sizes.iter().product() {
            let (mut rest, mut f, mut t) = (index, 0, 0);
            for i in (0..sizes.len()).rev() {
                (f, t) = (f + rest % sizes[i] * from[i], t + rest % sizes[i] * to[i]);
                rest /= sizes[i];
            }
            y[t] = x[f] + if add { y[t] } else { 0.0 };
        }
    }

    #[test]
    fn copies_of_many_layouts() {
        let cases: [(&[usize], &[usize], &[usize]); 9] = [
            (&[], &[], &[]),
            (&[7], &[1], &[1]),
            (&[5, 4], &[1, 5], &[4, 1]),
            (&[300, 200], &[1, 300], &[200, 1]),
            (&[2, 3, 4, 5], &[60, 5, 15, 1], &[60, 20, 5, 1]),
            (&[2, 3, 4, 5], &[60, 20, 5, 1], &[1, 2, 6, 24]),
            (&[3, 17, 40], &[0, 1, 0], &[680, 40, 1]),
            (&[2, 3, 2, 3, 2, 3], &[108, 36, 18, 6, 3, 1], &[1, 2, 6, 12, 36, 72]),
            (&[3, 0, 2], &[1, 1, 1], &[1, 1, 1]),
        ];
        for pool in pools() {
            for (sizes, from, to) in cases {
                let x = numbers(1, 70_000);
                let (copied, added) = (numbers(2, 70_000), numbers(2, 70_000));
                let (mut c, mut a) = (copied.clone(), added.clone());
                let layout = Layout::new(sizes, from, to);
                pool.run(&|w| {
                    copy(w, &layout, view(&x), view(&copied));
                    add(w, &layout, view(&x), view(&added));
                });
                plainly(sizes, from, to, &x, &mut c, false);
                plainly(sizes, from, to, &x, &mut a, true);
                assert!(copied == c && added == a, "{sizes:?}");
            }
        }
    }
}
