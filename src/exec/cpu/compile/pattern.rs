//! Where element i of a result finds its operand.
//!
//! A broadcast keeps some axes of the result and repeats the operand along the others. Neighbouring axes that are both
//! kept or both repeated count as one; what is left is one of the kernel's patterns, or none of them:
//! kept: `Full`; repeated, kept: `Suffix`; kept, repeated: `Prefix`; repeated, kept, repeated: `Middle`;
//! kept, repeated, kept: `Around`.

use crate::exec::cpu::kernel::pointwise::Pattern;

/// The pattern of an operand that has the axes `axes` of a result with lengths `sizes`.
pub(super) fn of_axes(sizes: &[usize], axes: &[usize], dims: &[usize]) -> Option<Pattern> {
    if !axes.is_sorted() {
        return None;
    }
    let kept = |axis: usize| axes.iter().position(|a| *a == axis).is_some_and(|i| dims[i] == sizes[axis]);
    let mut runs: Vec<(bool, usize)> = Vec::new();
    for (axis, size) in sizes.iter().enumerate().filter(|(_, size)| **size != 1) {
        match runs.last_mut() {
            Some((last, n)) if *last == kept(axis) => *n *= size,
            _ => runs.push((kept(axis), *size)),
        }
    }
    match runs.as_slice() {
        [] | [(true, _)] => Some(Pattern::Full),
        [(false, _)] => Some(Pattern::Scalar),
        [(false, _), (true, n)] => Some(Pattern::Suffix(*n)),
        [(true, _), (false, n)] => Some(Pattern::Prefix(*n)),
        [(false, _), (true, count), (false, inner)] => Some(Pattern::Middle { inner: *inner, count: *count }),
        [(true, _), (false, count), (true, inner)] => Some(Pattern::Around { count: *count, inner: *inner }),
        _ => None,
    }
}

/// The pattern of an operand whose shape is the end of the result's.
pub(super) fn of_end(words: usize, len: usize) -> Pattern {
    match words {
        _ if words == len => Pattern::Full,
        1 => Pattern::Scalar,
        _ => Pattern::Suffix(words),
    }
}

/// The pattern of an operand whose shape is the front of the result's.
pub(super) fn of_front(words: usize, len: usize) -> Pattern {
    match words {
        _ if words == len => Pattern::Full,
        1 => Pattern::Scalar,
        _ => Pattern::Prefix(len / words.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_axes_count_as_one() {
        assert_eq!(of_axes(&[2, 3, 4, 5], &[2, 3], &[4, 5]), Some(Pattern::Suffix(20)));
        assert_eq!(of_axes(&[2, 3, 4, 5], &[0], &[2]), Some(Pattern::Prefix(60)));
        assert_eq!(of_axes(&[2, 3, 4], &[1], &[3]), Some(Pattern::Middle { inner: 4, count: 3 }));
        assert_eq!(of_axes(&[2, 3, 4], &[0, 2], &[2, 4]), Some(Pattern::Around { count: 3, inner: 4 }));
        assert_eq!(of_axes(&[2, 3, 4, 5], &[1, 3], &[3, 5]), None);
        assert_eq!(of_axes(&[1, 3], &[0, 1], &[1, 1]), Some(Pattern::Scalar));
    }
}
