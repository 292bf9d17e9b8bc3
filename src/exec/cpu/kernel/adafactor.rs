//! A step of Adafactor over one tensor: gradients over the roots of second moments, momentum, descent.
//!
//! A matrix keeps the means of the squares of its rows and of its columns: `v_ij = r_i c_j / mean(r)`. All other tensors keep
//! a second moment of every element.

use super::descend::Descent;
use super::lanes;
use crate::exec::adafactor::EPS;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of each array in one job.
const JOB: usize = 16_384;
/// Columns summed in one job.
const COLUMNS: usize = 64;

/// What is the same for all words of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adafactor {
    /// What the gradients are multiplied with first.
    pub scale: f32,
    /// How much of the second moments is kept.
    pub keep: f32,
    /// How much of the momentum is kept.
    pub beta: f32,
    /// The end of the step.
    pub descent: Descent,
}

/// The arrays of a tensor: parameters, gradients, momentum, second moments.
#[derive(Clone, Copy, Debug)]
pub struct Arrays {
    /// Parameters.
    pub p: View,
    /// Gradients.
    pub g: View,
    /// Momentum.
    pub m: View,
    /// Second moments; of a matrix those of the rows, then those of the columns.
    pub v: View,
}

/// A step of a tensor that keeps a second moment of every element.
pub fn whole(worker: &Worker, settings: Adafactor, on: Arrays) {
    worker.share_pieces(on.p.len(), JOB, |piece| {
        let part = |view: View| view.part(piece.start, piece.len());
        let (p, m, v) = (part(on.p).write(), part(on.m).write(), part(on.v).write());
        sweep(worker.level, settings, p, part(on.g).read(), m, v);
    });
}

/// A step of a matrix with rows of `width`. Holds two barriers; `mean` is a word of scratch.
pub fn matrix(worker: &Worker, settings: Adafactor, width: usize, on: Arrays, mean: View) {
    let height = on.g.len() / width;
    let (rows, columns) = (on.v.part(0, height), on.v.part(height, width));
    moments(worker, settings, width, on.g, (rows, columns));
    worker.barrier();
    if worker.index == 0 {
        let sum: f64 = rows.read().iter().map(|r| f64::from(*r)).sum();
        mean.write()[0] = (sum / height as f64) as f32;
    }
    worker.barrier();
    worker.share_pieces(height, JOB.div_ceil(width), |piece| {
        for i in piece {
            let part = |view: View| view.part(i * width, width);
            let root = (rows.read()[i] / mean.read()[0]).sqrt();
            let (p, m) = (part(on.p).write(), part(on.m).write());
            row_sweep(worker.level, settings, root, p, part(on.g).read(), m, columns.read());
        }
    });
}

/// Moves the means of the squares of rows and columns.
fn moments(worker: &Worker, settings: Adafactor, width: usize, g: View, (rows, columns): (View, View)) {
    let height = rows.len();
    worker.share_pieces(height, JOB.div_ceil(width), |piece| {
        for (i, r) in piece.clone().zip(rows.part(piece.start, piece.len()).write()) {
            let sum = squares(worker.level, g.part(i * width, width).read());
            *r = moved(settings, *r, sum / width as f64);
        }
    });
    worker.share_pieces(width, COLUMNS, |piece| {
        let mut sums = [0.0; COLUMNS];
        for i in 0..height {
            add_squares(worker.level, g.part(i * width + piece.start, piece.len()).read(), &mut sums);
        }
        for (c, sum) in columns.part(piece.start, piece.len()).write().iter_mut().zip(sums) {
            *c = moved(settings, *c, sum / height as f64);
        }
    });
}

/// A second moment after a mean of squares of unscaled gradients was seen.
fn moved(settings: Adafactor, moment: f32, mean: f64) -> f32 {
    let (keep, scale) = (f64::from(settings.keep), f64::from(settings.scale));
    (keep * f64::from(moment) + (1.0 - keep) * (mean * scale * scale + EPS)) as f32
}

by_level! {
    fn squares[F](x: &[f32]) -> f64 {
        lanes::sum(x, |x| x * x)
    }
    fn add_squares[F](x: &[f32], sums: &mut [f64; COLUMNS]) {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += f64::from(*x) * f64::from(*x));
    }
    fn sweep[F](s: Adafactor, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * s.scale;
            *v = F::fma(1.0 - s.keep, F::fma(g, g, EPS as f32), s.keep * *v);
            *m = F::fma(1.0 - s.beta, g / v.sqrt(), s.beta * *m);
            *p = s.descent.step(*p, *m);
        }
    }
    fn row_sweep[F](s: Adafactor, root: f32, p: &mut [f32], g: &[f32], m: &mut [f32], columns: &[f32]) {
        for (((p, g), m), c) in p.iter_mut().zip(g).zip(m).zip(columns) {
            *m = F::fma(1.0 - s.beta, g * s.scale / root / c.sqrt(), s.beta * *m);
            *p = s.descent.step(*p, *m);
        }
    }
}
