//! A remembered value as it was before the step; it has no gradient.

use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Shape};
use serde::{Deserialize, Serialize};

/// A remembered value as it was before the step; it has no gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

impl Rule for State {
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
