//! A permutation of 0..n: Fisher-Yates from the end, place i swapped with one below i + 1 drawn at element i of row 0.

use super::{Array, Class, Context, Draw, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// A permutation: ids [n] below n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shuffle {
    /// How many.
    pub n: Size,
    /// Where the draws come from.
    pub draw: Draw,
}

impl Rule for Shuffle {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape { sizes: vec![self.n.clone()], kind: Kind::Ids })
    }

    fn eval(&self, _operands: &[&Array], context: &Context) -> Array {
        let order = context.stream(&self.draw).permutation(self.n.len());
        Array { dims: vec![order.len()], data: order.into_iter().map(f64::from).collect() }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Random, 10 * result.elements())
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        let op = |n: usize| Self { n: n.into(), draw: Draw { path: "s".into(), rows: false } };
        [1, 2, 9].map(|n| Sample::new(op(n), [])).to_vec()
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { n: self.n.bind(batch), draw: self.draw.clone() }
    }
}
