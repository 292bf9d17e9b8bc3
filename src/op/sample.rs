//! One column a row, in proportion to weights: the first whose running sum exceeds `u * total`. A row of zeros draws
//! evenly. No gradient.
//!
//! C1: weights are of numbers and have at least one axis.

use super::pointwise::{count, of_kind};
use super::{Array, Class, Context, Draw, Facts, Misfit, Rule, Sample};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// One column a row: weights [.., K] to ids [..] below K.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleIds {
    /// Where the draws come from; its first axis is that of the result.
    pub draw: Draw,
}

impl Rule for SampleIds {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [weights] = count(operands)?;
        of_kind(weights, Kind::Float)?;
        match weights.sizes.split_last() {
            Some((_, rows)) => Ok(Shape { sizes: rows.into(), kind: Kind::Ids }),
            None => Err(Misfit::new("C1", "expected at least one axis of weights")),
        }
    }

    fn eval(&self, operands: &[&Array], context: &Context) -> Array {
        let weights = operands[0];
        let dims = weights.dims[..weights.dims.len() - 1].to_vec();
        let stream = context.stream(&self.draw);
        let choice = |(i, row): (usize, &[f64])| {
            let (at, element) = self.draw.address(&dims, i);
            column(row, f64::from(stream.uniform(at, element))) as f64
        };
        Array { data: weights.rows().enumerate().map(choice).collect(), dims }
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Random, 2 * operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let op = |rows| Self { draw: Draw { path: "s".into(), rows } };
        let even = (Kind::Float, Array::filled(&[3, 4], 0.0));
        vec![
            Sample::new(op(true), [Array::positive(seed, "w", &[5, 7])]),
            Sample::new(op(false), [Array::positive(seed, "w", &[3])]),
            Sample::new(op(true), [even]),
        ]
    }
}

/// The column that a number in [0, 1) falls on.
fn column(weights: &[f64], u: f64) -> usize {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return (u * weights.len() as f64) as usize;
    }
    let mut sum = 0.0;
    let first = weights.iter().position(|w| {
        sum += w;
        sum > u * total
    });
    first.unwrap_or(weights.len() - 1)
}
