//! Layer norm (Ba et al., 2016): `(x - mean) / sqrt(var + eps) * gain + shift` over the last axis, biased variance.
//!
//! C1: gain and shift have the last axis of x. Made from [`Standardize`](super::Standardize) by fusion.
//! Gradients: [`LayerNormGrad`](super::LayerNormGrad) for x, [`LayerNormScaleGrad`](super::LayerNormScaleGrad) for the rest.

use super::pointwise::{both, count, of_kind};
use super::{
    Add, Array, Backward, Build, Class, Context, Facts, LayerNormGrad, LayerNormScaleGrad, Misfit, Multiply, Reshape,
    Rule, Sample, Slice, Standardize, Value,
};
use crate::shape::{Kind, Shape, Size};
use serde::{Deserialize, Serialize};

/// `(x - mean) / sqrt(var + eps) * gain + shift`; operands x, gain, shift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    /// Added to the variance.
    pub eps: f64,
}

impl Rule for LayerNorm {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, gain, shift] = count(operands)?;
        of_kind(x, Kind::Float)?;
        for part in [gain, shift] {
            if part.rank() != 1 || x.sizes.last() != Some(&part.sizes[0]) {
                return Err(Misfit::new("C1", format!("{part} must have the last axis of {x}")));
            }
        }
        Ok(x.clone())
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [x, gain] = [at.operands[0], at.operands[1]];
        let dx = at.wanted[0].then(|| at.build.add(LayerNormGrad { eps: self.eps }.into(), &[x, gain, at.dy]));
        if !at.wanted[1] && !at.wanted[2] {
            return vec![dx, None, None];
        }
        let both = at.build.add(LayerNormScaleGrad { eps: self.eps }.into(), &[x, at.dy]);
        let sizes = at.build.shape(gain).sizes;
        let mut row = |i: i64| {
            let slice = Slice { axis: 0, start: Size::from(i), end: Size::from(i + 1) };
            let part = at.build.add(slice.into(), &[both]);
            at.build.add(Reshape { sizes: sizes.clone() }.into(), &[part])
        };
        vec![dx, at.wanted[1].then(|| row(0)), at.wanted[2].then(|| row(1))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, gain, shift] = [operands[0], operands[1], operands[2]];
        x.map_rows(|row| {
            let (mean, scale) = moments(row, self.eps);
            let normal = standard(row, mean, scale);
            normal.iter().enumerate().map(|(j, n)| n * gain.data[j] + shift.data[j]).collect()
        })
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let normal = build.add(Standardize { eps: self.eps }.into(), &operands[..1]);
        let scaled = both(build, Multiply, normal, operands[1]);
        Some(both(build, Add, scaled, operands[2]))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 8 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        super::softmax::samples(seed)
            .map(|x| {
                let (gain, shift) = scales(seed, &x.1);
                Sample::new(Self { eps: 1e-5 }, [x, gain, shift])
            })
            .to_vec()
    }
}

/// Gain and shift for samples.
pub fn scales(seed: u64, x: &Array) -> ((Kind, Array), (Kind, Array)) {
    (Array::positive(seed, "gain", &[x.width()]), Array::random(seed, "shift", &[x.width()]))
}

/// Mean, and one over the deviation.
pub fn moments(row: &[f64], eps: f64) -> (f64, f64) {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, 1.0 / (variance + eps).sqrt())
}

/// The row standardised.
pub fn standard(row: &[f64], mean: f64, scale: f64) -> Vec<f64> {
    row.iter().map(|x| (x - mean) * scale).collect()
}
