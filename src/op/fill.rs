//! The same number everywhere.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Kind, Shape};
use serde::{Deserialize, Serialize};

/// The same number everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// Its shape.
    pub shape: Shape,
    /// The number; whole for ids, 0 or 1 for conditions.
    pub value: f64,
}

impl Rule for Fill {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(self.shape.clone())
    }

    fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
        Array::filled(&self.shape.dims(), self.value)
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        let ids = Shape::float([2usize, 3]).with_kind(Kind::Ids);
        let cases = [(Shape::float([3usize]), 0.5), (Shape::scalar(), -1.0), (ids, -100.0)];
        cases.map(|(shape, value)| Sample::new(Self { shape, value }, [])).to_vec()
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { shape: self.shape.bind(batch), value: self.value }
    }
}
