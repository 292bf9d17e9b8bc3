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
    let mut graph = graph.needed().into_owned();
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

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES: &str = r#"%0 = parameter {"path":"x","shape":{"kind":"float","sizes":["2","3"]}} () : float[2, 3]
%1 = parameter {"path":"g","shape":{"kind":"float","sizes":["3"]}} () : float[3]
"#;

    #[test]
    fn a_lacking_op_becomes_smaller_ones_in_its_place() {
        let before = format!(
            "{LEAVES}%2 = layer_norm {{\"eps\":0.5}} (%0, %1, %1) : float[2, 3]  # a.norm\noutput y = %2\n"
        );
        let after = format!(
            "{LEAVES}%2 = standardize {{\"eps\":0.5}} (%0) : float[2, 3]  # a.norm
%3 = multiply (%2, %1) : float[2, 3]  # a.norm
%4 = add (%3, %1) : float[2, 3]  # a.norm
output y = %4\n"
        );
        let graph = Graph::parse(&before).expect("a graph");
        assert_eq!(expand(&graph, &|op| op.name() == "layer_norm").to_string(), after);
        assert_eq!(expand(&graph, &|_| false).to_string(), before);
    }

    #[test]
    fn an_op_without_expansion_stays() {
        let before = format!("{LEAVES}%2 = add (%0, %1) : float[2, 3]\noutput y = %2\n");
        assert_eq!(expand(&Graph::parse(&before).expect("a graph"), &|_| true).to_string(), before);
    }
}
