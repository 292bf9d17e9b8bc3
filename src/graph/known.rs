//! Nodes by what they compute: what keeps equal nodes one node.
//!
//! Two nodes are equal if op and operands are. Invariant: a node that is found is equal to what was asked for.

use super::Graph;
use super::verify::leaf_name;
use crate::op::{Op, Value};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};

/// The nodes of a graph that have been seen.
#[derive(Debug, Default)]
pub struct Known(FxHashMap<u64, SmallVec<[Value; 2]>>);

impl Known {
    /// None, but room for those of a graph.
    pub fn with_room(nodes: usize) -> Self {
        Self(FxHashMap::with_capacity_and_hasher(nodes, FxBuildHasher))
    }

    /// A seen node of the graph that is equal.
    pub fn find(&self, graph: &Graph, op: &Op, operands: &[Value]) -> Option<Value> {
        let equal = |v: &&Value| graph.node(**v).op == *op && graph.operands(**v)[..] == *operands;
        self.0.get(&key(op, operands))?.iter().find(equal).copied()
    }

    /// Remembers a node.
    pub fn add(&mut self, op: &Op, operands: &[Value], node: Value) {
        self.0.entry(key(op, operands)).or_default().push(node);
    }
}

/// Equal for equal nodes. Leaves have no operands, but names.
fn key(op: &Op, operands: &[Value]) -> u64 {
    let mut hasher = FxHasher::default();
    (op.name(), leaf_name(op), operands).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Origin;
    use crate::op::{Exp, Input, Log};
    use crate::shape::Shape;

    #[test]
    fn finds_what_has_the_same_op_and_operands() {
        let (mut graph, mut known, origin) = (Graph::default(), Known::default(), Origin::default());
        let input = |name: &str| Op::from(Input { name: name.into(), shape: Shape::float([3usize]) });
        let mut add = |op: Op, operands: &[Value]| {
            let node = graph.add(op.clone(), operands, &origin).expect("fits");
            known.add(&op, operands, node);
            node
        };
        let (x, y) = (add(input("x"), &[]), add(input("y"), &[]));
        let exp = add(Exp.into(), &[y]);
        assert_eq!(known.find(&graph, &input("x"), &[]), Some(x));
        assert_eq!(known.find(&graph, &Exp.into(), &[y]), Some(exp));
        assert_eq!(known.find(&graph, &Exp.into(), &[x]), None);
        assert_eq!(known.find(&graph, &Log.into(), &[y]), None);
    }
}
