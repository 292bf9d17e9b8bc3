//! `choose(c, yes, no)`: yes where the condition holds.
//!
//! C1: the shorter of yes and no equals the end of the longer. C2: the condition's shape is the FRONT of the longer.
//! C3: yes and no are of one kind.

use super::pointwise::{count, joined, of_kind, reduced};
use super::{Array, Backward, Class, Context, Facts, Fill, Misfit, Rule, Sample, Value};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// yes where the condition holds, else no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choose;

impl Rule for Choose {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [test, yes, no] = count(operands)?;
        of_kind(test, Kind::Condition)?;
        of_kind(no, yes.kind)?;
        let sizes = joined(yes, no)?;
        if sizes.is_empty() {
            return Ok(test.with_kind(yes.kind));
        }
        if sizes.len() < test.rank() || sizes[..test.rank()] != test.sizes[..] {
            let message = format!("the condition {test} must be the front of {yes} or {no}");
            return Err(Misfit::new("C2", message));
        }
        Ok(Shape { sizes, kind: yes.kind })
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let zero = at.build.add(Fill { shape: Shape::scalar(), value: 0.0 }.into(), &[]);
        let yes = at.wanted[1].then(|| {
            let part = at.build.add(Choose.into(), &[at.operands[0], at.dy, zero]);
            reduced(at.build, part, at.operands[1])
        });
        let no = at.wanted[2].then(|| {
            let part = at.build.add(Choose.into(), &[at.operands[0], zero, at.dy]);
            reduced(at.build, part, at.operands[2])
        });
        vec![None, yes, no]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [test, yes, no] = [operands[0], operands[1], operands[2]];
        let widest = if yes.dims.len() >= no.dims.len() { yes } else { no };
        let dims = if widest.dims.is_empty() { test.dims.clone() } else { widest.dims.clone() };
        let count: usize = dims.iter().product();
        let inner = count / test.data.len().max(1);
        let pick = |i: usize| {
            let side = if test.data[i / inner.max(1)] != 0.0 { yes } else { no };
            side.data[i % side.data.len()]
        };
        Array { data: (0..count).map(pick).collect(), dims }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], &[usize], &[usize]); 5] = [
            (&[2, 3], &[2, 3], &[2, 3]),
            (&[2], &[2, 3, 4], &[4]),
            (&[2, 3], &[4], &[2, 3, 4]),
            (&[3], &[], &[]),
            (&[3], &[3], &[]),
        ];
        let mut samples = cases
            .map(|(c, a, b)| {
                let operands =
                    [Array::conditions(seed, "c", c), Array::random(seed, "a", a), Array::random(seed, "b", b)];
                Sample::new(Self, operands)
            })
            .to_vec();
        let ids = [Array::conditions(seed, "c", &[4]), Array::ids(seed, "a", &[4], 9), Array::ids(seed, "b", &[], 9)];
        samples.push(Sample::new(Self, ids));
        samples
    }
}
