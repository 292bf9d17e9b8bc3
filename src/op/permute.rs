//! Axes in another order: result axis i is operand axis `axes[i]`.
//!
//! C1: every axis stands once in `axes`.

use super::pointwise::count;
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Value};
use crate::shape::{Shape, Sizes};
use serde::{Deserialize, Serialize};

/// Axes in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permute {
    /// Result axis i is operand axis `axes[i]`.
    pub axes: Vec<usize>,
}

impl Rule for Permute {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        let mut sorted = self.axes.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..x.rank()) {
            return Err(Misfit::new("C1", format!("{:?} does not name each axis of {x} once", self.axes)));
        }
        Ok(x.with_sizes(self.axes.iter().map(|a| x.sizes[*a].clone()).collect::<Sizes>()))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let mut back = vec![0; self.axes.len()];
        self.axes.iter().enumerate().for_each(|(i, a)| back[*a] = i);
        vec![Some(at.build.add(Self { axes: back }.into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let x = operands[0];
        let dims: Vec<usize> = self.axes.iter().map(|a| x.dims[*a]).collect();
        let mut from = vec![0; dims.len()];
        Array::from_fn(&dims, |at| {
            self.axes.iter().zip(at).for_each(|(a, i)| from[*a] = *i);
            x.at(&from)
        })
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |dims: &[usize], axes: &[usize]| {
            Sample::new(Self { axes: axes.to_vec() }, [Array::random(seed, "x", dims)])
        };
        vec![
            case(&[3, 4], &[1, 0]),
            case(&[2, 3, 4, 5], &[0, 2, 1, 3]),
            case(&[2, 3, 4], &[2, 0, 1]),
            case(&[2, 3, 2, 4, 2, 5], &[0, 2, 4, 1, 3, 5]),
        ]
    }
}
