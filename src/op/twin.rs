//! The slow copy of a parameter, read from memory; it has no gradient.

use super::leaf::leaf;
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

leaf!(Twin);
