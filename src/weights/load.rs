//! Applies a lowered weight map: where in a public checkpoint a parameter lies, and what is done to it.

use super::axes::{chunk, row, rows, transposed};
use super::pattern::Pattern;
use super::{Archive, WeightsError};
use crate::lower::model::Source;
use crate::tensor::{Tensor, Values};

/// The tensor of a source; `None` if the initial value is kept. Of tied names those count that the file has.
///
/// # Errors
/// The tensor is not there, cannot be cut as the map says, or tied names hold different ones.
pub fn load(archive: &mut Archive, source: &Source) -> Result<Option<Tensor>, WeightsError> {
    let all = source.untied();
    let there = |one: &&Source| one.name().is_some_and(|name| archive.dims(name).is_some());
    let mut present = all.iter().filter(there).collect::<Vec<_>>().into_iter();
    let Some(first) = present.next().or_else(|| all.iter().find(|one| one.name().is_some())) else {
        return Ok(None);
    };
    let tensor = single(archive, first)?;
    for other in present {
        if !same(&tensor, &single(archive, other)?) {
            let (first, second) = (first.to_string(), other.to_string());
            return Err(WeightsError::Untied { path: archive.path().to_string(), first, second });
        }
    }
    Ok(Some(tensor))
}

fn single(archive: &mut Archive, source: &Source) -> Result<Tensor, WeightsError> {
    let name = source.name().unwrap_or_default();
    let tensor = archive.read(name)?;
    let found = tensor.dims.clone();
    made(source, tensor).ok_or_else(|| WeightsError::Source {
        path: archive.path().to_string(),
        source_text: source.to_string(),
        name: name.to_string(),
        found,
    })
}

/// What a source makes of the tensor that it names; `None` if it has no such axes.
pub fn made(source: &Source, tensor: Tensor) -> Option<Tensor> {
    match source {
        Source::Fresh | Source::Tied(_) => None,
        Source::Named(_) => Some(tensor),
        Source::Transposed(inner) => transposed(&made(inner, tensor)?),
        Source::Row(inner, at) => row(&made(inner, tensor)?, *at),
        Source::Rows(inner, start, end) => rows(&made(inner, tensor)?, *start, *end),
        Source::Chunk(inner, k, n) => chunk(&made(inner, tensor)?, *k, *n),
        Source::Rearranged(inner, pattern, sizes) => {
            Pattern::new(pattern, sizes)?.forward(&made(inner, tensor)?)
        }
    }
}

/// Equal bit for bit.
fn same(a: &Tensor, b: &Tensor) -> bool {
    let equal = match (&a.values, &b.values) {
        (Values::Floats(a), Values::Floats(b)) => {
            a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()))
        }
        (Values::Ids(a), Values::Ids(b)) => a == b,
        _ => false,
    };
    a.dims == b.dims && equal
}
