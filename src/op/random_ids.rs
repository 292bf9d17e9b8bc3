//! Even draws of whole numbers below a limit.

use super::{Array, Class, Context, Draw, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Kind, Shape, Size, Sizes};
use serde::{Deserialize, Serialize};

/// Even draws of ids below a limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomIds {
    /// How many.
    pub sizes: Sizes,
    /// Above every id; at least 1.
    pub below: u64,
    /// Where the draws come from.
    pub draw: Draw,
}

impl Rule for RandomIds {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape { sizes: self.sizes.clone(), kind: Kind::Ids })
    }

    fn eval(&self, _operands: &[&Array], context: &Context) -> Array {
        let dims: Vec<usize> = self.sizes.iter().map(Size::len).collect();
        let stream = context.stream(&self.draw);
        let number = |i| {
            let (row, element) = self.draw.address(&dims, i);
            f64::from(stream.below(self.below as u32, row, element))
        };
        Array { data: (0..dims.iter().product()).map(number).collect(), dims }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Random, 10 * result.elements())
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        let sizes = vec![Size::from(3usize), Size::from(5usize)];
        let draw = Draw { path: "i".into(), rows: true };
        vec![Sample::new(Self { sizes: sizes.into(), below: 1000, draw }, [])]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { sizes: self.sizes.iter().map(|s| s.bind(batch)).collect(), ..self.clone() }
    }
}
