//! The slow copy of a parameter, read from memory; it has no gradient.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Shape};
use serde::{Deserialize, Serialize};

/// The slow copy of a parameter, read from memory; it has no gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Twin {
    /// Key of the twin: `slow/` and the path of the original.
    pub path: String,
    /// Path of the original.
    pub of: String,
    /// Its shape.
    pub shape: Shape,
}

impl Rule for Twin {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(self.shape.clone())
    }

    fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
        // Executors supply it; nothing is known here.
        Array::filled(&self.shape.dims(), f64::NAN)
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        Vec::new()
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { shape: self.shape.bind(batch), ..self.clone() }
    }
}
