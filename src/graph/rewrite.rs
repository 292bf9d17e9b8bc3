//! Copying a graph node by node while a rule replaces some of the nodes: what most passes are.

use super::{Graph, Node};
use crate::op::Value;
use std::borrow::Cow;

/// Sees the copy, a node and its operands in the copy; gives what stands for the node, or `None` to copy it.
pub type Rewrite<'r> = dyn FnMut(&mut Graph, &Node, &[Value]) -> Option<Value> + 'r;

impl Graph {
    /// The graph with some nodes replaced, without what no output needs.
    ///
    /// The rule sees the copy, the old node and its operands in the copy; it may add nodes and names the value that stands
    /// for the node, or `None` to copy it. A replacement of another shape is not taken.
    #[must_use]
    pub fn rewrite(&self, rule: &mut Rewrite<'_>) -> Graph {
        let mut copy = self.empty();
        let mut moved: Vec<Value> = Vec::with_capacity(self.len());
        for value in self.values() {
            let node = self.node(value);
            let operands = self.operands_in(value, &moved);
            let replaced = rule(&mut copy, node, &operands).filter(|new| *copy.shape(*new) == node.shape);
            moved.push(replaced.unwrap_or_else(|| copy.place(self.shared(value), &operands)));
        }
        let outputs = self.outputs.iter().map(|(name, value)| (name.clone(), moved[value.0 as usize]));
        let outputs = outputs.collect();
        copy.into_outputs(outputs)
    }

    /// The graph without what no output needs: itself, if there is nothing of that kind.
    #[must_use]
    pub fn needed(&self) -> Cow<'_, Graph> {
        match self.below(self.outputs.iter().map(|(_, value)| *value)).contains(&false) {
            true => Cow::Owned(self.keep_outputs(self.outputs.clone())),
            false => Cow::Borrowed(self),
        }
    }
}
