//! Which axis of each operand is an axis of the result: what can be computed for some of its places alone.
//!
//! ```text
//! add (x [B, T, D], place [T, D]) : [B, T, D]     axis 1 is axis 1 of x and axis 0 of place
//! linear (x [B, T, I], w, b) : [B, T, O]          axis 1 is axis 1 of x; w and b are the same for all places
//! softmax (x [B, T]) : [B, T]                     axis 1 is none: every place needs all of them
//! ```
//! Invariant: if the operands are cut to some places of these axes, the op gives those places of the result.

use crate::graph::Graph;
use crate::op::{Op, Value};
use crate::shape::{Shape, Size};

/// For every operand the axis that is this axis of the result, nothing where it is the same for all places; nothing at all if the
/// op looks at several places together, or is not known here.
pub fn through(graph: &Graph, value: Value, axis: usize) -> Option<Vec<Option<usize>>> {
    let (node, operands) = (graph.node(value), graph.operands(value));
    let shapes: Vec<&Shape> = operands.iter().map(|v| graph.shape(*v)).collect();
    let rank = node.shape.rank();
    let behind = |shape: &&Shape| axis.checked_sub(rank.saturating_sub(shape.rank()));
    let first = |axis: usize| Some(once(Some(axis), shapes.len()));
    match &node.op {
        Op::Fill(_) => Some(Vec::new()),
        Op::Add(_)
        | Op::Subtract(_)
        | Op::Multiply(_)
        | Op::Divide(_)
        | Op::Compare(_)
        | Op::And(_)
        | Op::Or(_) => Some(shapes.iter().map(behind).collect()),
        Op::Choose(_) => {
            let front = Some(axis).filter(|axis| *axis < shapes[0].rank());
            Some(std::iter::once(front).chain(shapes[1..].iter().map(behind)).collect())
        }
        Op::Not(_) | Op::Negate(_) | Op::Exp(_) | Op::Log(_) | Op::Sqrt(_) | Op::Tanh(_) | Op::Sigmoid(_) => {
            first(axis)
        }
        Op::Relu(_) | Op::Gelu(_) | Op::ToFloat(_) | Op::Stop(_) => first(axis),
        Op::LayerNorm(_)
        | Op::Standardize(_)
        | Op::Normalize(_)
        | Op::Softmax(_)
        | Op::LogSoftmax(_)
        | Op::Linear(_) => first(axis).filter(|_| axis + 1 < rank),
        Op::Matmul(op) => product(op.transpose_left, op.transpose_right, &shapes, axis),
        Op::Reshape(op) => unchanged(&shapes[0].sizes, &op.sizes, axis).and_then(first),
        Op::Permute(op) => first(*op.axes.get(axis)?),
        Op::Slice(op) => first(axis).filter(|_| op.axis != axis),
        Op::Concat(op) => Some(vec![Some(axis); shapes.len()]).filter(|_| op.axis != axis),
        Op::Broadcast(op) => Some(vec![op.axes.iter().position(|own| *own == axis)]),
        Op::Take(_) => {
            let ids = shapes[1].rank();
            Some(if axis < ids { vec![None, Some(axis)] } else { vec![Some(axis + 1 - ids), None] })
        }
        Op::Before(_) => first(axis).filter(|_| axis == 0),
        Op::Sum(op) => first(axis + usize::from(axis >= op.axis)),
        Op::Max(op) => first(axis + usize::from(axis >= op.axis)),
        Op::Argmax(_) => first(axis),
        _ => None,
    }
}

fn once(first: Option<usize>, count: usize) -> Vec<Option<usize>> {
    (0..count).map(|i| first.filter(|_| i == 0)).collect()
}

/// Leading axes are those of both sides, unless the right side is one matrix for all.
fn product(left: bool, right: bool, shapes: &[&Shape], axis: usize) -> Option<Vec<Option<usize>>> {
    let [x, w] = shapes else { return None };
    let (rank, width) = (x.rank(), w.rank());
    if rank < 2 {
        return None;
    }
    let shared = width == 2 && !(left && rank > 2);
    Some(match rank - 1 - axis.min(rank - 1) {
        0 => vec![None, Some(if right { width - 2 } else { width - 1 })],
        1 => vec![Some(if left { rank - 1 } else { rank - 2 }), None],
        _ => vec![Some(axis), Some(axis).filter(|_| !shared)],
    })
}

/// The axis before a reshape that is this one: as long, with as many elements before it.
fn unchanged(from: &[Size], to: &[Size], axis: usize) -> Option<usize> {
    let count = |sizes: &[Size]| sizes.iter().try_fold(Size::from(1_usize), |all, size| all.times(size));
    let before = count(&to[..axis])?;
    (0..from.len()).find(|own| from[*own] == to[axis] && count(&from[..*own]).as_ref() == Some(&before))
}

/// The op with another number of places on an axis of its result.
pub fn resized(op: &Op, axis: usize, places: usize) -> Op {
    let mut op = op.clone();
    let sizes = match &mut op {
        Op::Reshape(op) => &mut op.sizes,
        Op::Broadcast(op) => &mut op.sizes,
        Op::Fill(op) => &mut op.shape.sizes,
        _ => return op,
    };
    if let Some(size) = sizes.get_mut(axis) {
        *size = places.into();
    }
    op
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Origin;
    use crate::op::{Add, Input, Matmul, Reshape, Softmax, Take};
    use crate::shape::Kind;

    #[test]
    fn an_axis_is_followed_to_the_operands() {
        let (mut graph, origin) = (Graph::default(), Origin::default());
        let mut add = |op: Op, operands: &[Value]| graph.add(op, operands, &origin).expect("fits");
        let of = |name: &str, sizes: &[usize]| {
            Op::from(Input { name: name.into(), shape: Shape::float(sizes.to_vec()) })
        };
        let x = add(of("x", &[2, 5, 6]), &[]);
        let place = add(of("place", &[5, 6]), &[]);
        let w = add(of("w", &[6, 4]), &[]);
        let ids =
            Op::from(Input { name: "ids".into(), shape: Shape::float([2_usize, 5]).with_kind(Kind::Ids) });
        let ids = add(ids, &[]);
        let sum = add(Add.into(), &[x, place]);
        let matrix = add(Matmul { transpose_left: false, transpose_right: false }.into(), &[x, w]);
        let heads = [2_usize, 5, 2, 3].map(Size::from).to_vec();
        let split = add(Reshape { sizes: heads.into() }.into(), &[x]);
        let flat = add(Reshape { sizes: [10_usize, 6].map(Size::from).to_vec().into() }.into(), &[x]);
        let rows = add(Take.into(), &[w, ids]);
        let soft = add(Softmax.into(), &[place]);
        assert_eq!(through(&graph, sum, 1), Some(vec![Some(1), Some(0)]));
        assert_eq!(through(&graph, sum, 0), Some(vec![Some(0), None]));
        assert_eq!(through(&graph, matrix, 1), Some(vec![Some(1), None]));
        assert_eq!(through(&graph, split, 1), Some(vec![Some(1)]));
        assert_eq!(through(&graph, flat, 0), None);
        assert_eq!(through(&graph, rows, 1), Some(vec![None, Some(1)]));
        assert_eq!([through(&graph, soft, 0), through(&graph, soft, 1)], [Some(vec![Some(0)]), None]);
    }
}
