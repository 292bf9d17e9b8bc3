//! STUB
#![allow(unused_imports, missing_docs)]
use super::*;
use crate::recipe::Schedule;
use crate::shape::{Kind, Size};

/// STUB
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleIds {
    /// .
    pub draw: Draw,
}

impl Rule for SampleIds {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Err(Misfit::new("C0", "stub"))
    }
    fn eval(&self, _operands: &[&Array], _context: &Context) -> Array {
        Array { dims: vec![], data: vec![] }
    }
    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Leaf, 0)
    }
    fn samples(_seed: u64) -> Vec<Sample> {
        vec![]
    }
}
