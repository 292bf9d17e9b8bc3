//! Applies a lowered weight map: where in a public checkpoint a parameter lies, and what is done to it.

use super::{Archive, WeightsError};
use crate::lower::model::Source;
use crate::tensor::{Tensor, Values};

/// The tensor of a source; `None` if the initial value is kept.
///
/// # Errors
/// The tensor is not there, or cannot be cut as the map says.
pub fn load(archive: &mut Archive, source: &Source) -> Result<Option<Tensor>, WeightsError> {
    let part = match source {
        Source::Fresh => return Ok(None),
        Source::Named(name) => return archive.read(name).map(Some),
        Source::Transposed(inner)
        | Source::Row(inner, _)
        | Source::Rows(inner, _, _)
        | Source::Chunk(inner, _, _)
        | Source::Rearranged(inner, _) => load(archive, inner)?,
    };
    let Some(tensor) = part else { return Ok(None) };
    let dims = tensor.dims.clone();
    let made = match source {
        Source::Transposed(_) => transposed(&tensor),
        Source::Row(_, row) => rows(&tensor, *row, row + 1).map(without_first),
        Source::Rows(_, start, end) => rows(&tensor, *start, *end),
        Source::Chunk(_, k, n) => chunk(&tensor, *k, *n),
        Source::Rearranged(_, pattern) => rearranged(&tensor, pattern),
        Source::Fresh | Source::Named(_) => Some(tensor),
    };
    let path = archive.path().to_string();
    let name = format!("{source:?}");
    made.map(Some).ok_or(WeightsError::Shape { path, name, expected: Vec::new(), found: dims })
}

fn rows(tensor: &Tensor, start: usize, end: usize) -> Option<Tensor> {
    let (first, rest) = tensor.dims.split_first()?;
    if start > end || end > *first {
        return None;
    }
    let width: usize = rest.iter().product();
    let range = start * width..end * width;
    let values = match &tensor.values {
        Values::Floats(all) => Values::Floats(all[range].to_vec()),
        Values::Ids(all) => Values::Ids(all[range].to_vec()),
    };
    let dims = std::iter::once(end - start).chain(rest.iter().copied()).collect();
    Some(Tensor { dims, values })
}

fn without_first(mut tensor: Tensor) -> Tensor {
    tensor.dims.remove(0);
    tensor
}

fn chunk(tensor: &Tensor, k: usize, n: usize) -> Option<Tensor> {
    let first = *tensor.dims.first()?;
    if n == 0 || first % n != 0 || k >= n {
        return None;
    }
    rows(tensor, k * (first / n), (k + 1) * (first / n))
}

fn transposed(tensor: &Tensor) -> Option<Tensor> {
    let rank = tensor.dims.len();
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(rank.checked_sub(2)?, rank - 1);
    permuted(tensor, &order)
}

/// Axes in another order.
fn permuted(tensor: &Tensor, order: &[usize]) -> Option<Tensor> {
    let values = tensor.as_floats()?;
    let mut strides = vec![1; tensor.dims.len()];
    for axis in (1..strides.len()).rev() {
        strides[axis - 1] = strides[axis] * tensor.dims[axis];
    }
    let dims: Vec<usize> = order.iter().map(|axis| tensor.dims[*axis]).collect();
    let mut places = vec![0];
    for axis in order {
        let steps = |place: usize| (0..tensor.dims[*axis]).map(move |i| (place, i));
        places = places.into_iter().flat_map(steps).map(|(place, i)| place + i * strides[*axis]).collect();
    }
    Some(Tensor::floats(dims, places.into_iter().map(|place| values[place]).collect()))
}

/// `"o c p q -> (c p q) o"`: names on the left are the axes, groups on the right are joined.
fn rearranged(tensor: &Tensor, pattern: &str) -> Option<Tensor> {
    let (left, right) = pattern.split_once("->")?;
    let names: Vec<&str> = left.split_whitespace().collect();
    let spaced = right.replace('(', " ( ").replace(')', " ) ");
    let (mut order, mut groups, mut open) = (Vec::new(), Vec::<Vec<usize>>::new(), false);
    for word in spaced.split_whitespace() {
        match word {
            "(" => {
                groups.push(Vec::new());
                open = true;
            }
            ")" => open = false,
            "1" => groups.push(Vec::new()),
            name => {
                let axis = names.iter().position(|known| *known == name)?;
                order.push(axis);
                if open { groups.last_mut()?.push(axis) } else { groups.push(vec![axis]) }
            }
        }
    }
    if names.len() != tensor.dims.len() || order.len() != names.len() {
        return None;
    }
    let mut made = permuted(tensor, &order)?;
    made.dims = groups.iter().map(|group| group.iter().map(|axis| tensor.dims[*axis]).product()).collect();
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_move() {
        let tensor = Tensor::floats([2, 3, 1], (0..6).map(|x| x as f32).collect());
        let made = rearranged(&tensor, "o c p -> (c p) o").expect("fits");
        assert_eq!(made, Tensor::floats([3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        let flat = Tensor::floats([4, 1], vec![0.0, 1.0, 2.0, 3.0]);
        assert_eq!(chunk(&flat, 1, 2), Some(Tensor::floats([2, 1], vec![2.0, 3.0])));
        assert_eq!(rows(&flat, 3, 5), None);
        assert_eq!(transposed(&flat).expect("fits").dims, [1, 4]);
    }
}
