//! The largest over one axis.
//!
//! C1: the axis exists. Gradient: dy at the places that equal the largest, shared evenly among equals.

use super::pointwise::{both, unary};
use super::sum::{reduce, without};
use super::{Array, Backward, Broadcast, Class, Compare, Context, Divide, Facts, Misfit, Multiply, Relation, Rule, Sample, Sum, ToFloat, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// The largest over one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Max {
    /// Which axis.
    pub axis: usize,
}

impl Rule for Max {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        without(unary(operands)?, self.axis)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let sizes = at.build.shape(at.operands[0]).sizes;
        let axes: Vec<usize> = (0..sizes.len()).filter(|a| *a != self.axis).collect();
        let spread = Broadcast { sizes, axes };
        let top = at.build.add(spread.clone().into(), &[at.result]);
        let hit = both(at.build, Compare { relation: Relation::Equal }, at.operands[0], top);
        let hit = at.build.add(ToFloat.into(), &[hit]);
        let hits = at.build.add(Sum { axis: self.axis }.into(), &[hit]);
        let share = both(at.build, Divide, at.dy, hits);
        let share = at.build.add(spread.into(), &[share]);
        vec![Some(both(at.build, Multiply, hit, share))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        reduce(operands[0], self.axis, |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], usize); 3] = [(&[3, 4], 0), (&[2, 3, 4], 1), (&[5], 0)];
        cases.map(|(dims, axis)| Sample::new(Self { axis }, [Array::random(seed, "x", dims)])).to_vec()
    }
}
