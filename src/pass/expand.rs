//! Operations that an executor lacks become smaller ones.
//!
//! ```text
//! before                            after, without a kernel for `linear`
//!   %3 = linear (%0, %1, %2)          %3 = matmul (%0, %1)
//!                                     %4 = add (%3, %2)
//! ```
//!
//! Safe because an op's own `expand` means the same as the op (a test compares the two for every op). An expansion that does
//! not fit, or that has another shape than the op, is not taken: the executor then says which op it lacks.

use crate::graph::{Builder, Graph};
use crate::op::Op;

/// An expansion may use ops that are lacking themselves; no chain of them is longer than this.
const DEEPEST: usize = 16;

/// The graph with all lacking ops expanded that can be.
#[must_use]
pub fn expand(graph: &Graph, lacks: &dyn Fn(&Op) -> bool) -> Graph {
    let mut graph = graph.needed();
    for _ in 0..DEEPEST {
        let Some(next) = expand_once(&graph, lacks) else { break };
        graph = next;
    }
    graph
}

/// `None` if nothing could be expanded.
fn expand_once(graph: &Graph, lacks: &dyn Fn(&Op) -> bool) -> Option<Graph> {
    let mut changed = false;
    let next = graph.rewrite(&mut |copy, node, operands| {
        if !lacks(&node.op) {
            return None;
        }
        let mut builder = Builder::new(copy, node.origin.clone());
        let value = node.op.expand(&mut builder, operands).filter(|_| builder.misfit.is_none())?;
        changed |= *copy.shape(value) == node.shape;
        Some(value)
    });
    changed.then_some(next)
}
