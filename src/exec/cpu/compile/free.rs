//! What is cheaper to compute again than to keep.
//!
//! A free node has no launch and no memory: every chain that reads it computes it for itself. Constants are free; so is a
//! cheap function of one stored value, such as `sigmoid(1.702 h)`, which a gradient would otherwise keep beside `h`.
//! Invariant: only chains read free nodes, no output names them, and what they read is stored.

use super::sight::Sight;
use super::unit::is_pointwise;
use crate::graph::Graph;
use crate::op::{Op, Value};

/// Most free nodes above each other.
const DEEPEST: usize = 2;

/// For every node, whether it is free.
pub(super) fn free(graph: &Graph, sight: &Sight) -> Vec<bool> {
    let mut depths: Vec<Option<usize>> = vec![None; graph.len()];
    for value in graph.values().filter(|value| sight.is_work(*value)) {
        depths[value.0 as usize] = depth(graph, sight, &depths, value);
    }
    depths.iter().map(Option::is_some).collect()
}

/// How many cheap functions there are from a stored value or constant to a free node.
fn depth(graph: &Graph, sight: &Sight, depths: &[Option<usize>], value: Value) -> Option<usize> {
    let chained = |reader: &Value| {
        let op = &graph.node(*reader).op;
        is_pointwise(op) && !matches!(op, Op::Dropout(d) if d.per_row)
    };
    let readers = &sight.readers[value.0 as usize];
    if sight.named[value.0 as usize] || !readers.iter().all(chained) {
        return None;
    }
    let op = &graph.node(value).op;
    if matches!(op, Op::Fill(_)) {
        return Some(0);
    }
    let equal = |reader: &Value| graph.shape(*reader).elements() == graph.shape(value).elements();
    if !is_cheap(op) || !readers.iter().all(equal) {
        return None;
    }
    let mut stored = 0;
    let mut deepest = 0;
    for operand in &sight.operands[value.0 as usize] {
        let root = sight.root(*operand);
        match depths[root.0 as usize] {
            Some(depth) => deepest = deepest.max(depth),
            None if !is_pointwise(&graph.node(root).op) && sight.is_whole(graph, *operand) => stored += 1,
            None => return None,
        }
    }
    (stored <= 1 && deepest < DEEPEST).then_some(deepest + 1)
}

fn is_cheap(op: &Op) -> bool {
    matches!(op, Op::Multiply(_) | Op::Add(_) | Op::Negate(_) | Op::Sigmoid(_) | Op::Relu(_) | Op::Compare(_))
}
