//! Equal operations on equal operands become one.
//!
//! ```text
//! before                    after
//!   %1 = exp (%0)             %1 = exp (%0)
//!   %2 = exp (%0)             %3 = add (%1, %1)
//!   %3 = add (%1, %2)
//! ```
//!
//! Safe because an op's result follows from its attributes and operands alone: draws are addressed by their path, so two
//! draws of one path are one draw. The first of equal nodes stays, with its origin.

use crate::graph::{Graph, Known, Node};
use crate::op::Value;

/// The graph with every operation once.
#[must_use]
pub fn merge(graph: &Graph) -> Graph {
    let mut known = Known::with_room(graph.len());
    graph.rewrite(&mut |copy, node, operands| earlier(&mut known, copy, node, operands))
}

/// An equal node that is there already; if there is none, the one that will be made is remembered.
pub(super) fn earlier(known: &mut Known, copy: &Graph, node: &Node, operands: &[Value]) -> Option<Value> {
    let first = known.find(copy, &node.op, operands);
    if first.is_none() {
        known.add(&node.op, operands, Value(copy.len() as u32));
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_become_one_and_so_do_their_users() {
        let before = r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":["3"]}} () : float[3]
%1 = exp (%0) : float[3]  # a
%2 = exp (%0) : float[3]  # b
%3 = log (%1) : float[3]
%4 = log (%2) : float[3]
%5 = add (%3, %4) : float[3]
output y = %5
output z = %4
"#;
        let after = r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":["3"]}} () : float[3]
%1 = exp (%0) : float[3]  # a
%2 = log (%1) : float[3]
%3 = add (%2, %2) : float[3]
output y = %3
output z = %2
"#;
        assert_eq!(merge(&Graph::parse(before).expect("a graph")).to_string(), after);
    }

    #[test]
    fn draws_of_two_paths_stay_two() {
        let before = r#"%0 = uniform {"draw":{"path":"a","rows":false},"sizes":["3"]} () : float[3]
%1 = uniform {"draw":{"path":"b","rows":false},"sizes":["3"]} () : float[3]
%2 = add (%0, %1) : float[3]
output y = %2
"#;
        assert_eq!(merge(&Graph::parse(before).expect("a graph")).to_string(), before);
    }
}
