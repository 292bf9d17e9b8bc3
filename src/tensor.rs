//! Numbers on their way in and out of an executor.

use crate::shape::Kind;

/// The elements of a tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Real numbers, and conditions as 0 and 1.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ids(Vec<i32>),
}

/// A dense tensor outside of any executor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Lengths of the axes, outermost first.
    pub dims: Vec<usize>,
    /// `dims.iter().product()` elements.
    pub values: Values,
}

impl Tensor {
    /// Real numbers.
    pub fn floats(dims: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        Self { dims: dims.into(), values: Values::Floats(values) }
    }

    /// Whole numbers.
    pub fn ids(dims: impl Into<Vec<usize>>, values: Vec<i32>) -> Self {
        Self { dims: dims.into(), values: Values::Ids(values) }
    }

    /// What the elements are.
    pub fn kind(&self) -> Kind {
        match self.values {
            Values::Floats(_) => Kind::Float,
            Values::Ids(_) => Kind::Ids,
        }
    }

    /// The numbers, if they are real.
    pub fn as_floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Floats(values) => Some(values),
            Values::Ids(_) => None,
        }
    }

    /// The elements as real numbers, row by row; ids become numbers.
    pub fn into_floats(self) -> Vec<f32> {
        match self.values {
            Values::Floats(values) => values,
            Values::Ids(values) => values.into_iter().map(|id| id as f32).collect(),
        }
    }

    /// The numbers, if they are whole.
    pub fn as_ids(&self) -> Option<&[i32]> {
        match &self.values {
            Values::Ids(values) => Some(values),
            Values::Floats(_) => None,
        }
    }
}
