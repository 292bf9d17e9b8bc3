//! Rows of mean 0 and variance 1: `(x - mean) / sqrt(var + eps)` over the last axis, biased variance.
//!
//! C1: there is an axis. Gradient: that of [`LayerNorm`](super::LayerNorm) with a gain of ones.

use super::layer_norm::{moments, standard};
use super::softmax::{rowwise, samples};
use super::{Array, Backward, Class, Context, Facts, Fill, LayerNormGrad, Misfit, Rule, Sample, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `(x - mean) / sqrt(var + eps)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standardize {
    /// Added to the variance.
    pub eps: f64,
}

impl Rule for Standardize {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        rowwise(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let width = at.build.shape(at.operands[0]).sizes.last().cloned();
        let ones = Fill { shape: Shape::float(width), value: 1.0 };
        let ones = at.build.add(ones.into(), &[]);
        vec![Some(at.build.add(LayerNormGrad { eps: self.eps }.into(), &[at.operands[0], ones, at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map_rows(|row| {
            let (mean, scale) = moments(row, self.eps);
            standard(row, mean, scale)
        })
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 6 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        samples(seed).map(|x| Sample::new(Self { eps: 1e-5 }, [x])).to_vec()
    }
}
