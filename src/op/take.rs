//! Rows of a table: table [K, *], ids [..] to [.., *].
//!
//! C1: the table has rows and the index is of ids. Gradient: [`SumBy`](super::SumBy).

use super::pointwise::{count, of_kind};
use super::{Array, Backward, Class, Context, Facts, Misfit, Rule, Sample, SumBy, Value};
use crate::shape::{Kind, Shape, Sizes};
use serde::{Deserialize, Serialize};

/// Rows of a table by index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Take;

impl Rule for Take {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [table, ids] = count(operands)?;
        of_kind(ids, Kind::Ids)?;
        let Some((_, rest)) = table.sizes.split_first() else {
            return Err(Misfit::new("C1", "the table has no rows"));
        };
        Ok(table.with_sizes(ids.sizes.iter().chain(rest).cloned().collect::<Sizes>()))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let rows = at.build.shape(at.operands[0]).sizes[0].clone();
        let table = at.wanted[0].then(|| at.build.add(SumBy { rows }.into(), &[at.dy, at.operands[1]]));
        vec![table, None]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [table, ids] = [operands[0], operands[1]];
        let width: usize = table.dims[1..].iter().product();
        let row = |id: &f64| table.data[*id as usize * width..(*id as usize + 1) * width].to_vec();
        let dims = ids.dims.iter().chain(&table.dims[1..]).copied().collect();
        Array { dims, data: ids.data.iter().flat_map(row).collect() }
    }

    fn facts(&self, _operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Copy, 0)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |table: &[usize], ids: &[usize]| {
            Sample::new(Self, [Array::random(seed, "t", table), Array::ids(seed, "i", ids, table[0] as u32)])
        };
        let mut samples = vec![case(&[7, 3], &[2, 5]), case(&[4], &[6]), case(&[3, 2, 2], &[4]), case(&[1, 5], &[1])];
        let rows = [Array::conditions(seed, "t", &[3, 4]), Array::ids(seed, "i", &[5], 3)];
        samples.push(Sample::new(Self, rows));
        samples
    }
}
