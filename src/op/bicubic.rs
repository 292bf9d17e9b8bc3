//! The matrix that resamples an axis, [to, from]: the filter with which pictures are loaded.
//!
//! Catmull-Rom (a = -1/2), widened when shrinking, corners not aligned; every row sums to one. `A x A'` resizes a square.
//!
//! C1: both lengths are at least one.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// A resampling matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bicubic {
    /// Length before.
    pub from: usize,
    /// Length after.
    pub to: usize,
}

impl Bicubic {
    /// One row: the weights of all places before.
    pub fn row(&self, place: usize) -> Vec<f64> {
        let scale = self.from as f64 / self.to as f64;
        let stretch = scale.max(1.0);
        let center = (place as f64 + 0.5) * scale;
        let weights: Vec<f64> = (0..self.from).map(|x| weight((x as f64 + 0.5 - center) / stretch)).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|w| w / sum).collect()
    }
}

fn weight(x: f64) -> f64 {
    match x.abs() {
        x if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        x if x < 2.0 => ((x - 5.0) * x + 8.0) * x * -0.5 + 2.0,
        _ => 0.0,
    }
}

impl Rule for Bicubic {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        if self.from == 0 || self.to == 0 {
            return Err(Misfit::new("C1", format!("an axis of {} cannot become one of {}", self.from, self.to)));
        }
        Ok(Shape::float([self.to, self.from]))
    }

    fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
        let data = (0..self.to).flat_map(|place| self.row(place)).collect();
        Array { dims: vec![self.to, self.from], data }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        [(8, 4), (5, 7), (1, 3), (6, 1)].map(|(from, to)| Sample::new(Self { from, to }, [])).to_vec()
    }
}
