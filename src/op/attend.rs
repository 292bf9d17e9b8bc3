//! STUB
#![allow(unused_imports, missing_docs)]
use super::*;
use crate::recipe::Schedule;
use crate::shape::{Kind, Size};

/// STUB
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attend {
    /// .
    pub heads: Option<usize>,
    /// .
    pub causal: bool,
    /// .
    pub mask: bool,
    /// .
    pub bias: bool,
    /// .
    pub drop: Option<Drop>,
}

impl Rule for Attend {
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

/// Dropout on the attention weights: element (h * N + i) * M + j of row b.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drop {
    /// The share that is dropped.
    pub share: f64,
    /// Where the draws come from.
    pub draw: Draw,
}
