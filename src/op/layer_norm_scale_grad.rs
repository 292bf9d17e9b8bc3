//! The gradients of layer norm for gain and shift: (x, dy) to [2, D], row 0 `sum n dy`, row 1 `sum dy`, over all rows.
//!
//! C1: dy has the shape of x.

use super::layer_norm::{moments, standard};
use super::pointwise::count;
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Shape, Size};
use serde::{Deserialize, Serialize};

/// `sum n dy` and `sum dy`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerNormScaleGrad {
    /// Added to the variance.
    pub eps: f64,
}

impl Rule for LayerNormScaleGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, dy] = count(operands)?;
        match x.sizes.last() {
            Some(width) if x == dy => Ok(Shape::float([Size::from(2usize), width.clone()])),
            _ => Err(Misfit::new("C1", format!("{x} and {dy} do not fit"))),
        }
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, dy] = [operands[0], operands[1]];
        let width = x.width();
        let mut sums = Array::filled(&[2, width], 0.0);
        for (x, dy) in x.rows().zip(dy.rows()) {
            let (mean, scale) = moments(x, self.eps);
            let n = standard(x, mean, scale);
            for j in 0..width {
                sums.data[j] += n[j] * dy[j];
                sums.data[width + j] += dy[j];
            }
        }
        sums
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, 8 * operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        super::softmax::samples(seed)
            .map(|x| {
                let dy = Array::random(seed, "dy", &x.1.dims);
                Sample::new(Self { eps: 1e-5 }, [x, dy])
            })
            .to_vec()
    }
}
