//! Axes repeated: operand axis i becomes result axis `axes[i]`, the other result axes repeat it.
//!
//! C1: `axes` ascend and name one result axis of equal size for each operand axis. Gradient: sums over the repeated axes.

use super::pointwise::count;
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Sum, Value};
use crate::shape::{Batch, Shape, Size, Sizes};
use serde::{Deserialize, Serialize};

/// Axes repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Broadcast {
    /// All result axes.
    pub sizes: Sizes,
    /// Where each operand axis goes.
    pub axes: Vec<usize>,
}

impl Rule for Broadcast {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x] = count(operands)?;
        let placed = self.axes.iter().zip(&x.sizes).all(|(a, n)| self.sizes.get(*a) == Some(n));
        if self.axes.len() != x.rank() || !placed || !self.axes.is_sorted_by(|a, b| a < b) {
            return Err(Misfit::new("C1", format!("{x} does not fit axes {:?} of {:?}", self.axes, self.sizes)));
        }
        Ok(x.with_sizes(self.sizes.clone()))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let repeated = (0..self.sizes.len()).rev().filter(|a| !self.axes.contains(a));
        let dx = repeated.fold(at.dy, |dy, axis| at.build.add(Sum { axis }.into(), &[dy]));
        vec![Some(dx)]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let dims: Vec<usize> = self.sizes.iter().map(Size::len).collect();
        let mut from = vec![0; self.axes.len()];
        Array::from_fn(&dims, |at| {
            from.iter_mut().zip(&self.axes).for_each(|(f, a)| *f = at[*a]);
            operands[0].at(&from)
        })
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |dims: &[usize], sizes: &[usize], axes: &[usize]| {
            let sizes = sizes.iter().map(|n| Size::from(*n)).collect();
            Sample::new(Self { sizes, axes: axes.to_vec() }, [Array::random(seed, "x", dims)])
        };
        vec![
            case(&[3], &[2, 3], &[1]),
            case(&[3], &[3, 2], &[0]),
            case(&[2, 4], &[2, 3, 4], &[0, 2]),
            case(&[], &[2, 2], &[]),
            case(&[1, 5], &[3, 1, 5], &[1, 2]),
        ]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { sizes: self.sizes.iter().map(|s| s.bind(batch)).collect(), axes: self.axes.clone() }
    }
}
