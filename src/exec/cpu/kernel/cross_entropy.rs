//! Softmax cross entropy of `[R, V]` logits: `-sum(t log p)` of each row, mean over the rows that count.
//!
//! With smoothing s the target is `(1 - s) t + s / V`. A row is one job: its maximum, its sum of exponentials (lanes of `f32`
//! in blocks, blocks in `f64`), its loss; backward reads the saved log-sums, so each direction passes over the logits twice at most.
//! Rows' losses are added in `f64`, in order, by worker 0.

use super::lanes;
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::math;
use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;

/// Words of rows in one job.
const JOB: usize = 8192;

/// What the logits should say.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// `[R]` ids. A row whose id is not below V does not count.
    Ids(View),
    /// `[R, V]` probabilities.
    Soft(View),
}

/// Sizes and operands of both directions.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy {
    /// R
    pub rows: usize,
    /// V
    pub classes: usize,
    /// Share of the loss that is the mean of `-log p` over classes.
    pub smoothing: f32,
    /// `[R, V]`
    pub logits: View,
    /// What they should say.
    pub target: Target,
    /// `[R]` conditions: the rows that count; all of them if `None`.
    pub only: Option<View>,
    /// `[R]`, written by forward, read by backward: log of the sum of exponentials.
    pub log_sums: View,
    /// `[R]`, written by forward: each row's loss, 0 where it does not count.
    pub losses: View,
    /// `[2]`, written by forward, read by backward: mean loss (0 if no row counts) and number of rows that count.
    pub total: View,
}

/// The loss. Holds one barrier; worker 0 writes `total`.
pub fn forward(worker: &Worker, on: &CrossEntropy) {
    worker.share_pieces(on.rows, JOB / on.classes.max(1), |rows| {
        for row in rows {
            let (log_sum, loss) = if on.counts(row) { on.row_loss(worker, row) } else { (0.0, 0.0) };
            on.log_sums.part(row, 1).write()[0] = log_sum;
            on.losses.part(row, 1).write()[0] = loss;
        }
    });
    worker.barrier();
    if worker.index == 0 {
        let count = (0..on.rows).filter(|row| on.counts(*row)).count();
        let losses = on.losses.part(0, on.rows).read();
        let sum: f64 = losses.iter().map(|x| f64::from(*x)).sum();
        let total = on.total.part(0, 2).write();
        total[0] = (sum / (count.max(1)) as f64) as f32;
        total[1] = count as f32;
    }
}

/// `dlogits = dloss / count * (softmax - target)`; `dloss` is one word. `dlogits` may be the logits.
pub fn backward(worker: &Worker, on: &CrossEntropy, dloss: View, dlogits: View) {
    let factor = dloss.read()[0] / on.total.read()[1].max(1.0);
    gradients(worker, on, |_| factor, dlogits);
}

/// As [`backward`] for losses used row by row: `dlosses` is `[R]`, nothing is divided by the count.
pub fn backward_rows(worker: &Worker, on: &CrossEntropy, dlosses: View, dlogits: View) {
    let factors = dlosses.part(0, on.rows).read();
    gradients(worker, on, |row| factors[row], dlogits);
}

fn gradients(worker: &Worker, on: &CrossEntropy, factor: impl Fn(usize) -> f32, dlogits: View) {
    let n = on.classes;
    worker.share_pieces(on.rows, JOB / n.max(1), |rows| {
        for row in rows {
            let d = dlogits.part(row * n, n);
            if on.counts(row) {
                d.receive(on.logits.part(row * n, n));
                on.row_gradient(worker, row, factor(row), d.write());
            } else {
                d.write().fill(0.0);
            }
        }
    });
}

impl CrossEntropy {
    /// Whether a row counts.
    fn counts(&self, row: usize) -> bool {
        self.only.is_none_or(|only| only.read()[row] != 0.0)
            && match self.target {
                Target::Ids(ids) => usize::try_from(ids.read_ids()[row]).is_ok_and(|id| id < self.classes),
                Target::Soft(_) => true,
            }
    }

    /// Log-sum and loss of a row.
    fn row_loss(&self, worker: &Worker, row: usize) -> (f32, f32) {
        let x = self.logits.part(row * self.classes, self.classes).read();
        let (largest, sum) = log_sum(worker.level, x);
        let above = sum.ln();
        let (s, v) = (f64::from(self.smoothing), self.classes as f64);
        // Everything is relative to the largest logit, so that nothing large cancels.
        let (weight, said) = match self.target {
            Target::Ids(ids) => (1.0, f64::from(x[ids.read_ids()[row] as usize] - largest)),
            Target::Soft(t) => {
                let t = t.part(row * self.classes, self.classes).read();
                (total(worker.level, t), agreement(worker.level, x, t, largest))
            }
        };
        let even = if s > 0.0 { total(worker.level, x) - v * f64::from(largest) } else { 0.0 };
        let loss = above * ((1.0 - s) * weight + s) - (1.0 - s) * said - s / v * even;
        ((f64::from(largest) + above) as f32, loss as f32)
    }

    /// Turns a row of logits into their gradient.
    fn row_gradient(&self, worker: &Worker, row: usize, factor: f32, d: &mut [f32]) {
        let log_sum = self.log_sums.read()[row];
        let (share, even) = (1.0 - self.smoothing, self.smoothing / self.classes as f32);
        match self.target {
            Target::Ids(ids) => {
                hard_gradient(worker.level, d, log_sum, factor, even);
                d[ids.read_ids()[row] as usize] -= factor * share;
            }
            Target::Soft(t) => {
                let t = t.part(row * self.classes, self.classes).read();
                let weight = share * total(worker.level, t) as f32 + self.smoothing;
                soft_gradient(worker.level, d, t, log_sum, [factor, weight, share, even]);
            }
        }
    }
}

by_level! {
    /// The largest number, and the sum of exponentials of the differences from it.
    fn log_sum[F](x: &[f32]) -> (f32, f64) {
        let largest = lanes::largest(x).max(f32::MIN);
        (largest, lanes::sum(x, |x| math::exp::<F>(x - largest)))
    }

    fn total[F](x: &[f32]) -> f64 {
        lanes::sum(x, |x| x)
    }

    fn agreement[F](x: &[f32], t: &[f32], largest: f32) -> f64 {
        lanes::sum_two(x, t, |x, t| t * (x - largest))
    }

    fn hard_gradient[F](d: &mut [f32], log_sum: f32, factor: f32, even: f32) {
        d.iter_mut().for_each(|d| *d = factor * (math::exp::<F>(*d - log_sum) - even));
    }

    fn soft_gradient[F](d: &mut [f32], t: &[f32], log_sum: f32, factors: [f32; 4]) {
        let [factor, weight, share, even] = factors;
        for (d, t) in d.iter_mut().zip(t) {
            *d = factor * (F::fma(weight, math::exp::<F>(*d - log_sum), -even) - share * t);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::pool::Pool;
    use crate::exec::cpu::testing::{check, ids, numbers, pools, view};

    fn compare(pool: &Pool, rows: usize, classes: usize, flags: usize) {
        let x: Vec<f32> = numbers(1, rows * classes).iter().map(|x| x * 8.0).collect();
        let targets = ids(2, rows, classes as u32);
        let soft: Vec<f32> = numbers(3, rows * classes).iter().map(|x| x.abs() / classes as f32).collect();
        let only: Vec<f32> = (0..rows).map(|i| if i % 3 == 1 { 0.0 } else { 1.0 }).collect();
        let smoothing = if flags & 1 > 0 { 0.1 } else { 0.0 };
        let blank = |n: usize| vec![f32::NAN; n];
        let (log_sums, losses, total, d, dloss) = (blank(rows), blank(rows), blank(2), x.clone(), [0.5_f32]);
        let mut on = CrossEntropy {
            rows,
            classes,
            smoothing,
            logits: view(&x),
            target: if flags & 2 > 0 { Target::Soft(view(&soft)) } else { Target::Ids(view(&targets)) },
            only: (flags & 4 > 0).then(|| view(&only)),
            log_sums: view(&log_sums),
            losses: view(&losses),
            total: view(&total),
        };
        pool.run(&|w| forward(w, &on));
        on.logits = view(&d);
        pool.run(&|w| backward(w, &on, view(&dloss), view(&d)));
        let counted: Vec<usize> = (0..rows).filter(|r| flags & 4 == 0 || r % 3 != 1).collect();
        let (mut mean, mut exact) = (0.0, vec![0.0; rows * classes]);
        for row in &counted {
            let row_x = &x[row * classes..(row + 1) * classes];
            let log_sum = row_x.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
            let target = |c: usize| {
                let id = targets[*row].to_bits() as usize;
                let t = if flags & 2 > 0 {
                    f64::from(soft[row * classes + c])
                } else {
                    f64::from(u8::from(c == id))
                };
                let s = f64::from(smoothing);
                (1.0 - s) * t + s / classes as f64
            };
            let weight: f64 = (0..classes).map(target).sum();
            for c in 0..classes {
                let log_p = f64::from(row_x[c]) - log_sum;
                mean -= target(c) * log_p / counted.len() as f64;
                exact[row * classes + c] = 0.5 / counted.len() as f64 * (log_p.exp() * weight - target(c));
            }
        }
        check("cross entropy", &total, &[mean, counted.len() as f64], 2e-6);
        check("mean", &total[..1], &[mean], 2e-6);
        check("cross entropy backward", &d, &exact, 2e-6);
    }

    #[test]
    fn losses_and_gradients_equal_the_formulas() {
        for pool in pools() {
            for (rows, classes) in [(1, 3), (7, 10), (33, 1000), (4, 30_522)] {
                (0..8).for_each(|flags| compare(&pool, rows, classes, flags));
            }
        }
    }

    #[test]
    fn no_row_counts() {
        let (x, words, only) = (numbers(1, 20), [f32::NAN; 8], [0.0_f32; 4]);
        let target = [-100_i32, 5, 1, 2].map(|id| f32::from_bits(id as u32));
        let on = CrossEntropy {
            rows: 4,
            classes: 5,
            smoothing: 0.0,
            logits: view(&x),
            target: Target::Ids(view(&target)),
            only: Some(view(&only)),
            log_sums: view(&words[..4]),
            losses: view(&words[4..]),
            total: view(&only[..2]),
        };
        let (total, dx) = ([f32::NAN; 2], vec![f32::NAN; 20]);
        let on = CrossEntropy { total: view(&total), ..on };
        for pool in pools() {
            pool.run(&|w| {
                forward(w, &on);
                w.barrier();
                backward(w, &on, view(&[1.0]), view(&dx));
            });
            assert!(total == [0.0, 0.0] && dx.iter().all(|x| *x == 0.0));
        }
    }
}
