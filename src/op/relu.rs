//! `max(x, 0)`; gradient dy where x > 0.
//!
//! C2: the operand is of numbers.

use super::pointwise::{both, unary};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample, Backward, Value, Choose, Compare, Fill, Relation};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `max(x, 0)`; gradient dy where x > 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relu;

impl Rule for Relu {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let zero = at.build.add(Fill { shape: Shape::scalar(), value: 0.0 }.into(), &[]);
        let on = both(at.build, Compare { relation: Relation::Greater }, at.operands[0], zero);
        vec![Some(at.build.add(Choose.into(), &[on, at.dy, zero]))]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        operands[0].map(|x| x.max(0.0))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        [vec![], vec![1], vec![3, 5]].map(|dims| Sample::new(Self, [Array::random(seed, "x", &dims)])).to_vec()
    }
}
