//! The gradient of normalising: (x, dy) to `(dy - y (y . dy)) / |x|` over the last axis; `dy / 1e-12` where x is shorter.
//!
//! C1: both operands have one shape.

use super::normalize::{LEAST, length};
use super::pointwise::arithmetic;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `(dy - y (y . dy)) / |x|`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalizeGrad;

impl Rule for NormalizeGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let shape = arithmetic(operands)?;
        if operands[0] != operands[1] || shape.rank() == 0 {
            return Err(Misfit::new("C1", format!("expected one shape, found {} and {}", operands[0], operands[1])));
        }
        Ok(shape)
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, dy] = [operands[0], operands[1]];
        let row = |(x, dy): (&[f64], &[f64])| {
            let norm = length(x);
            let dot: f64 = if norm < LEAST { 0.0 } else { x.iter().zip(dy).map(|(a, b)| a * b).sum::<f64>() / (norm * norm) };
            x.iter().zip(dy).map(|(a, b)| (b - a * dot) / norm.max(LEAST)).collect::<Vec<_>>()
        };
        Array { dims: x.dims.clone(), data: x.rows().zip(dy.rows()).flat_map(row).collect() }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 6 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases = [vec![5], vec![3, 7], vec![2, 3, 4]];
        cases.map(|d| Sample::new(Self, [Array::random(seed, "x", &d), Array::random(seed, "dy", &d)])).to_vec()
    }
}
