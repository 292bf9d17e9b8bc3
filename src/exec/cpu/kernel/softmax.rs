//! Softmax over the rows of `[rows, width]`; sums of a row in lanes of `f32`, long rows in `f64`.
//!
//! Each row is one pass for the maximum, one for the exponentials and their sum, one for the division, all in cache.
//! A row of -inf becomes zeros.

use super::lanes;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::math;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of rows in one job.
const JOB: usize = 8192;

/// `y = exp(x) / sum exp(x)` over rows of `width`; `y` may be `x`.
pub fn forward(worker: &Worker, rows: usize, width: usize, x: View, y: View) {
    worker.share_pieces(rows, JOB / width.max(1), |rows| {
        for row in rows {
            let y = y.part(row * width, width);
            y.receive(x.part(row * width, width));
            softmax(worker.level, y.write());
        }
    });
}

/// `dx = y (dy - sum(y dy))`; `dx` may be `dy`.
pub fn backward(worker: &Worker, rows: usize, width: usize, y: View, dy: View, dx: View) {
    worker.share_pieces(rows, JOB / width.max(1), |rows| {
        for row in rows {
            let dx = dx.part(row * width, width);
            dx.receive(dy.part(row * width, width));
            gradient(worker.level, y.part(row * width, width).read(), dx.write());
        }
    });
}

by_level! {
    fn softmax[F](x: &mut [f32]) {
        let largest = lanes::largest(x).max(f32::MIN);
        x.iter_mut().for_each(|x| *x = math::exp::<F>(*x - largest));
        let sum = lanes::sum(x, |x| x) as f32;
        let factor = if sum > 0.0 { 1.0 / sum } else { sum };
        x.iter_mut().for_each(|x| *x *= factor);
    }

    fn gradient[F](y: &[f32], dx: &mut [f32]) {
        let mean = lanes::sum_two(y, dx, |y, dy| y * dy) as f32;
        dx.iter_mut().zip(y).for_each(|(dx, y)| *dx = y * (*dx - mean));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, numbers, pools, view, wide};

    #[test]
    fn forward_and_backward_equal_the_formulas() {
        for (pool, (rows, width)) in
            pools().flat_map(|_| pools()).zip([(1, 1), (3, 7), (70, 197), (2, 30_000)])
        {
            let (x, dy) = (numbers(1, rows * width), numbers(2, rows * width));
            let y = x.clone();
            let dx = vec![0.0; rows * width];
            pool.run(&|w| {
                forward(w, rows, width, view(&y), view(&y));
                w.barrier();
                backward(w, rows, width, view(&y), view(&dy), view(&dx));
            });
            let (mut p, mut g) = (Vec::new(), Vec::new());
            for (x, dy) in wide(&x).chunks(width).zip(wide(&dy).chunks(width)) {
                let sum: f64 = x.iter().map(|x| x.exp()).sum();
                let row: Vec<f64> = x.iter().map(|x| x.exp() / sum).collect();
                let mean: f64 = row.iter().zip(dy).map(|(y, dy)| y * dy).sum();
                g.extend(row.iter().zip(dy).map(|(y, dy)| y * (dy - mean)));
                p.extend(row);
            }
            check("softmax", &y, &p, 1e-6);
            check("softmax backward", &dx, &g, 2e-6);
        }
    }

    #[test]
    fn a_row_of_minus_infinity_becomes_zeros() {
        for pool in pools() {
            let x = vec![f32::NEG_INFINITY; 40];
            pool.run(&|w| forward(w, 2, 20, view(&x), view(&x)));
            assert!(x.iter().all(|x| *x == 0.0));
        }
    }
}
