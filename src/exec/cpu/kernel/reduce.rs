//! Sums and maxima over one axis of `[outer, n, inner]`.
//!
//! Sums are cut into pieces of the axis: 256 rows added one after the other in `f32` where numbers follow (`inner` > 1), 16384
//! numbers in lanes where none do. The pieces' sums are then added in order. The cut follows from the shape alone.

use super::lanes;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Columns in one job.
const COLUMNS: usize = 512;
/// Words in one job, roughly.
const JOB: usize = 8192;

/// An axis of `n` between `outer` and `inner` elements: x is `[outer, n, inner]`, the result `[outer, inner]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Elements before.
    pub outer: usize,
    /// Elements of the axis.
    pub n: usize,
    /// Elements behind.
    pub inner: usize,
}

impl Axis {
    /// Elements of the axis in a piece.
    fn piece(&self) -> usize {
        let least = if self.inner == 1 { 2 * JOB } else { 256 };
        // At most as many pieces as elements in a piece, so that their sums are one piece.
        least.max(self.n.div_ceil(least))
    }

    fn pieces(&self) -> usize {
        self.n.div_ceil(self.piece()).max(1)
    }
}

/// Words of scratch that [`sum`] needs.
pub fn scratch_words(axis: Axis) -> usize {
    if axis.pieces() == 1 { 0 } else { axis.outer * axis.pieces() * axis.inner }
}

/// `y = factor * sum(x)` (a mean has factor 1 / n), added to `y` if `accumulate`. Holds a barrier if the axis is cut.
pub fn sum(worker: &Worker, axis: Axis, factor: f32, x: View, y: View, accumulate: bool, scratch: View) {
    let pieces = axis.pieces();
    if pieces == 1 {
        return sum_pieces(worker, axis, factor, x, y, accumulate);
    }
    let Axis { outer, inner, .. } = axis;
    sum_pieces(worker, axis, 1.0, x, scratch, false);
    worker.barrier();
    sum_pieces(worker, Axis { outer, n: pieces, inner }, factor, scratch, y, accumulate);
}

/// Sums each piece of the axis; the result is `[outer, pieces, inner]`.
fn sum_pieces(worker: &Worker, axis: Axis, factor: f32, x: View, y: View, accumulate: bool) {
    let (pieces, strips) = (axis.pieces(), axis.inner.div_ceil(COLUMNS).max(1));
    let units = axis.outer * pieces * strips;
    let words = axis.n.min(axis.piece()) * axis.inner.min(COLUMNS);
    worker.share_pieces(units, JOB / words.max(1), |units| {
        for unit in units {
            let (out, strip) = (unit / strips, unit % strips);
            let (from, to) = (strip * COLUMNS, axis.inner.min((strip + 1) * COLUMNS));
            let start = out % pieces * axis.piece();
            let rows = axis.piece().min(axis.n - start);
            let at = (out / pieces * axis.n + start) * axis.inner + from;
            let y = y.part(out * axis.inner + from, to - from).write();
            let x = if rows == 0 { View::EMPTY } else { x.part(at, (rows - 1) * axis.inner + to - from) };
            add_up(worker.level, x.read(), axis.inner, factor, accumulate, y);
        }
    });
}

by_level! {
    /// `y = factor * sum of rows`, rows `stride` apart.
    fn add_up[F](x: &[f32], stride: usize, factor: f32, accumulate: bool, y: &mut [f32]) {
        let mut sums = [0.0_f32; COLUMNS];
        let sums = &mut sums[..y.len()];
        if stride == 1 {
            sums[0] = lanes::sum(x, |x| x) as f32;
        } else {
            for row in x.chunks(stride) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        }
        if accumulate {
            y.iter_mut().zip(sums).for_each(|(y, sum)| *y = F::fma(factor, *sum, *y));
        } else {
            y.iter_mut().zip(sums).for_each(|(y, sum)| *y = factor * *sum);
        }
    }

    fn largest[F](x: &[f32]) -> f32 {
        lanes::largest(x)
    }
}

/// The largest number and the id (first of equals) where it is; either result may be `None`.
pub fn max(worker: &Worker, axis: Axis, x: View, top: Option<View>, place: Option<View>) {
    let Axis { outer, n, inner } = axis;
    worker.share_pieces(outer * inner, JOB / n.max(1), |piece| {
        for i in piece {
            let x = x.part(i / inner * n * inner + i % inner, (n * inner).saturating_sub(i % inner)).read();
            let (largest, at) = if inner == 1 {
                let largest = largest(worker.level, x);
                (largest, if place.is_some() { x.iter().position(|x| *x == largest).unwrap_or(0) } else { 0 })
            } else {
                strided_max(x, inner)
            };
            if let Some(top) = top {
                top.part(i, 1).write()[0] = largest;
            }
            if let Some(place) = place {
                place.part(i, 1).write_ids()[0] = at as i32;
            }
        }
    });
}

fn strided_max(x: &[f32], stride: usize) -> (f32, usize) {
    let numbers = x.iter().step_by(stride).enumerate();
    numbers.fold((f32::NEG_INFINITY, 0), |best, (i, x)| if *x > best.0 { (*x, i) } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, numbers, pools, view};

    #[test]
    fn sums_and_maxima_of_many_shapes() {
        for pool in pools() {
            for (outer, n, inner) in [
                (1, 1, 1),
                (3, 5, 1),
                (1, 50_000, 1),
                (2, 700, 33),
                (1, 3000, 768),
                (4, 7, 1030),
                (2000, 3, 2),
            ] {
                let axis = Axis { outer, n, inner };
                let x = numbers(1, outer * n * inner);
                let (y, top) = (vec![1.0; outer * inner], vec![0.0; outer * inner]);
                let (place, scratch) = (vec![0.0; outer * inner], vec![f32::NAN; scratch_words(axis)]);
                pool.run(&|w| {
                    sum(w, axis, 0.5, view(&x), view(&y), true, view(&scratch));
                    max(w, axis, view(&x), Some(view(&top)), Some(view(&place)));
                });
                let at = |o: usize, i: usize, c: usize| f64::from(x[(o * n + i) * inner + c]);
                for (i, y) in y.iter().enumerate() {
                    let (o, c) = (i / inner, i % inner);
                    // The error is measured against the size of what was added, not of what is left of it.
                    let size: f64 = (0..n).map(|i| at(o, i, c).abs()).sum();
                    let exact = 1.0 + 0.5 * (0..n).map(|i| at(o, i, c)).sum::<f64>();
                    assert!((f64::from(*y) - exact).abs() < 1e-6 * (1.0 + size), "{y} {exact}");
                    let best = (0..n).map(|i| at(o, i, c)).fold(f64::MIN, f64::max);
                    check("max", &top[i..=i], &[best], 0.0);
                    assert_eq!(Some(place[i].to_bits() as usize), (0..n).position(|i| at(o, i, c) == best));
                }
            }
        }
    }
}
