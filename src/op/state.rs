//! A remembered value as it was before the step; it has no gradient.

use super::leaf::leaf;
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

leaf!(State);
