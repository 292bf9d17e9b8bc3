//! Channels of images brought to mean 0 and deviation 1: `(x - mean[c]) / deviation[c]` on axis 1.
//!
//! C1: x is [B, C, ..] with one mean and one deviation a channel.

use super::pointwise::{count, of_kind};
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Value};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// `(x - mean[c]) / deviation[c]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescale {
    /// One a channel.
    pub mean: Vec<f64>,
    /// One a channel.
    pub deviation: Vec<f64>,
}

impl Rule for Rescale {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        of_kind(x, Kind::Float)?;
        let channels = Some(&Size::from(self.mean.len()));
        if x.sizes.get(1) != channels || self.mean.len() != self.deviation.len() {
            return Err(Misfit::new("C1", format!("expected {} channels on axis 1, found {x}", self.mean.len())));
        }
        Ok(x.clone())
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let scale = Self { mean: vec![0.0; self.mean.len()], deviation: self.deviation.clone() };
        vec![Some(at.build.add(scale.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let x = operands[0];
        let (_, channels, inner) = x.around(1);
        let value = |(i, v): (usize, &f64)| {
            let c = i / inner % channels;
            (v - self.mean[c]) / self.deviation[c]
        };
        Array { dims: x.dims.clone(), data: x.data.iter().enumerate().map(value).collect() }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, 2 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let op = Self { mean: vec![0.5, 0.4, 0.3], deviation: vec![0.5, 0.2, 0.25] };
        vec![Sample::new(op, [Array::random(seed, "x", &[2, 3, 4, 4])])]
    }
}
