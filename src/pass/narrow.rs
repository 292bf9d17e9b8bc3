//! Narrow: of a value with a place for every token, the place that is looked at, computed without the others where that is possible.
//!
//! ```text
//! before                                 after
//!   %2 = matmul (%1 [B, T, D], %0)         %4 = last (%1, %3 [B, T])
//!   %3 = add (%2, bias)                    %5 = matmul (%4 [B, D], %0)
//!                                          %6 = add (%5, bias)
//! ```
//!
//! Safe because it goes back only through operations that treat every place alike and by itself. Writing a text reads one place a
//! step; without this the head over the vocabulary would be computed at all of them.

use crate::graph::{Graph, Origin};
use crate::op::{Last, Misfit, Op, Value};

/// Adds the last place of `value` `[B, T, ..]` that `mask` `[B, T]` marks: `[B, ..]`.
///
/// # Errors
/// A value without these axes.
pub fn narrow(graph: &mut Graph, value: Value, mask: Value) -> Result<Value, Misfit> {
    let (node, operands) = (graph.node(value).clone(), graph.operands(value));
    let parts: Option<Vec<Part>> =
        operands.iter().copied().enumerate().map(|operand| part(graph, value, operand)).collect();
    match parts.filter(|parts| by_place(&node.op) && parts.contains(&Part::Places)) {
        None => graph.add(Last, &[value, mask], &Origin::default()),
        Some(parts) => {
            let narrowed = operands.iter().zip(parts).map(|(operand, part)| match part {
                Part::Places => narrow(graph, *operand, mask),
                Part::Shared => Ok(*operand),
            });
            let narrowed: Vec<Value> = narrowed.collect::<Result<_, _>>()?;
            graph.add(node.op, &narrowed, &node.origin)
        }
    }
}

/// What an operand is to its result.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// It has the same places.
    Places,
    /// It is the same for all places.
    Shared,
}

/// Nothing if the operand is neither.
fn part(graph: &Graph, result: Value, (index, operand): (usize, Value)) -> Option<Part> {
    let (all, own) = (graph.shape(result), graph.shape(operand));
    let matrix = matches!(graph.node(result).op, Op::Matmul(_) | Op::Linear(_));
    if matrix && index > 0 {
        return (own.rank() <= 2).then_some(Part::Shared);
    }
    if all.rank() >= 3 && own.rank() == all.rank() && own.sizes[..2] == all.sizes[..2] {
        return Some(Part::Places);
    }
    (own.rank() + 2 <= all.rank()).then_some(Part::Shared)
}

/// Operations of which every place of the result needs that place alone, whatever the other axes.
fn by_place(op: &Op) -> bool {
    match op {
        Op::Matmul(product) => !product.transpose_left,
        Op::Linear(_) | Op::LayerNorm(_) | Op::Standardize(_) | Op::Normalize(_) => true,
        Op::Add(_) | Op::Subtract(_) | Op::Multiply(_) | Op::Divide(_) | Op::Negate(_) => true,
        Op::Gelu(_) | Op::Relu(_) | Op::Tanh(_) | Op::Sigmoid(_) | Op::Exp(_) | Op::Log(_) => true,
        Op::Sqrt(_) | Op::Stop(_) | Op::ToFloat(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Gelu, Input, Matmul};
    use crate::shape::{Kind, Shape};

    #[test]
    fn a_head_is_computed_at_one_place_only() {
        let (mut graph, origin) = (Graph::default(), Origin::default());
        let mut add = |op: Op, operands: &[Value]| graph.add(op, operands, &origin).expect("fits");
        let input =
            |name: &str, sizes: &[usize]| Input { name: name.into(), shape: Shape::float(sizes.to_vec()) };
        let x = add(input("x", &[2, 5, 3]).into(), &[]);
        let place = add(input("place", &[5, 3]).into(), &[]);
        let w = add(input("w", &[3, 7]).into(), &[]);
        let bias = add(input("b", &[7]).into(), &[]);
        let marks = Shape::float([2_usize, 5]).with_kind(Kind::Condition);
        let mask = add(Input { name: "mask".into(), shape: marks }.into(), &[]);
        let placed = add(Op::Add(crate::op::Add), &[x, place]);
        let bent = add(Gelu.into(), &[placed]);
        let product = Matmul { transpose_left: false, transpose_right: false };
        let head = add(product.into(), &[bent, w]);
        let logits = add(Op::Add(crate::op::Add), &[head, bias]);
        let next = narrow(&mut graph, logits, mask).expect("fits");
        assert_eq!(graph.shape(next), &Shape::float([2_usize, 7]));
        graph.name("next", next);
        let kept = graph.keep(&["next"]);
        let last = kept.values().find(|v| matches!(kept.node(*v).op, Op::Last(_))).expect("a last place");
        assert_eq!(kept.shape(last), &Shape::float([2_usize, 3]), "places are added before one is chosen");
        let wide = kept.values().filter(|v| kept.shape(*v).sizes.len() == 3).count();
        assert_eq!(wide, 2, "x, and x with places");
    }
}
