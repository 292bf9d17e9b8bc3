use super::*;
use crate::exec::cpu::level::Level;
use crate::exec::cpu::pool::Pool;
use crate::exec::cpu::testing::{check, numbers, pools, view, wide};
use std::time::Instant;

/// A matrix over an array.
fn matrix(words: &[f32], stride: usize, step: usize, transposed: bool) -> Matrix {
    Matrix { data: view(words), stride, step, transposed }
}

/// Element (i, j) of item `item`.
fn at(words: &[f32], m: &Matrix, item: usize, i: usize, j: usize) -> f64 {
    let (i, j) = if m.transposed { (j, i) } else { (i, j) };
    f64::from(words[item * m.step + i * m.stride + j])
}

fn try_size(pool: &Pool, size: Size, flags: usize) {
    let Size { batch, m, n, k } = size;
    let (ta, tb, accumulate) = (flags & 1 > 0, flags & 2 > 0, flags & 4 > 0);
    let stored = |t: bool, r: usize, c: usize| if t { (c, r) } else { (r, c) };
    let ((ar, ac), (br, bc)) = (stored(ta, m, k), stored(tb, k, n));
    let (sa, sb, sc) = (ac + flags % 3, bc + 5, n + 3);
    let a = numbers(1, batch * ar * sa);
    let b = numbers(2, br * sb);
    let start = numbers(3, batch * m * sc);
    let c = start.clone();
    let (bias, residual, sums) = (numbers(4, n), numbers(5, c.len()), numbers(6, n));
    let scratch = vec![0.0; scratch_words(size, pool.threads())];
    let product = Product {
        size,
        a: matrix(&a, sa, ar * sa, ta),
        b: matrix(&b, sb, 0, tb),
        c: matrix(&c, sc, m * sc, false),
        accumulate,
        bias: (flags & 8 > 0).then(|| view(&bias)),
        then: if flags & 8 > 0 { Then::Add(view(&residual)) } else { Then::Nothing },
        column_sums: (batch == 1).then(|| view(&sums)),
    };
    pool.run(&|w| super::product(w, &product, view(&scratch)));
    let mut exact = wide(&start);
    for item in 0..batch {
        for i in 0..m {
            for j in 0..n {
                let c = &mut exact[item * m * sc + i * sc + j];
                let dot: f64 =
                    (0..k).map(|p| at(&a, &product.a, item, i, p) * at(&b, &product.b, item, p, j)).sum();
                *c = dot + if accumulate { *c } else { 0.0 };
                if flags & 8 > 0 {
                    *c += f64::from(bias[j]) + f64::from(residual[item * m * sc + i * sc + j]);
                }
            }
        }
    }
    check(&format!("{size:?} {flags}"), &c, &exact, 2e-6);
    if batch == 1 {
        let mut exact: Vec<f64> = (0..n).map(|j| (0..k).map(|p| at(&b, &product.b, 0, p, j)).sum()).collect();
        let old = numbers(6, n);
        exact.iter_mut().zip(&old).for_each(|(x, old)| *x += if accumulate { f64::from(*old) } else { 0.0 });
        check("column sums", &sums, &exact, 2e-6);
    }
}

#[test]
fn products_of_all_kinds_and_sizes() {
    for pool in pools() {
        for (i, (m, n, k)) in
            [(1, 1, 1), (3, 5, 7), (14, 32, 8), (15, 33, 300), (29, 70, 513), (100, 31, 900), (57, 200, 64)]
                .into_iter()
                .enumerate()
        {
            for flags in 0..16 {
                try_size(&pool, Size { batch: 1 + (i + flags) % 2 * 2, m, n, k }, flags);
            }
        }
        try_size(&pool, Size { batch: 1, m: 40, n: 64, k: 1024 }, 0);
    }
}

#[test]
fn large_operands_are_cut_into_slabs() {
    let pool = Pool::new(2, Level::detect());
    for flags in [0, 1, 2, 3, 5] {
        try_size(&pool, Size { batch: 1, m: 3, n: 9000, k: 700 }, flags);
        try_size(&pool, Size { batch: 1, m: 6000, n: 3, k: 1100 }, flags);
        try_size(&pool, Size { batch: 5, m: 300, n: 20, k: 700 }, flags);
    }
}

#[test]
fn the_stated_scratch_is_enough() {
    let lengths: &[usize] = &[1, 2, 31, 33, 100, 255, 257, 768, 3072, 8320, 30_522, 131_072];
    let sizes = lengths
        .iter()
        .flat_map(|m| lengths.iter().flat_map(move |n| lengths.iter().map(move |k| (*m, *n, *k))));
    for ((m, n, k), batch) in sizes.flat_map(|size| [(size, 1), (size, 7), (size, 1000)]) {
        let size = Size { batch, m, n, k };
        for level in Level::all() {
            let tiles = Tiles::of(level);
            for (transposed, stride) in [(false, k), (false, 4096), (true, m), (true, 4096)] {
                let a = Matrix { data: View::EMPTY, stride, step: 1, transposed };
                let cut = Cut::new(size, &a, tiles);
                let packed = cut.items * (cut.left_words(m, tiles) + cut.right_words());
                let words = packed + if batch == 1 { cut.sum_words(n, k) } else { 0 };
                assert!(words <= scratch_words(size, 1), "{size:?} {level:?} {transposed}: {words}, {cut:?}");
            }
        }
    }
}

#[test]
fn activations_and_their_derivatives() {
    let (m, n, k) = (30, 45, 20);
    let size = Size { batch: 1, m, n, k };
    let (a, b, bias) = (numbers(1, m * k), numbers(2, k * n), numbers(3, n));
    let (c, before) = (vec![0.0; m * n], vec![0.0; m * n]);
    let scratch = vec![0.0; scratch_words(size, 1)];
    for pool in pools() {
        for activation in [Activation::Gelu, Activation::QuickGelu, Activation::Relu] {
            let f = |x: f64| match activation {
                // The integral of the density by Simpson's rule: plain, and far more exact than needed.
                Activation::Gelu => {
                    let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
                    let h = x / 2000.0;
                    let sum: f64 =
                        (1..2000).map(|i| density(f64::from(i) * h) * f64::from(2 + 2 * (i % 2))).sum();
                    x * (0.5 + h / 3.0 * (density(0.0) + density(x) + sum))
                }
                Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
                Activation::Relu => x.max(0.0),
            };
            let mut product = Product {
                size,
                a: matrix(&a, k, 0, false),
                b: matrix(&b, n, 0, false),
                c: matrix(&c, n, 0, false),
                accumulate: false,
                bias: Some(view(&bias)),
                then: Then::Activate(activation, view(&before)),
                column_sums: None,
            };
            pool.run(&|w| super::product(w, &product, view(&scratch)));
            check("activation", &c, &before.iter().map(|x| f(f64::from(*x))).collect::<Vec<_>>(), 2e-6);
            product.then = Then::Derive(activation, view(&before));
            pool.run(&|w| super::product(w, &product, view(&scratch)));
            let slope = |x: f64| (f(x + 1e-6) - f(x - 1e-6)) / 2e-6;
            let exact: Vec<f64> = before.iter().map(|x| f64::from(*x) * slope(f64::from(*x))).collect();
            check("derivative", &c, &exact, 2e-6);
        }
    }
}

#[test]
fn digits_do_not_depend_on_the_number_of_threads() {
    let (m, n, k) = (200, 150, 1000);
    let (a, b) = (numbers(1, m * k), numbers(2, k * n));
    let digits = |threads| {
        let c = vec![0.0; m * n];
        let size = Size { batch: 1, m, n, k };
        let scratch = vec![0.0; scratch_words(size, threads)];
        let product = plain(size, (&a, k, false), (&b, n, false), (&c, n));
        Pool::new(threads, Level::detect()).run(&|w| super::product(w, &product, view(&scratch)));
        c
    };
    assert!(digits(1) == digits(2) && digits(2) == digits(3));
}

fn plain(size: Size, a: (&[f32], usize, bool), b: (&[f32], usize, bool), c: (&[f32], usize)) -> Product {
    Product {
        size,
        a: matrix(a.0, a.1, 0, a.2),
        b: matrix(b.0, b.1, 0, b.2),
        c: matrix(c.0, c.1, 0, false),
        accumulate: false,
        bias: None,
        then: Then::Nothing,
        column_sums: None,
    }
}

/// The least time of some calls, in seconds.
fn least(calls: usize, mut f: impl FnMut()) -> f64 {
    (0..calls).map(|_| (Instant::now(), f()).0.elapsed().as_secs_f64()).fold(f64::MAX, f64::min)
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout)]
fn speed() {
    let threads = std::env::var("THREADS").ok().and_then(|t| t.parse().ok()).unwrap_or(2);
    let pool = Pool::new(threads, Level::detect());
    peak(&pool);
    for (name, m, n, k, ta, tb) in [
        ("qkv fwd", 788, 2304, 768, false, false),
        ("qkv dX", 788, 768, 2304, false, true),
        ("qkv dW", 768, 2304, 788, true, false),
        ("proj fwd", 788, 768, 768, false, false),
        ("proj dX", 788, 768, 768, false, true),
        ("proj dW", 768, 768, 788, true, false),
        ("fc1 fwd", 788, 3072, 768, false, false),
        ("fc1 dX", 788, 768, 3072, false, true),
        ("fc1 dW", 768, 3072, 788, true, false),
        ("fc2 fwd", 788, 768, 3072, false, false),
        ("fc2 dX", 788, 3072, 768, false, true),
        ("fc2 dW", 3072, 768, 788, true, false),
        ("tiny fwd", 8320, 128, 128, false, false),
        ("tiny dW", 128, 128, 8320, true, false),
        ("tiny fc1 fwd", 8320, 512, 128, false, false),
        ("tiny fc2 fwd", 8320, 128, 512, false, false),
        ("tiny fc1 dX", 8320, 128, 512, false, true),
        ("tiny fc1 dW", 128, 512, 8320, true, false),
        ("tiny fc2 dW", 512, 128, 8320, true, false),
    ] {
        let size = Size { batch: 1, m, n, k };
        let (a, b, c) = (numbers(1, m * k), numbers(2, k * n), vec![0.0; m * n]);
        let scratch = vec![0.0; scratch_words(size, threads)];
        let (sa, sb) = (if ta { m } else { k }, if tb { k } else { n });
        let product = plain(size, (&a, sa, ta), (&b, sb, tb), (&c, n));
        let flops = 2e-9 * (m * n * k) as f64;
        let seconds = least(36, || pool.run(&|w| super::product(w, &product, view(&scratch))));
        println!("{name:13} {m:5} {n:5} {k:5}  {:6.1} GFLOP/s", flops / seconds);
    }
}

/// What the processor can do at most: one tile over data in the nearest cache.
#[allow(clippy::print_stdout)]
fn peak(pool: &Pool) {
    let tiles = Tiles::of(pool.level());
    let (rows, columns, depth) = (tiles.rows, tiles.columns, 96);
    let seconds = least(20, || {
        pool.run(&|_| {
            let (a, b) = (vec![1.0_f32; rows * depth], vec![1.0_f32; columns * depth]);
            let mut c = vec![0.0_f32; rows * columns];
            for _ in 0..2000 {
                let left = Left { at: a.as_ptr(), row: depth, step: 1 };
                // SAFETY: the arrays have just these sizes.
                unsafe { tiles.run(rows, columns, depth, left, b.as_ptr(), c.as_mut_ptr(), columns, false) };
            }
        });
    });
    let flops = 2e-9 * (rows * columns * depth * 2000 * pool.threads()) as f64;
    println!("{} threads, tile alone {:.1} GFLOP/s", pool.threads(), flops / seconds);
}
