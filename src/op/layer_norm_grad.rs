//! The gradient of layer norm for x: with n the standardised row and g = gain dy,
//! `dx = (g - mean g - n mean(n g)) / sqrt(var + eps)`; operands x, gain, dy.
//!
//! C1: dy has the shape of x, the gain its last axis.

use super::layer_norm::{moments, scales, standard};
use super::pointwise::count;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `(g - mean g - n mean(n g)) / sqrt(var + eps)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerNormGrad {
    /// Added to the variance.
    pub eps: f64,
}

impl Rule for LayerNormGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, gain, dy] = count(operands)?;
        if x != dy || gain.rank() != 1 || x.sizes.last() != Some(&gain.sizes[0]) {
            return Err(Misfit::new("C1", format!("{x}, {gain} and {dy} do not fit")));
        }
        Ok(x.clone())
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, gain, dy] = [operands[0], operands[1], operands[2]];
        let row = |(x, dy): (&[f64], &[f64])| {
            let (mean, scale) = moments(x, self.eps);
            let n = standard(x, mean, scale);
            let g: Vec<f64> = dy.iter().zip(&gain.data).map(|(a, b)| a * b).collect();
            let width = x.len() as f64;
            let mean_g = g.iter().sum::<f64>() / width;
            let mean_ng = g.iter().zip(&n).map(|(a, b)| a * b).sum::<f64>() / width;
            (0..x.len()).map(|j| (g[j] - mean_g - n[j] * mean_ng) * scale).collect::<Vec<_>>()
        };
        Array { dims: x.dims.clone(), data: x.rows().zip(dy.rows()).flat_map(row).collect() }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 12 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        // Rows of one element have a gradient of exact zeros that rounding hides: no measure for another executor.
        let wide = super::softmax::samples(seed).into_iter().filter(|(_, x)| x.width() > 1);
        wide.map(|x| {
                let (gain, _) = scales(seed, &x.1);
                let dy = Array::random(seed, "dy", &x.1.dims);
                Sample::new(Self { eps: 1e-5 }, [x, gain, dy])
            })
            .collect()
    }
}
