//! A weight map backwards: parameters become the tensors of a public file again.
//!
//! The axes of a public tensor follow from those of everything that is made of it. A rule applied to the numbers of its
//! elements then says which of them a parameter holds: so the way back can never differ from the way there. Invariant: every
//! element of what comes out was written, and those written twice agree.
//!
//! ```text
//! attn.q.w [D, D] <- chunk("qkv", 0, 3)'  |
//! attn.k.w [D, D] <- chunk("qkv", 1, 3)'  |  "qkv" [3D, D]
//! attn.v.w [D, D] <- chunk("qkv", 2, 3)'  |
//! ```

use super::load::made;
use super::pattern::Pattern;
use super::{Archive, WeightsError};
use crate::lower::model::{Load, Source};
use crate::tensor::{Tensor, Values};
use std::collections::BTreeMap;

/// A parameter that a public tensor is made of.
struct Piece<'l> {
    key: &'l str,
    source: Source,
}

/// The names of a map's public tensors, each with what is made of it.
struct Names<'l>(BTreeMap<String, Vec<Piece<'l>>>);

/// All tensors of a public file, from the values of a model's keys. Axes that the map leaves open, and rows that no rule
/// covers, are those of `like`.
///
/// # Errors
/// A key that `mine` does not have; a tensor that does not follow from the map, by name.
pub fn invert(
    loads: &[Load],
    mine: &mut Archive,
    mut like: Option<&mut Archive>,
) -> Result<BTreeMap<String, Tensor>, WeightsError> {
    let mut public = BTreeMap::new();
    for (name, pieces) in Names::of(loads).0 {
        let base = match like.as_deref_mut() {
            Some(like) if like.dims(&name).is_some() => Some(like.read(&name)?),
            _ => None,
        };
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let tensor = mine.read(piece.key)?;
            parts.push((piece, tensor));
        }
        let whole = together(&parts, base);
        let whole = whole.map_err(|reason| WeightsError::Inverse { name: name.clone(), reason })?;
        public.insert(name, whole);
    }
    Ok(public)
}

/// The names that a map reads.
pub fn names(loads: &[Load]) -> impl Iterator<Item = String> {
    Names::of(loads).0.into_keys()
}

impl<'l> Names<'l> {
    fn of(loads: &'l [Load]) -> Self {
        let mut names: BTreeMap<String, Vec<Piece<'l>>> = BTreeMap::new();
        for Load { key, source } in loads {
            for source in source.untied() {
                let Some(name) = source.name().map(str::to_string) else { continue };
                names.entry(name).or_default().push(Piece { key, source });
            }
        }
        Self(names)
    }
}

/// One public tensor.
fn together(parts: &[(Piece<'_>, Tensor)], base: Option<Tensor>) -> Result<Tensor, String> {
    let dims = axes(parts, base.as_ref())?;
    let elements = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
    let count = elements.and_then(|n| i32::try_from(n).ok());
    let count = count.ok_or_else(|| format!("{dims:?} has more elements than can be counted"))?;
    let mut whole = Whole::new(count as usize);
    let ids = parts.iter().all(|(_, tensor)| tensor.as_ids().is_some());
    for (piece, tensor) in parts {
        let places = made(&piece.source, Tensor::ids(dims.clone(), (0..count).collect()));
        let places = places.filter(|places| places.dims == tensor.dims);
        let unfit = || format!("`{}` of shape {:?} is no part of {dims:?}", piece.key, tensor.dims);
        whole.write(piece.key, &places.ok_or_else(unfit)?, tensor, ids)?;
    }
    whole.fill(base.filter(|base| base.dims == dims))?;
    let values = match ids {
        true => Values::Ids(whole.bits.into_iter().map(|bits| bits as i32).collect()),
        false => Values::Floats(whole.bits.into_iter().map(f32::from_bits).collect()),
    };
    Ok(Tensor { dims, values })
}

/// The axes of a public tensor: as long as the furthest part reaches, or as in a file like it.
fn axes(parts: &[(Piece<'_>, Tensor)], base: Option<&Tensor>) -> Result<Vec<usize>, String> {
    let mut longest: Option<Vec<usize>> = None;
    for (piece, tensor) in parts {
        let dims = match (reach(&piece.source, &tensor.dims), base) {
            (Ok(dims), _) => dims,
            (Err(_), Some(base)) => base.dims.clone(),
            (Err(reason), None) => return Err(reason),
        };
        let longer = match longest {
            Some(known) if known.len() != dims.len() => {
                return Err(format!("`{}` wants {dims:?}, others {known:?}", piece.key));
            }
            Some(known) => known.iter().zip(&dims).map(|(a, b)| *a.max(b)).collect(),
            None => dims,
        };
        longest = Some(longer);
    }
    let longest = longest.unwrap_or_default();
    // A file like it may have rows after the last that a rule takes.
    let covers = |base: &&Tensor| {
        base.dims.len() == longest.len() && base.dims.iter().zip(&longest).all(|(have, need)| have >= need)
    };
    let sliced = parts.iter().any(|(piece, _)| piece.source.is_slice());
    Ok(base.filter(|_| sliced).filter(covers).map_or(longest.clone(), |base| base.dims.clone()))
}

/// The axes that the tensor of a source has at least, if the source gives these.
fn reach(source: &Source, dims: &[usize]) -> Result<Vec<usize>, String> {
    let unfit = || format!("{source} cannot have the shape {dims:?}");
    let behind = |first: usize| [&[first], dims.get(1..).unwrap_or_default()].concat();
    match source {
        Source::Fresh | Source::Tied(_) => Err(unfit()),
        Source::Named(_) => Ok(dims.to_vec()),
        Source::Transposed(inner) => {
            let mut swapped = dims.to_vec();
            let rank = swapped.len();
            swapped.swap(rank.checked_sub(2).ok_or_else(unfit)?, rank - 1);
            reach(inner, &swapped)
        }
        Source::Row(inner, at) => reach(inner, &[&[at.saturating_add(1)], dims].concat()),
        Source::Rows(inner, _, end) => reach(inner, &behind(*end)),
        Source::Chunk(inner, _, n) => {
            let first = *dims.first().ok_or_else(unfit)?;
            reach(inner, &behind(first.saturating_mul(*n)))
        }
        Source::Rearranged(inner, pattern, sizes) => {
            let pattern = Pattern::new(pattern, sizes).ok_or_else(unfit)?;
            reach(inner, &pattern.backward(dims)?)
        }
    }
}

/// A tensor that is being written.
struct Whole<'l> {
    bits: Vec<u32>,
    /// Who wrote an element.
    by: Vec<Option<&'l str>>,
}

impl<'l> Whole<'l> {
    fn new(count: usize) -> Self {
        Self { bits: vec![0; count], by: vec![None; count] }
    }

    fn write(&mut self, key: &'l str, places: &Tensor, tensor: &Tensor, ids: bool) -> Result<(), String> {
        let bits: Vec<u32> = match &tensor.values {
            Values::Floats(values) => values.iter().map(|x| x.to_bits()).collect(),
            Values::Ids(values) if ids => values.iter().map(|x| *x as u32).collect(),
            Values::Ids(_) => return Err(format!("`{key}` holds ids, and other parts hold numbers")),
        };
        for (place, bits) in places.as_ids().unwrap_or_default().iter().zip(bits) {
            let place = *place as usize;
            match self.by[place] {
                Some(other) if self.bits[place] != bits => {
                    return Err(format!(
                        "`{other}` and `{key}` are the same part of it, but are no longer equal"
                    ));
                }
                _ => (self.bits[place], self.by[place]) = (bits, Some(key)),
            }
        }
        Ok(())
    }

    /// What no rule covers is taken from a tensor of the same shape.
    fn fill(&mut self, base: Option<Tensor>) -> Result<(), String> {
        let open = self.by.iter().filter(|by| by.is_none()).count();
        match base.map(|base| base.values) {
            _ if open == 0 => Ok(()),
            Some(Values::Floats(values)) => {
                let open = self.by.iter().enumerate().filter(|(_, by)| by.is_none()).map(|(place, _)| place);
                open.for_each(|place| self.bits[place] = values[place].to_bits());
                Ok(())
            }
            _ => Err(format!(
                "no rule covers {open} of its {} elements; write rules for them, or give a public file that has them with --like",
                self.bits.len()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(key: &str, source: Source) -> (Piece<'_>, Tensor) {
        (Piece { key, source }, Tensor::floats([1, 2], vec![1.0, 2.0]))
    }

    fn named() -> Box<Source> {
        Box::new(Source::Named("w".into()))
    }

    #[test]
    fn parts_make_a_whole() {
        let parts = [rule("b", Source::Chunk(named(), 1, 2)), rule("a", Source::Chunk(named(), 0, 2))];
        let whole = together(&parts, None).expect("covered");
        assert_eq!(whole, Tensor::floats([2, 2], vec![1.0, 2.0, 1.0, 2.0]));
        let turned = together(&[rule("a", Source::Transposed(named()))], None).expect("covered");
        assert_eq!(turned.dims, [2, 1]);
    }

    #[test]
    fn what_is_not_covered_is_refused_or_taken_from_a_file_like_it() {
        let parts = [rule("a", Source::Rows(named(), 1, 2))];
        assert!(together(&parts, None).expect_err("row 0").contains("no rule covers 2 of its 4 elements"));
        let base = Tensor::floats([3, 2], vec![9.0; 6]);
        let whole = together(&parts, Some(base)).expect("filled");
        assert_eq!(whole, Tensor::floats([3, 2], vec![9.0, 9.0, 1.0, 2.0, 9.0, 9.0]));
    }

    #[test]
    fn parts_that_differ_are_refused() {
        let mut parts = [rule("a", *named()), rule("b", *named())];
        assert!(together(&parts, None).is_ok());
        parts[1].1 = Tensor::floats([1, 2], vec![1.0, 3.0]);
        let error = together(&parts, None).expect_err("differ");
        assert!(error.contains("`a` and `b`"), "{error}");
        parts[1].1 = Tensor::floats([2, 1], vec![1.0, 2.0]);
        assert!(
            together(&parts, None).expect_err("shapes").contains("`a` of shape [1, 2] is no part of [2, 2]")
        );
    }
}
