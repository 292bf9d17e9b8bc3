//! [`simplify`](super::simplify) and [`merge`](super::merge) in one copy of the graph.
//!
//! ```text
//! before                            after
//!   %1 = reshape (reshape %0)         %1 = reshape (%0)
//!   %2 = reshape (%0)                 %2 = exp (%1)
//!   %3 = add (exp %1, exp %2)         %3 = add (%2, %2)
//! ```
//!
//! Gives what the one after the other gives: no rule of `simplify` asks whether two values are one.

use super::merge::earlier;
use super::simplify::simpler;
use crate::graph::{Graph, Known};
use crate::op::Value;

/// The graph without idle operations, and every operation once. For graphs that were differentiated or never will be.
#[must_use]
pub fn tidy(graph: &Graph) -> Graph {
    let mut known = Known::with_room(graph.len());
    graph.rewrite(&mut |copy, node, operands| {
        let before = copy.len();
        match simpler(copy, node, operands, true) {
            Some(new) if new.0 as usize >= before => Some(first(&mut known, copy, new)),
            Some(old) => Some(old),
            None => earlier(&mut known, copy, node, operands),
        }
    })
}

/// The first of the nodes that are equal to one which was just made.
fn first(known: &mut Known, copy: &Graph, new: Value) -> Value {
    let (node, operands) = (copy.node(new), copy.operands(new));
    known.find(copy, &node.op, &operands).unwrap_or_else(|| {
        known.add(&node.op, &operands, new);
        new
    })
}

#[cfg(test)]
mod tests {
    use super::super::{merge, simplify};
    use super::*;

    #[test]
    fn gives_what_simplify_and_merge_give() {
        let graph = Graph::parse(
            "%0 = parameter {\"path\":\"w\",\"shape\":{\"kind\":\"float\",\"sizes\":[\"2\",\"3\"]}} () : float[2, 3]
             %1 = reshape {\"sizes\":[\"6\"]} (%0) : float[6]
             %2 = reshape {\"sizes\":[\"3\",\"2\"]} (%1) : float[3, 2]
             %3 = reshape {\"sizes\":[\"3\",\"2\"]} (%0) : float[3, 2]
             %4 = exp (%2) : float[3, 2]
             %5 = exp (%3) : float[3, 2]
             %6 = add (%4, %5) : float[3, 2]
             %7 = stop (%6) : float[3, 2]
             output y = %7",
        );
        let graph = graph.expect("a graph");
        let tidied = tidy(&graph);
        assert_eq!(tidied.to_string(), merge(&simplify(&graph, true)).to_string());
        assert_eq!(tidied.len(), 4);
    }
}
