//! Sums and maxima along a row, in 32 lanes that are added up at the end, pair by pair.
//!
//! Long rows are cut into blocks of 4096 whose sums are added in `f64`, so the error does not grow with the length.

/// Lanes side by side.
const LANES: usize = 32;
/// Numbers whose sum is kept in `f32`.
const BLOCK: usize = 4096;

/// The sum of `f(x)`.
#[inline(always)]
pub(crate) fn sum(x: &[f32], f: impl Fn(f32) -> f32 + Copy) -> f64 {
    x.chunks(BLOCK).map(|x| f64::from(block(x, f))).sum()
}

/// The sum of `f(x, y)`.
#[inline(always)]
pub(crate) fn sum_two(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32 + Copy) -> f64 {
    x.chunks(BLOCK).zip(y.chunks(BLOCK)).map(|(x, y)| f64::from(block_two(x, y, f))).sum()
}

/// The largest number, -inf if there is none.
#[inline(always)]
pub(crate) fn largest(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for l in 0..LANES {
            lanes[l] = if x[l] > lanes[l] { x[l] } else { lanes[l] };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, x| if *x > a { *x } else { a })
}

#[inline(always)]
fn block(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for l in 0..LANES {
            lanes[l] += f(x[l]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += f(*x);
    }
    fold(lanes)
}

#[inline(always)]
fn block_two(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for l in 0..LANES {
            lanes[l] += f(x[l], y[l]);
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(x_rest.iter().zip(y_rest)) {
        *lane += f(*x, *y);
    }
    fold(lanes)
}

/// Adds lanes pair by pair.
#[inline(always)]
fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}
