//! A trainable tensor, read from memory.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Shape};
use serde::{Deserialize, Serialize};

/// A trainable tensor, read from memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// `fusion[3].attn.q.w`
    pub path: String,
    /// Its shape.
    pub shape: Shape,
}

impl Rule for Parameter {
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
