//! Copying a graph node by node while a rule replaces some of the nodes: what most passes are.

use super::{Graph, Node, Origin};
use crate::op::{Op, Value};
use crate::shape::Shape;
use petgraph::graph::NodeIndex;

/// Sees the copy, a node and its operands in the copy; gives what stands for the node, or `None` to copy it.
pub type Rewrite<'r> = dyn FnMut(&mut Graph, &Node, &[Value]) -> Option<Value> + 'r;

impl Graph {
    /// The graph with some nodes replaced, without what no output needs.
    ///
    /// The rule sees the copy, the old node and its operands in the copy; it may add nodes and names the value that stands
    /// for the node, or `None` to copy it. A replacement of another shape is not taken.
    #[must_use]
    pub fn rewrite(&self, rule: &mut Rewrite<'_>) -> Graph {
        let mut copy = Graph::default();
        let mut moved: Vec<Value> = Vec::with_capacity(self.len());
        for value in self.values() {
            let node = self.node(value);
            let operands: Vec<Value> = self.operands(value).iter().map(|v| moved[v.0 as usize]).collect();
            let replaced = rule(&mut copy, node, &operands).filter(|new| *copy.shape(*new) == node.shape);
            let new = replaced
                .unwrap_or_else(|| copy.place(node.op.clone(), &operands, node.shape.clone(), &node.origin));
            moved.push(new);
        }
        for (name, value) in &self.outputs {
            copy.name(name.clone(), moved[value.0 as usize]);
        }
        copy.needed()
    }

    /// The graph without what no output needs.
    #[must_use]
    pub fn needed(&self) -> Graph {
        let names: Vec<&str> = self.outputs.iter().map(|(name, _)| name.as_str()).collect();
        self.keep(&names)
    }

    /// Adds a node with its shape as given.
    pub(super) fn place(&mut self, op: Op, operands: &[Value], shape: Shape, origin: &Origin) -> Value {
        let index = self.nodes.add_node(Node { op, shape, origin: origin.clone() });
        for (position, operand) in operands.iter().enumerate() {
            self.nodes.add_edge(NodeIndex::new(operand.0 as usize), index, position);
        }
        Value(index.index() as u32)
    }
}
