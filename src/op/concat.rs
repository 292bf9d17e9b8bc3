//! Tensors one after the other along an axis.
//!
//! C1: at least one operand, all of one kind and rank. C2: the other axes agree. Gradient: slices.

use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, Slice, Value};
use crate::shape::{Shape, Size};
use serde::{Deserialize, Serialize};

/// Tensors one after the other along an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concat {
    /// Which axis.
    pub axis: usize,
}

impl Rule for Concat {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let Some((first, rest)) = operands.split_first().filter(|(f, _)| self.axis < f.rank()) else {
            return Err(Misfit::new("C1", format!("expected tensors with an axis {}", self.axis)));
        };
        let mut sizes = first.sizes.clone();
        for other in rest {
            let others = |s: &Shape| s.sizes.iter().enumerate().filter(|(i, _)| *i != self.axis).map(|(_, n)| n.clone()).collect::<Vec<_>>();
            if other.rank() != first.rank() || other.kind != first.kind || others(other) != others(first) {
                return Err(Misfit::new("C2", format!("{first} and {other} differ elsewhere than on axis {}", self.axis)));
            }
            sizes[self.axis] = sizes[self.axis].clone() + other.sizes[self.axis].clone();
        }
        Ok(first.with_sizes(sizes))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let mut start = Size::from(0i64);
        let mut grads = Vec::new();
        for (operand, wanted) in at.operands.iter().zip(at.wanted) {
            let end = start.clone() + at.build.shape(*operand).sizes[self.axis].clone();
            let slice = Slice { axis: self.axis, start: start.clone(), end: end.clone() };
            grads.push(wanted.then(|| at.build.add(slice.into(), &[at.dy])));
            start = end;
        }
        grads
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let mut dims = operands[0].dims.clone();
        dims[self.axis] = operands.iter().map(|x| x.dims[self.axis]).sum();
        let (before, _, _) = operands[0].around(self.axis);
        let piece = |x: &&Array, b: usize| {
            let (_, size, after) = x.around(self.axis);
            x.data[b * size * after..(b + 1) * size * after].to_vec()
        };
        let data = (0..before).flat_map(|b| operands.iter().flat_map(move |x| piece(x, b))).collect();
        Array { dims, data }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |axis, shapes: &[&[usize]]| {
            let operands = shapes.iter().enumerate().map(|(i, dims)| Array::random(seed, &i.to_string(), dims));
            Sample::new(Self { axis }, operands)
        };
        vec![case(0, &[&[2, 3], &[1, 3]]), case(1, &[&[2, 1, 3], &[2, 4, 3], &[2, 2, 3]]), case(0, &[&[4]])]
    }
}
