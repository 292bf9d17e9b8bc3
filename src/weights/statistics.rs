//! A tensor in a few numbers, for people who look for what is wrong with it.

use crate::tensor::{Tensor, Values};
use serde::Serialize;

/// Of all finite elements; ids count as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Their mean; 0 if there is none.
    pub mean: f64,
    /// Their standard deviation, over their number.
    pub deviation: f64,
    /// How many are NaN.
    pub nan: usize,
    /// How many are infinite.
    pub infinite: usize,
}

/// Counts a tensor.
///
/// ```
/// use chiasm::{tensor::Tensor, weights::statistics::statistics};
/// let found = statistics(&Tensor::floats([4], vec![1.0, 3.0, f32::NAN, f32::INFINITY]));
/// assert_eq!((found.mean, found.deviation, found.nan, found.infinite), (2.0, 1.0, 1, 1));
/// ```
pub fn statistics(tensor: &Tensor) -> Statistics {
    match &tensor.values {
        Values::Floats(values) => of(|| values.iter().map(|x| f64::from(*x))),
        Values::Ids(values) => of(|| values.iter().map(|x| f64::from(*x))),
    }
}

fn of<I: Iterator<Item = f64>>(numbers: impl Fn() -> I) -> Statistics {
    let finite = || numbers().filter(|x| x.is_finite());
    let count = finite().count().max(1) as f64;
    let mean = finite().sum::<f64>() / count;
    let variance = finite().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let nan = numbers().filter(|x| x.is_nan()).count();
    Statistics {
        mean,
        deviation: variance.sqrt(),
        nan,
        infinite: numbers().filter(|x| x.is_infinite()).count(),
    }
}
