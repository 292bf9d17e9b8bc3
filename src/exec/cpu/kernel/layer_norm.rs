//! Layer normalisation over the rows of `[rows, D]`: `y = (x - mean) / sqrt(variance + epsilon) * gain + shift`.
//!
//! A row is summed in lanes of `f32`, mean first, then squared differences. Backward, with `z = (x - mean) / deviation` and
//! `g = dy * gain`: `dx = (g - mean(g) - z mean(g z)) / deviation`; `dgain = sum(dy z)` and `dshift = sum(dy)` are added up for
//! at most 64 groups of rows, then over the groups in order, whichever worker had them.

use super::lanes;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of rows in one job.
const JOB: usize = 8192;
/// Most groups of rows with sums of their own.
const GROUPS: usize = 64;

/// Operands of the forward computation.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    /// Rows.
    pub rows: usize,
    /// Numbers in a row, D.
    pub width: usize,
    /// Added to the variance.
    pub epsilon: f32,
    /// `[rows, D]`
    pub x: View,
    /// Gain and shift, `[D]` each; `None` is `standardize`.
    pub affine: Option<(View, View)>,
    /// `[rows, D]`, written.
    pub y: View,
    /// `[2, rows]`: mean and 1 / deviation of every row, written; `None` in inference.
    pub saved: Option<View>,
}

/// Operands of the backward computation.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    /// Rows.
    pub rows: usize,
    /// Numbers in a row, D.
    pub width: usize,
    /// `[rows, D]`: the input of forward.
    pub x: View,
    /// `[D]`
    pub gain: Option<View>,
    /// What forward saved.
    pub saved: View,
    /// `[rows, D]`
    pub dy: View,
    /// `[rows, D]`: added to `dx`, the gradient that reaches x another way; may be `dx` itself.
    pub add: Option<View>,
    /// `[rows, D]`, written.
    pub dx: View,
    /// `[D]` each, written: gradients of gain and shift.
    pub daffine: Option<(View, View)>,
    /// Whether `daffine` is added to instead of written.
    pub accumulate: bool,
}

/// Words of scratch that backward needs.
pub fn scratch_words(rows: usize, width: usize) -> usize {
    rows.div_ceil(group(rows)) * 2 * width
}

/// Rows of a group: enough to make at most `GROUPS` of them.
fn group(rows: usize) -> usize {
    rows.div_ceil(GROUPS).max(8)
}

/// `y = (x - mean) / sqrt(variance + epsilon) * gain + shift`, with the biased variance. `y` may not be `x`.
pub fn forward(worker: &Worker, on: &Forward) {
    let width = on.width;
    let affine = on.affine.map(|(gain, shift)| (gain.part(0, width).read(), shift.part(0, width).read()));
    worker.share_pieces(on.rows, JOB / width.max(1), |rows| {
        for row in rows {
            let (x, y) = (on.x.part(row * width, width).read(), on.y.part(row * width, width).write());
            let (mean, inverse) = norm(worker.level, x, y, affine, on.epsilon);
            if let Some(saved) = on.saved {
                saved.part(row, 1).write()[0] = mean;
                saved.part(on.rows + row, 1).write()[0] = inverse;
            }
        }
    });
}

/// The gradients. Holds one barrier (if there is an affine part), between partial sums and sums.
pub fn backward(worker: &Worker, on: &Backward, scratch: View) {
    let (width, group) = (on.width, group(on.rows));
    let gain = on.gain.map(|gain| gain.part(0, width).read());
    let saved = on.saved.read();
    worker.share_pieces(on.rows, group, |rows| {
        let mut sums = on.daffine.map(|_| scratch.part(rows.start / group * 2 * width, 2 * width).write());
        if let Some(sums) = &mut sums {
            sums.fill(0.0);
        }
        for row in rows {
            let part = |view: View| view.part(row * width, width);
            let dx = part(on.dx);
            match on.add {
                Some(add) => dx.receive(part(add)),
                None => dx.write().fill(0.0),
            }
            let (mean, inverse) = (saved[row], saved[on.rows + row]);
            gradient(worker.level, part(on.x).read(), part(on.dy).read(), gain, mean, inverse, dx.write());
            if let Some(sums) = &mut sums {
                affine_gradient(worker.level, part(on.x).read(), part(on.dy).read(), mean, inverse, sums);
            }
        }
    });
    if let Some((dgain, dshift)) = on.daffine {
        worker.barrier();
        combine(worker, on, scratch, dgain, 0);
        combine(worker, on, scratch, dshift, width);
    }
}

/// Adds up the groups' sums of gain (`from` is 0) or shift (`from` is D).
fn combine(worker: &Worker, on: &Backward, scratch: View, to: View, from: usize) {
    worker.share_pieces(on.width, 256, |columns| {
        let to = to.part(columns.start, columns.len()).write();
        if !on.accumulate {
            to.fill(0.0);
        }
        for group in 0..on.rows.div_ceil(group(on.rows)) {
            let part = scratch.part(group * 2 * on.width + from + columns.start, columns.len()).read();
            to.iter_mut().zip(part).for_each(|(to, x)| *to += x);
        }
    });
}

by_level! {
    fn norm[F](x: &[f32], y: &mut [f32], affine: Option<(&[f32], &[f32])>, epsilon: f32) -> (f32, f32) {
        let n = x.len() as f64;
        let mean = (lanes::sum(x, |x| x) / n) as f32;
        let variance = (lanes::sum(x, |x| (x - mean) * (x - mean)) / n) as f32;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        if let Some((gain, shift)) = affine {
            for (((y, x), gain), shift) in y.iter_mut().zip(x).zip(gain).zip(shift) {
                *y = F::fma((x - mean) * inverse, *gain, *shift);
            }
        } else {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * inverse);
        }
        (mean, inverse)
    }

    /// Adds to `dx`.
    fn gradient[F](x: &[f32], dy: &[f32], gain: Option<&[f32]>, mean: f32, inverse: f32, dx: &mut [f32]) {
        let n = x.len();
        // dx carries another gradient, so g is computed twice rather than kept in it.
        let (mut even, mut tilt) = (0.0, 0.0);
        for from in (0..n).step_by(1024) {
            let to = (from + 1024).min(n);
            let mut g = [0.0_f32; 1024];
            let g = &mut g[..to - from];
            match gain {
                Some(gain) => g.iter_mut().zip(&dy[from..to]).zip(&gain[from..to]).for_each(|((g, dy), gain)| *g = dy * gain),
                None => g.copy_from_slice(&dy[from..to]),
            }
            even += lanes::sum(g, |g| g);
            tilt += lanes::sum_two(g, &x[from..to], |g, x| g * ((x - mean) * inverse));
        }
        let (even, tilt) = ((even / n as f64) as f32, (tilt / n as f64) as f32);
        if let Some(gain) = gain {
            for (((dx, x), dy), gain) in dx.iter_mut().zip(x).zip(dy).zip(gain) {
                *dx = F::fma(inverse, F::fma(-((x - mean) * inverse), tilt, F::fma(*dy, *gain, -even)), *dx);
            }
        } else {
            for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                *dx = F::fma(inverse, F::fma(-((x - mean) * inverse), tilt, dy - even), *dx);
            }
        }
    }

    /// Adds a row to the sums for gain and shift.
    fn affine_gradient[F](x: &[f32], dy: &[f32], mean: f32, inverse: f32, sums: &mut [f32]) {
        let (gains, shifts) = sums.split_at_mut(x.len());
        for (((gain, shift), x), dy) in gains.iter_mut().zip(shifts).zip(x).zip(dy) {
            *gain = F::fma(*dy, (x - mean) * inverse, *gain);
            *shift += dy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::pool::Pool;
    use crate::exec::cpu::testing::{check, numbers, pools, view, wide};

    fn compare(pool: &Pool, rows: usize, width: usize, affine: bool) {
        let (x, dy, add) = (numbers(1, rows * width), numbers(2, rows * width), numbers(3, rows * width));
        let (gain, shift) = (numbers(4, width), numbers(5, width));
        let blank = |n: usize| vec![f32::NAN; n];
        let (y, saved, dx) = (blank(x.len()), blank(2 * rows), add.clone());
        let (dgain, dshift, scratch) =
            (vec![1.0; width], vec![1.0; width], blank(scratch_words(rows, width)));
        let epsilon = 1e-3;
        let on = Forward {
            rows,
            width,
            epsilon,
            x: view(&x),
            affine: affine.then(|| (view(&gain), view(&shift))),
            y: view(&y),
            saved: Some(view(&saved)),
        };
        let back = Backward {
            rows,
            width,
            x: view(&x),
            gain: affine.then(|| view(&gain)),
            saved: view(&saved),
            dy: view(&dy),
            add: Some(view(&dx)),
            dx: view(&dx),
            daffine: affine.then(|| (view(&dgain), view(&dshift))),
            accumulate: true,
        };
        pool.run(&|w| {
            forward(w, &on);
            w.barrier();
            backward(w, &back, view(&scratch));
        });
        let (mut e, mut g) = (Vec::new(), Vec::new());
        let (mut eg, mut es) = (vec![1.0; width], vec![1.0; width]);
        let n = width as f64;
        for r in 0..rows {
            let row = |v: &[f32]| wide(&v[r * width..(r + 1) * width]);
            let (x, dy, add) = (row(&x), row(&dy), row(&add));
            let mean = x.iter().sum::<f64>() / n;
            let inverse =
                1.0 / (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n + f64::from(epsilon)).sqrt();
            let gain = |c: usize| if affine { f64::from(gain[c]) } else { 1.0 };
            let z = |c: usize| (x[c] - mean) * inverse;
            let even = (0..width).map(|c| dy[c] * gain(c)).sum::<f64>() / n;
            let tilt = (0..width).map(|c| dy[c] * gain(c) * z(c)).sum::<f64>() / n;
            for c in 0..width {
                e.push(z(c) * gain(c) + if affine { f64::from(shift[c]) } else { 0.0 });
                g.push(add[c] + inverse * (dy[c] * gain(c) - even - z(c) * tilt));
                eg[c] += dy[c] * z(c);
                es[c] += dy[c];
            }
        }
        check("layer norm", &y, &e, 2e-6);
        check("layer norm dx", &dx, &g, 2e-6);
        if affine {
            check("layer norm dgain", &dgain, &eg, 2e-6);
            check("layer norm dshift", &dshift, &es, 2e-6);
        }
    }

    #[test]
    fn forward_and_backward_equal_the_formulas() {
        for pool in pools() {
            for (rows, width) in [(1, 1), (1, 9), (3, 7), (70, 197), (1000, 128), (5, 3000)] {
                compare(&pool, rows, width, false);
                compare(&pool, rows, width, true);
            }
        }
    }
}
