//! What two files of tensors differ in.

use super::{Archive, WeightsError};
use crate::tensor::{Tensor, Values};
use serde::Serialize;
use std::collections::BTreeSet;

/// One tensor of either file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// How it differs.
    #[serde(flatten)]
    pub how: How,
}

/// How a tensor differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum How {
    /// Not at all: axes, types and bits.
    Same,
    /// Only the first file has it.
    OnlyFirst,
    /// Only the second file has it.
    OnlySecond,
    /// Other axes.
    Shape {
        /// In the first.
        first: Vec<usize>,
        /// In the second.
        second: Vec<usize>,
    },
    /// Other types, and how far the numbers are apart, if both can be read.
    Type {
        /// In the first.
        first: String,
        /// In the second.
        second: String,
        /// As of [`How::Values`]; 0 if they are equal as numbers.
        relative: Option<f64>,
    },
    /// Other elements: the largest difference over the largest number of either; nothing if one is not finite.
    Values {
        /// Between 0 and 2.
        relative: Option<f64>,
    },
}

/// Every tensor of either file, in alphabetical order.
///
/// # Errors
/// A file cannot be read.
pub fn compare(a: &mut Archive, b: &mut Archive) -> Result<Vec<Difference>, WeightsError> {
    let names: BTreeSet<String> = a.names().chain(b.names()).map(str::to_string).collect();
    names.into_iter().map(|name| Ok(Difference { how: one(a, b, &name)?, name })).collect()
}

fn one(a: &mut Archive, b: &mut Archive, name: &str) -> Result<How, WeightsError> {
    let (first, second) = match (a.info(name), b.info(name)) {
        (Some(first), Some(second)) => (first, second),
        (Some(_), None) => return Ok(How::OnlyFirst),
        (None, _) => return Ok(How::OnlySecond),
    };
    if first.shape != second.shape {
        return Ok(How::Shape { first: first.shape.clone(), second: second.shape.clone() });
    }
    let ((first, bits), (second, other)) = (a.raw(name)?, b.raw(name)?);
    if first.dtype == second.dtype && bits == other {
        return Ok(How::Same);
    }
    let relative = match (a.read(name), b.read(name)) {
        (Ok(first), Ok(second)) => distance(&first, &second),
        _ => None,
    };
    if first.dtype == second.dtype {
        return Ok(How::Values { relative });
    }
    let [first, second] = [first.dtype, second.dtype].map(|dtype| format!("{dtype:?}"));
    Ok(How::Type { first, second, relative })
}

/// Largest difference over largest number; `None` if one of them is not finite.
fn distance(a: &Tensor, b: &Tensor) -> Option<f64> {
    let [a, b] = [a, b].map(numbers);
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    if a.iter().chain(&b).any(|x| !x.is_finite()) {
        return None;
    }
    let apart = most(&mut a.iter().zip(&b).map(|(a, b)| (a - b).abs()));
    let largest = most(&mut a.iter().chain(&b).map(|x| x.abs()));
    Some(if apart == 0.0 { 0.0 } else { apart / largest })
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    match &tensor.values {
        Values::Floats(values) => values.iter().map(|x| f64::from(*x)).collect(),
        Values::Ids(values) => values.iter().map(|x| f64::from(*x)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_relative() {
        let tensor = |values: &[f32]| Tensor::floats([values.len()], values.to_vec());
        assert_eq!(distance(&tensor(&[2.0, 0.0]), &tensor(&[1.0, 0.0])), Some(0.5));
        assert_eq!(distance(&tensor(&[0.0]), &tensor(&[-0.0])), Some(0.0));
        assert_eq!(distance(&tensor(&[f32::NAN]), &tensor(&[1.0])), None);
    }
}
