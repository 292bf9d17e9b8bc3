//! Elements moved within a tensor: rows taken, axes in another order. Numbers and ids alike.

use crate::tensor::{Tensor, Values};

/// Rows `start..end` of the first axis; `None` if it has fewer.
pub fn rows(tensor: &Tensor, start: usize, end: usize) -> Option<Tensor> {
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

/// One row of the first axis, without that axis.
pub fn row(tensor: &Tensor, at: usize) -> Option<Tensor> {
    let mut one = rows(tensor, at, at.checked_add(1)?)?;
    one.dims.remove(0);
    Some(one)
}

/// The k-th of n equal parts of the first axis.
pub fn chunk(tensor: &Tensor, k: usize, n: usize) -> Option<Tensor> {
    let first = *tensor.dims.first()?;
    if n == 0 || first % n != 0 || k >= n {
        return None;
    }
    rows(tensor, k * (first / n), (k + 1) * (first / n))
}

/// The last two axes swapped.
pub fn transposed(tensor: &Tensor) -> Option<Tensor> {
    let rank = tensor.dims.len();
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(rank.checked_sub(2)?, rank - 1);
    Some(permuted(tensor, &order))
}

/// Axes in another order; `order` names each axis once.
pub fn permuted(tensor: &Tensor, order: &[usize]) -> Tensor {
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
    let values = match &tensor.values {
        Values::Floats(all) => Values::Floats(places.into_iter().map(|place| all[place]).collect()),
        Values::Ids(all) => Values::Ids(places.into_iter().map(|place| all[place]).collect()),
    };
    Tensor { dims, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_axes() {
        let flat = Tensor::floats([4, 1], vec![0.0, 1.0, 2.0, 3.0]);
        assert_eq!(chunk(&flat, 1, 2), Some(Tensor::floats([2, 1], vec![2.0, 3.0])));
        assert_eq!(row(&flat, 3), Some(Tensor::floats([1], vec![3.0])));
        assert_eq!((rows(&flat, 3, 5), row(&flat, 4), row(&flat, usize::MAX)), (None, None, None));
        assert_eq!(transposed(&flat).expect("fits").dims, [1, 4]);
        let ids = Tensor::ids([2, 2], vec![1, 2, 3, 4]);
        assert_eq!(transposed(&ids), Some(Tensor::ids([2, 2], vec![1, 3, 2, 4])));
    }
}
