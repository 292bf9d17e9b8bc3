//! Functions of one `f32`, without branches, so that loops over them become vector code at every level.
//!
//! Errors against f64: `exp`, `log`, `tanh`, `sigmoid` about 1e-7 relative; `normal` (the distribution function) 1e-7 absolute.
//! `exp` gives 0 below -86.6, so `exp(-inf)` is 0 and a masked score takes no weight.

use super::level::Arithmetic;

/// Adding this leaves the nearest whole number in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Natural exponential.
#[inline(always)]
pub(crate) fn exp<F: Arithmetic>(x: f32) -> f32 {
    let held = if x > 89.0 { 89.0 } else { x };
    let shifted = F::fma(held, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = F::fma(n, 2.121_944_4e-4, F::fma(n, -0.693_359_4, held));
    let mut p = F::fma(1.987_569_1e-4, r, 1.398_199_9e-3);
    p = F::fma(p, r, 8.333_452e-3);
    p = F::fma(p, r, 4.166_579_6e-2);
    p = F::fma(p, r, 1.666_666_5e-1);
    p = F::fma(p, r, 0.5);
    let y = F::fma(p, r * r, r) + 1.0;
    // One power of two is kept back, so that 2^128 needs no number of its own.
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(126);
    let scale = f32::from_bits(exponent << 23);
    if x < -86.6 { 0.0 } else { y * scale * 2.0 }
}

/// Natural logarithm; of 0 it is -inf, of less it is NaN.
#[inline(always)]
pub(crate) fn log<F: Arithmetic>(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let normal = if tiny { x * 8_388_608.0 } else { x };
    // The mantissa comes to lie in sqrt(1/2) .. sqrt(2).
    let bits = normal.to_bits().wrapping_sub(0x3f35_04f3);
    let n = (bits as i32 >> 23) as f32 - if tiny { 23.0 } else { 0.0 };
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
    let mut p = F::fma(7.037_683_6e-2, m, -1.151_461e-1);
    for c in [
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        p = F::fma(p, m, c);
    }
    let square = m * m;
    let low = F::fma(n, -2.121_944_4e-4, F::fma(square, -0.5, p * m * square));
    let y = F::fma(n, 0.693_359_4, m + low);
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 || x.is_nan() { f32::NAN } else { y }
}

/// `1 / (1 + exp(-x))`
#[inline(always)]
pub(crate) fn sigmoid<F: Arithmetic>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<F>(-x))
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<F: Arithmetic>(x: f32) -> f32 {
    let z = x * x;
    let mut p = F::fma(-5.704_989e-3, z, 2.063_908_8e-2);
    p = F::fma(p, z, -5.373_971_6e-2);
    p = F::fma(p, z, 1.333_144_2e-1);
    p = F::fma(p, z, -3.333_328e-1);
    let near = F::fma(p * z, x, x);
    let far = 1.0 - 2.0 / (exp::<F>(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { near } else { far.copysign(x) }
}

/// `log(1 + exp(x))`
#[inline(always)]
pub(crate) fn softplus<F: Arithmetic>(x: f32) -> f32 {
    // log(1 + e) = e * log(u) / (u - 1) with u = 1 + e rounded: exact where e is small.
    let e = exp::<F>(-x.abs());
    let u = 1.0 + e;
    let rest = if u == 1.0 { e } else { log::<F>(u) * (e / (u - 1.0)) };
    (if x > 0.0 { x } else { 0.0 }) + rest
}

/// The standard normal distribution function and its density (Abramowitz and Stegun 7.1.26).
#[inline(always)]
pub(crate) fn normal<F: Arithmetic>(x: f32) -> (f32, f32) {
    let e = exp::<F>(-0.5 * x * x);
    let t = 1.0 / F::fma(x.abs(), 0.231_641_88, 1.0);
    let mut p = F::fma(1.061_405_4, t, -1.453_152);
    p = F::fma(p, t, 1.421_413_7);
    p = F::fma(p, t, -0.284_496_74);
    p = F::fma(p, t, 0.254_829_6);
    let tail = 0.5 * p * t * e;
    (if x < 0.0 { tail } else { 1.0 - tail }, e * 0.398_942_3)
}

/// `x Phi(x)`
#[inline(always)]
pub(crate) fn gelu<F: Arithmetic>(x: f32) -> f32 {
    x * normal::<F>(x).0
}

/// Derivative of [`gelu`].
#[inline(always)]
pub(crate) fn gelu_gradient<F: Arithmetic>(x: f32) -> f32 {
    let (below, density) = normal::<F>(x);
    F::fma(x, density, below)
}

/// `x sigmoid(1.702 x)`
#[inline(always)]
pub(crate) fn quick_gelu<F: Arithmetic>(x: f32) -> f32 {
    x * sigmoid::<F>(1.702 * x)
}

/// Derivative of [`quick_gelu`].
#[inline(always)]
pub(crate) fn quick_gelu_gradient<F: Arithmetic>(x: f32) -> f32 {
    let s = sigmoid::<F>(1.702 * x);
    s * F::fma(1.702 * x, 1.0 - s, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cpu::level::{Fused, Split};

    /// The largest error of `ours`, relative to `floor` or the value, whichever is larger.
    fn worst(range: (f64, f64), floor: f64, ours: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        (0..=200_000)
            .map(|i| (range.0 + (range.1 - range.0) * f64::from(i) / 2e5) as f32)
            .map(|x| (f64::from(ours(x)) - exact(f64::from(x))).abs() / exact(f64::from(x)).abs().max(floor))
            .fold(0.0, f64::max)
    }

    /// erfc by its continued fraction or series, to about 1e-15.
    fn phi(x: f64) -> f64 {
        let z = x.abs();
        let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        let tail = if z < 4.0 {
            let (mut sum, mut term) = (z, z);
            for i in 1..200 {
                term *= z * z / f64::from(2 * i + 1);
                sum += term;
            }
            0.5 - density * sum
        } else {
            density / (1..200).rev().fold(z, |f, i| z + f64::from(i) / f)
        };
        if x < 0.0 { tail } else { 1.0 - tail }
    }

    fn check<F: Arithmetic>() {
        assert!(worst((-86.0, 88.7), 0.0, exp::<F>, f64::exp) < 5e-7);
        assert!(worst((1e-3, 50.0), 0.01, log::<F>, f64::ln) < 3e-7);
        assert!(worst((1.0, 1e30), 0.0, log::<F>, f64::ln) < 3e-7);
        assert!(worst((-9.0, 9.0), 0.0, tanh::<F>, f64::tanh) < 3e-7);
        assert!(worst((-80.0, 20.0), 0.0, sigmoid::<F>, |x| 1.0 / (1.0 + (-x).exp())) < 1e-6);
        assert!(worst((-80.0, 80.0), 1e-30, softplus::<F>, |x| x.exp().ln_1p()) < 1e-6);
        assert!(worst((-9.0, 9.0), 0.3, gelu::<F>, |x| x * phi(x)) < 1e-6);
        let gradient = |x: f64| phi(x) + x * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        assert!(worst((-9.0, 9.0), 0.3, gelu_gradient::<F>, gradient) < 1e-6);
    }

    #[test]
    fn functions_are_close_to_f64() {
        check::<Fused>();
        check::<Split>();
    }

    #[test]
    fn ends_of_the_number_line() {
        assert_eq!(exp::<Split>(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp::<Split>(f32::INFINITY), f32::INFINITY);
        assert!(
            exp::<Split>(f32::NAN).is_nan() && log::<Split>(f32::NAN).is_nan() && log::<Split>(-1.0).is_nan()
        );
        assert_eq!(log::<Split>(0.0), f32::NEG_INFINITY);
        assert_eq!(log::<Split>(f32::INFINITY), f32::INFINITY);
        assert_eq!(tanh::<Split>(-100.0), -1.0);
    }
}
