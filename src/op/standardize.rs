//! Rows of mean 0 and variance 1: `(x - mean) / sqrt(var + eps)` over the last axis, biased variance.
//!
//! C1: there is an axis. Gradient: that of [`LayerNorm`](super::LayerNorm) with a gain of ones.

use super::layer_norm::{moments, standard};
use super::log_softmax::along_last;
use super::pointwise::both;
use super::softmax::{rowwise, samples};
use super::{
    Add, Array, Backward, Build, Class, Context, Divide, Facts, Fill, LayerNormGrad, Misfit, Multiply, Rule, Sample, Sqrt,
    Subtract, Sum, Value,
};
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

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let spread = along_last(build, operands[0]);
        let axis = spread.sizes.len() - 1;
        let number = |build: &mut dyn Build, value| build.add(Fill { shape: Shape::scalar(), value }.into(), &[]);
        let width = number(build, spread.sizes[axis].number()? as f64);
        let eps = number(build, self.eps);
        let mean = build.add(Sum { axis }.into(), operands);
        let mean = both(build, Divide, mean, width);
        let mean = build.add(spread.clone().into(), &[mean]);
        let apart = both(build, Subtract, operands[0], mean);
        let square = both(build, Multiply, apart, apart);
        let variance = build.add(Sum { axis }.into(), &[square]);
        let variance = both(build, Divide, variance, width);
        let variance = both(build, Add, variance, eps);
        let deviation = build.add(Sqrt.into(), &[variance]);
        let deviation = build.add(spread.into(), &[deviation]);
        Some(both(build, Divide, apart, deviation))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 6 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        samples(seed).map(|x| Sample::new(Self { eps: 1e-5 }, [x])).to_vec()
    }
}
