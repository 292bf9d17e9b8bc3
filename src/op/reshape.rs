//! The same elements in other axes.
//!
//! C1: the number of elements stays.

use super::pointwise::count;
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Value};
use crate::shape::{Batch, Shape, Size, Sizes};
use serde::{Deserialize, Serialize};

/// The same elements in other axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reshape {
    /// The new axes.
    pub sizes: Sizes,
}

impl Rule for Reshape {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        let shape = x.with_sizes(self.sizes.clone());
        if shape.count() != x.count() {
            return Err(Misfit::new("C1", format!("{x} has other elements than {shape}")));
        }
        Ok(shape)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let sizes = at.build.shape(at.operands[0]).sizes;
        vec![Some(at.build.add(Self { sizes }.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        Array { dims: self.sizes.iter().map(Size::len).collect(), data: operands[0].data.clone() }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::View, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |from: &[usize], to: &[usize]| {
            let sizes = to.iter().map(|n| Size::from(*n)).collect();
            Sample::new(Self { sizes }, [Array::random(seed, "x", from)])
        };
        vec![case(&[2, 6], &[3, 4]), case(&[6], &[2, 3, 1]), case(&[1], &[])]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { sizes: self.sizes.iter().map(|s| s.bind(batch)).collect() }
    }
}
