//! An input of the graph, given by the caller.

use super::leaf::leaf;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Shape};
use serde::{Deserialize, Serialize};

/// An input of the graph, given by the caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The column or argument that feeds it.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

leaf!(Input);
