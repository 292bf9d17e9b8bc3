//! Rows of `[rows, width]` to length one: `y = x / max(|x|, 1e-12)`. Squares are summed in lanes of `f32`, long rows in `f64`.
//!
//! Backward: `dx = (dy - y sum(y dy)) / |x|`; where the bound held, x is scaled by a constant and `dx = dy / 1e-12`.

use super::lanes;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of rows in one job.
const JOB: usize = 8192;
/// The shortest length that is divided by.
const SHORTEST: f32 = 1e-12;

/// `[rows, width]` to rows of length one; `norms` (`[rows]`) receives `max(|x|, 1e-12)`. `y` may be `x`.
pub fn forward(worker: &Worker, rows: usize, width: usize, x: View, y: View, norms: Option<View>) {
    worker.share_pieces(rows, JOB / width.max(1), |rows| {
        for row in rows {
            let y = y.part(row * width, width);
            y.receive(x.part(row * width, width));
            let norm = normalize(worker.level, y.write());
            if let Some(norms) = norms {
                norms.part(row, 1).write()[0] = norm;
            }
        }
    });
}

/// `dx` from the output `y`, its `norms` and `dy`; `dx` may be `dy`.
pub fn backward(worker: &Worker, rows: usize, width: usize, y: View, norms: View, dy: View, dx: View) {
    worker.share_pieces(rows, JOB / width.max(1), |rows| {
        for row in rows {
            let dx = dx.part(row * width, width);
            dx.receive(dy.part(row * width, width));
            gradient(worker.level, y.part(row * width, width).read(), norms.read()[row], dx.write());
        }
    });
}

by_level! {
    fn normalize[F](x: &mut [f32]) -> f32 {
        let norm = (lanes::sum(x, |x| x * x).sqrt() as f32).max(SHORTEST);
        x.iter_mut().for_each(|x| *x /= norm);
        norm
    }

    fn gradient[F](y: &[f32], norm: f32, dx: &mut [f32]) {
        let along = if norm > SHORTEST { lanes::sum_two(y, dx, |y, dy| y * dy) as f32 } else { 0.0 };
        dx.iter_mut().zip(y).for_each(|(dx, y)| *dx = F::fma(-along, *y, *dx) / norm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::testing::{check, numbers, pools, view, wide};

    #[test]
    fn forward_and_backward_equal_the_formulas() {
        for pool in pools() {
            for (rows, width) in [(1, 1), (3, 7), (70, 256)] {
                let (mut x, dy) = (numbers(1, rows * width), numbers(2, rows * width));
                x[..width].fill(if rows > 1 { 0.0 } else { 0.5 });
                let (y, dx, norms) = (vec![0.0; x.len()], vec![0.0; x.len()], vec![0.0; rows]);
                pool.run(&|w| {
                    forward(w, rows, width, view(&x), view(&y), Some(view(&norms)));
                    w.barrier();
                    backward(w, rows, width, view(&y), view(&norms), view(&dy), view(&dx));
                });
                let (mut e, mut g) = (Vec::new(), Vec::new());
                for (x, dy) in wide(&x).chunks(width).zip(wide(&dy).chunks(width)) {
                    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-12);
                    let along = x.iter().zip(dy).map(|(x, dy)| x * dy).sum::<f64>() / norm;
                    e.extend(x.iter().map(|x| x / norm));
                    g.extend(x.iter().zip(dy).map(|(x, dy)| (dy - x / norm * along) / norm));
                }
                check("normalize", &y, &e, 1e-6);
                let from = if rows > 1 { width } else { 0 };
                if width > 1 {
                    check("normalize backward", &dx[from..], &g[from..], 2e-6);
                }
            }
        }
    }
}
