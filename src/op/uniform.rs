//! Even draws in [0, 1).

use super::{Array, Class, Context, Draw, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Shape, Size, Sizes};
use serde::{Deserialize, Serialize};

/// Even draws in [0, 1), multiples of 2^-24.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uniform {
    /// How many.
    pub sizes: Sizes,
    /// Where the draws come from.
    pub draw: Draw,
}

impl Rule for Uniform {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape::float(self.sizes.clone()))
    }

    fn eval(&self, _operands: &[&Array], context: &Context) -> Array {
        let dims: Vec<usize> = self.sizes.iter().map(Size::len).collect();
        let stream = context.stream(&self.draw);
        let number = |i| {
            let (row, element) = self.draw.address(&dims, i);
            f64::from(stream.uniform(row, element))
        };
        Array { data: (0..dims.iter().product()).map(number).collect(), dims }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Random, 10 * result.elements())
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        let case = |sizes: &[usize], rows| {
            let sizes = sizes.iter().map(|n| Size::from(*n)).collect();
            Sample::new(Self { sizes, draw: Draw { path: "u".into(), rows } }, [])
        };
        vec![case(&[3, 5], true), case(&[7], false), case(&[6], true)]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { sizes: self.sizes.iter().map(|s| s.bind(batch)).collect(), draw: self.draw.clone() }
    }
}
