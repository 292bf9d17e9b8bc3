//! `[0, 1, ..]`

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// The whole numbers below n, as ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// How many.
    pub n: Size,
}

impl Rule for Range {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape { sizes: smallvec![self.n.clone()], kind: Kind::Ids })
    }

    fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
        Array::from_fn(&[self.n.len()], |at| at[0] as f64)
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        [1usize, 5].map(|n| Sample::new(Self { n: n.into() }, [])).to_vec()
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { n: self.n.bind(batch) }
    }
}
