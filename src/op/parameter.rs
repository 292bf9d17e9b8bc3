//! A trainable tensor, read from memory.

use super::leaf::leaf;
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

leaf!(Parameter);
