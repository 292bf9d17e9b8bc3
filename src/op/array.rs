//! Dense `f64` arrays: what `eval` reads and writes, and how values leave an executor in tests.
//!
//! ```
//! use chiasm::op::Array;
//! let x = Array::from_fn(&[2, 3], |at| (at[0] * 3 + at[1]) as f64);
//! assert_eq!(x.data, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
//! ```

use crate::random::Stream;
use crate::shape::Kind;

/// Row-major numbers; ids and conditions are whole numbers among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Lengths of the axes, outermost first.
    pub dims: Vec<usize>,
    /// `dims.iter().product()` numbers.
    pub data: Vec<f64>,
}

impl Array {
    /// The same number everywhere.
    pub fn filled(dims: &[usize], value: f64) -> Self {
        Self { dims: dims.to_vec(), data: vec![value; dims.iter().product()] }
    }

    /// A number for each index.
    pub fn from_fn(dims: &[usize], mut value: impl FnMut(&[usize]) -> f64) -> Self {
        let count: usize = dims.iter().product();
        let mut at = vec![0; dims.len()];
        let mut data = Vec::with_capacity(count);
        for _ in 0..count {
            data.push(value(&at));
            for axis in (0..dims.len()).rev() {
                at[axis] += 1;
                if at[axis] < dims[axis] {
                    break;
                }
                at[axis] = 0;
            }
        }
        Self { dims: dims.to_vec(), data }
    }

    /// The number at an index.
    pub fn at(&self, index: &[usize]) -> f64 {
        let flat = index.iter().zip(&self.dims).fold(0, |flat, (i, n)| flat * n + i);
        self.data[flat]
    }

    /// Length of the last axis, 1 without axes.
    pub fn width(&self) -> usize {
        self.dims.last().copied().unwrap_or(1)
    }

    /// The rows along the last axis.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.data.chunks(self.width().max(1))
    }

    /// A function of each row along the last axis, of the same length.
    pub fn map_rows(&self, row: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        Self { dims: self.dims.clone(), data: self.rows().flat_map(row).collect() }
    }

    /// A function of each number.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { dims: self.dims.clone(), data: self.data.iter().map(|x| f(*x)).collect() }
    }

    /// Elements before, on and after an axis.
    pub fn around(&self, axis: usize) -> (usize, usize, usize) {
        let before = self.dims[..axis].iter().product();
        let after = self.dims[axis + 1..].iter().product();
        (before, self.dims[axis], after)
    }

    /// Numbers for samples: even in ±1, away from zero by a little.
    pub fn random(seed: u64, name: &str, dims: &[usize]) -> (Kind, Self) {
        let stream = Stream::new(seed, "samples", name);
        let mut element = 0;
        let array = Self::from_fn(dims, |_| {
            element += 1;
            let u = f64::from(stream.uniform(0, element)) * 2.0 - 1.0;
            u + 0.05 * u.signum()
        });
        (Kind::Float, array)
    }

    /// Numbers above a half for samples.
    pub fn positive(seed: u64, name: &str, dims: &[usize]) -> (Kind, Self) {
        let (kind, array) = Self::random(seed, name, dims);
        (kind, array.map(|x| x.abs() + 0.5))
    }

    /// Ids for samples.
    pub fn ids(seed: u64, name: &str, dims: &[usize], below: u32) -> (Kind, Self) {
        let stream = Stream::new(seed, "samples", name);
        let mut element = 0;
        let array = Self::from_fn(dims, |_| {
            element += 1;
            f64::from(stream.below(below, 0, element))
        });
        (Kind::Ids, array)
    }

    /// Conditions for samples.
    pub fn conditions(seed: u64, name: &str, dims: &[usize]) -> (Kind, Self) {
        let (_, array) = Self::ids(seed, name, dims, 2);
        (Kind::Condition, array)
    }
}
