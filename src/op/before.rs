//! Which places come before a count: counts [B] to a condition [B, n], true where place < count.
//!
//! C1: the counts are ids on one axis.

use super::pointwise::{count, of_kind};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// place < count, for each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// Places a row.
    pub n: Size,
}

impl Rule for Before {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [counts] = count(operands)?;
        of_kind(counts, Kind::Ids)?;
        if counts.rank() != 1 {
            return Err(Misfit::new("C1", format!("expected one count a row, found {counts}")));
        }
        Ok(Shape { sizes: smallvec![counts.sizes[0].clone(), self.n.clone()], kind: Kind::Condition })
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let counts = operands[0];
        Array::from_fn(&[counts.dims[0], self.n.len()], |at| {
            f64::from(u8::from((at[1] as f64) < counts.data[at[0]]))
        })
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        vec![Sample::new(Self { n: 6usize.into() }, [Array::ids(seed, "n", &[5], 8)])]
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { n: self.n.bind(batch) }
    }
}
