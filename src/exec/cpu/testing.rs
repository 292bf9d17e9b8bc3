//! What the kernels' tests share: random operands, pools at every level, comparison with f64.

use super::level::Level;
use super::pool::Pool;
use super::view::View;
use crate::random::Stream;

/// Numbers between -1 and 1.
pub fn numbers(seed: u64, len: usize) -> Vec<f32> {
    let stream = Stream::new(seed, "test", "numbers");
    (0..len as u32).map(|i| stream.uniform(0, i) * 2.0 - 1.0).collect()
}

/// Ids below `n`.
pub fn ids(seed: u64, len: usize, n: u32) -> Vec<f32> {
    let stream = Stream::new(seed, "test", "ids");
    (0..len as u32).map(|i| f32::from_bits(stream.below(n, 0, i))).collect()
}

/// All words of an array that outlives the view.
pub fn view(words: &[f32]) -> View {
    // SAFETY: tests keep their arrays, and look at them only when no kernel runs.
    unsafe { View::new(words.as_ptr().cast_mut(), words.len()) }
}

/// A pool for every level, with one, two and three threads.
pub fn pools() -> impl Iterator<Item = Pool> {
    Level::all().enumerate().map(|(i, level)| Pool::new(i % 3 + 1, level))
}

/// Fails unless the largest difference is small beside the largest exact number.
pub fn check(what: &str, ours: &[f32], exact: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), exact.len(), "{what}");
    let largest = exact.iter().fold(1e-30_f64, |a, x| a.max(x.abs()));
    for (i, (x, y)) in ours.iter().zip(exact).enumerate() {
        let error = (f64::from(*x) - y).abs() / largest;
        assert!(error <= tolerance, "{what}: word {i} is {x}, not {y} (error {error:.1e})");
    }
}

/// As f64.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| f64::from(*x)).collect()
}
