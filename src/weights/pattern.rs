//! Rearrangements of a weight map: `"o c p q -> (c p q) o"`, names on the left are the axes, groups on the right are joined.
//!
//! Forward, lengths come from the tensor. Backward, from the joined axis and the lengths that the map gives (`c: 3`): one that
//! is not given is found; several are equally long, which is certain only if another one of their group is given.

use super::axes::permuted;
use crate::tensor::Tensor;

/// A pattern and the lengths that are given with it.
#[derive(Debug)]
pub struct Pattern<'a> {
    names: Vec<&'a str>,
    /// Axes of the left side, for each axis of the right.
    groups: Vec<Vec<usize>>,
    sizes: &'a [(String, usize)],
}

impl<'a> Pattern<'a> {
    /// Reads a pattern; `None` if the sides do not have the same names, each once.
    pub fn new(text: &'a str, sizes: &'a [(String, usize)]) -> Option<Self> {
        let (left, right) = text.split_once("->")?;
        let names: Vec<&str> = left.split_whitespace().collect();
        let spaced = right.replace('(', " ( ").replace(')', " ) ");
        let (mut groups, mut open) = (Vec::<Vec<usize>>::new(), false);
        for word in spaced.split_whitespace() {
            match word {
                "(" if !open => {
                    groups.push(Vec::new());
                    open = true;
                }
                ")" if open => open = false,
                "1" if !open => groups.push(Vec::new()),
                name => {
                    let axis = names.iter().position(|known| *known == name)?;
                    if open { groups.last_mut()?.push(axis) } else { groups.push(vec![axis]) }
                }
            }
        }
        let mut axes = groups.concat();
        axes.sort_unstable();
        (!open && axes.iter().copied().eq(0..names.len())).then_some(Self { names, groups, sizes })
    }

    /// The tensor with its axes in the order of the right side; `None` if it has others than the left.
    pub fn forward(&self, tensor: &Tensor) -> Option<Tensor> {
        let fits = |(name, dim): (&&str, &usize)| self.given(name).is_none_or(|size| size == *dim);
        if self.names.len() != tensor.dims.len() || !self.names.iter().zip(&tensor.dims).all(fits) {
            return None;
        }
        let mut made = permuted(tensor, &self.groups.concat());
        let joined = |group: &Vec<usize>| group.iter().map(|axis| tensor.dims[*axis]).product();
        made.dims = self.groups.iter().map(joined).collect();
        Some(made)
    }

    /// The axes of the left side, from those of the right.
    ///
    /// # Errors
    /// What cannot be known, and how to say it.
    pub fn backward(&self, dims: &[usize]) -> Result<Vec<usize>, String> {
        if dims.len() != self.groups.len() {
            return Err(format!("the pattern gives {} axes, not {dims:?}", self.groups.len()));
        }
        let mut lengths = vec![0; self.names.len()];
        for (group, joined) in self.groups.iter().zip(dims) {
            let found = self.split(group, *joined)?;
            group.iter().zip(found).for_each(|(axis, length)| lengths[*axis] = length);
        }
        Ok(lengths)
    }

    fn given(&self, name: &str) -> Option<usize> {
        self.sizes.iter().find(|(known, _)| known == name).map(|(_, size)| *size)
    }

    /// The lengths of a group of which the product is known.
    fn split(&self, group: &[usize], joined: usize) -> Result<Vec<usize>, String> {
        let given: Vec<Option<usize>> = group.iter().map(|axis| self.given(self.names[*axis])).collect();
        let known: usize = given.iter().flatten().product();
        let open = given.iter().filter(|size| size.is_none()).count();
        let names: Vec<&str> = group.iter().map(|axis| self.names[*axis]).collect();
        if open > 1 && open == group.len() {
            let (names, first) = (names.join(", "), names[0]);
            return Err(format!(
                "the lengths of {names} are not known from their product {joined}; write one into the rule \
                 (`{first}: 3`), or give a public file of the same shapes with --like"
            ));
        }
        let rest = if known > 0 && joined.is_multiple_of(known) { root(joined / known, open) } else { None };
        let unfit = || format!("{} cannot be {joined}", names.join(" * "));
        let rest = rest.ok_or_else(unfit)?;
        Ok(given.into_iter().map(|size| size.unwrap_or(rest)).collect())
    }
}

/// The length of `count` equally long axes of so many elements.
fn root(elements: usize, count: usize) -> Option<usize> {
    let guess = match count {
        0 => return (elements == 1).then_some(1),
        _ => (elements as f64).powf(1.0 / count as f64).round() as usize,
    };
    (guess.checked_pow(count as u32) == Some(elements)).then_some(guess)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_move_and_join() {
        let tensor = Tensor::floats([2, 3, 1], (0..6).map(|x| x as f32).collect());
        let pattern = Pattern::new("o c p -> (c p) o", &[]).expect("a pattern");
        let made = pattern.forward(&tensor).expect("fits");
        assert_eq!(made, Tensor::floats([3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        for text in ["o c -> o", "o -> o (", "o -> o o", "o c", "o -> o x", "o -> (o (1))"] {
            assert!(Pattern::new(text, &[]).is_none(), "{text}");
        }
    }

    #[test]
    fn lengths_are_found_or_asked_for() {
        let (text, sizes) = ("o c p q -> (c p q) o", [("c".to_string(), 3)]);
        let back = |sizes, dims: &[usize]| Pattern::new(text, sizes).expect("a pattern").backward(dims);
        assert_eq!(back(&sizes, &[768, 5]), Ok(vec![5, 3, 16, 16]));
        assert!(back(&[], &[768, 5]).expect_err("three unknown").contains("`c: 3`"));
        assert!(
            back(&sizes, &[770, 5]).is_err() && back(&sizes, &[6, 5]).is_err() && back(&sizes, &[6]).is_err()
        );
        let unit = Pattern::new("d -> 1 d", &[]).expect("a pattern");
        assert_eq!(unit.backward(&[1, 7]), Ok(vec![7]));
        assert!(unit.backward(&[2, 7]).is_err());
    }
}
