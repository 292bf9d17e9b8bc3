//! The first numbers of a permutation of 0..n, again from its start if there are more places than numbers.
//!
//! Fisher-Yates from the end: place i is swapped with one below i + 1 drawn at element i of row 0.

use super::{Array, Class, Context, Draw, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// The start of a permutation: ids [first] below n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shuffle {
    /// How many numbers.
    pub n: Size,
    /// How many places; n for the whole permutation.
    pub first: Size,
    /// Where the draws come from.
    pub draw: Draw,
}

impl Rule for Shuffle {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape { sizes: smallvec![self.first.clone()], kind: Kind::Ids })
    }

    fn eval(&self, _operands: &[&Array], context: &Context) -> Array {
        let order = context.stream(&self.draw).permutation(self.n.len());
        let places = order.iter().cycle().take(if order.is_empty() { 0 } else { self.first.len() });
        Array { dims: vec![self.first.len()], data: places.map(|id| f64::from(*id)).collect() }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Random, 10 * self.n.len())
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        let op = |n: usize, first: usize| Self {
            n: n.into(),
            first: first.into(),
            draw: Draw { path: "s".into(), rows: false },
        };
        [(1, 1), (2, 2), (9, 9), (9, 4), (3, 7)].map(|(n, first)| Sample::new(op(n, first), [])).to_vec()
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { n: self.n.bind(batch), first: self.first.bind(batch), draw: self.draw.clone() }
    }
}
