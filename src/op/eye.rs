//! The diagonal as a condition.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// True on the diagonal: [n, n].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eye {
    /// How many rows and columns.
    pub n: Size,
}

impl Rule for Eye {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape { sizes: smallvec![self.n.clone(), self.n.clone()], kind: Kind::Condition })
    }

    fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
        Array::from_fn(&[self.n.len(), self.n.len()], |at| f64::from(u8::from(at[0] == at[1])))
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        [1usize, 4].map(|n| Sample::new(Self { n: n.into() }, [])).to_vec()
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { n: self.n.bind(batch) }
    }
}
