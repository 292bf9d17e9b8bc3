//! The graph: the one intermediate form, on petgraph.
//!
//! A node has one output, an op, a shape and an origin; edges carry operand positions. Nodes are only ever added after
//! their operands, so the order of indices is an order of execution. Outputs are nodes with names. Graphs share the nodes
//! that a pass leaves as they are.
//! Invariant: what leaves this room is [`Verified`].
//!
//! ```
//! use chiasm::graph::{Graph, Origin};
//! use chiasm::op::{Exp, Input};
//! use chiasm::shape::{Shape, Size};
//! let mut graph = Graph::default();
//! let shape = Shape::float([Size::symbol("B"), Size::from(3usize)]);
//! let x = graph.add(Input { name: "x".into(), shape }, &[], &Origin::default()).unwrap();
//! let y = graph.add(Exp, &[x], &Origin::default()).unwrap();
//! graph.name("y", y);
//! assert_eq!(graph.shape(y).to_string(), "float[B, 3]");
//! ```

use crate::op::{Misfit, Op, Value};
use crate::shape::{Batch, Shape};
use chiasm_dsl::span::Span;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use std::collections::BTreeSet;
use std::sync::Arc;

mod builder;
mod known;
mod rewrite;
mod text;
mod verify;
pub use builder::Builder;
pub use known::Known;
pub use rewrite::Rewrite;
pub use text::{Reason, TextError};
pub use verify::{Breach, Fault, Verified};

/// Where a node comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// `fusion[3].cross`: definition, parts and indices.
    pub path: Arc<str>,
    /// The place in the user's file.
    pub place: Option<Span>,
    /// The modality of the value, for people.
    pub modality: Option<Arc<str>>,
}

/// An operation with its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// The shape of the result.
    pub shape: Shape,
    /// Where it comes from.
    pub origin: Origin,
}

/// The operands of a node; few enough to need no allocation.
pub type Operands = SmallVec<[Value; 6]>;

/// A directed acyclic graph of nodes.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: DiGraph<Arc<Node>, usize>,
    outputs: Vec<(String, Value)>,
}

impl Graph {
    /// Adds a node; its shape follows from the operands.
    ///
    /// # Errors
    /// The constraint of the op that the operands break.
    pub fn add(&mut self, op: impl Into<Op>, operands: &[Value], origin: &Origin) -> Result<Value, Misfit> {
        let op = op.into();
        let shape = self.infer(&op, operands)?;
        Ok(self.place(Arc::new(Node { op, shape, origin: origin.clone() }), operands))
    }

    fn infer(&self, op: &Op, operands: &[Value]) -> Result<Shape, Misfit> {
        let shapes: SmallVec<[&Shape; 6]> = operands.iter().map(|v| self.shape(*v)).collect();
        op.infer(&shapes)
    }

    /// Gives a value a name by which it can be asked for. A name given before is moved.
    pub fn name(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        self.outputs.retain(|(known, _)| *known != name);
        self.outputs.push((name, value));
    }

    /// As [`Graph::name`], of many values with names of their own.
    pub fn name_all(&mut self, names: Vec<(String, Value)>) {
        let new: FxHashSet<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        self.outputs.retain(|(known, _)| !new.contains(known.as_str()));
        self.outputs.extend(names);
    }

    /// The named values.
    pub fn outputs(&self) -> &[(String, Value)] {
        &self.outputs
    }

    /// The value of a name.
    pub fn output(&self, name: &str) -> Option<Value> {
        self.outputs.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// A node.
    pub fn node(&self, value: Value) -> &Node {
        &self.nodes[NodeIndex::new(value.0 as usize)]
    }

    /// The shape of a node.
    pub fn shape(&self, value: Value) -> &Shape {
        &self.node(value).shape
    }

    /// The operands of a node, in order.
    pub fn operands(&self, value: Value) -> Operands {
        let edges = self.nodes.edges_directed(NodeIndex::new(value.0 as usize), Direction::Incoming);
        let mut operands: Operands = edges.map(|e| Value(e.source().index() as u32)).collect();
        // A node gets its edges when it is placed, in order, and petgraph gives the last one first.
        operands.reverse();
        operands
    }

    /// The nodes that a node reads, in no order: for whoever only marks them.
    pub fn sources(&self, value: Value) -> impl Iterator<Item = Value> {
        let index = NodeIndex::new(value.0 as usize);
        self.nodes.neighbors_directed(index, Direction::Incoming).map(|source| Value(source.index() as u32))
    }

    /// The operands of a node as a copy of the graph has them, given where every value went.
    fn operands_in(&self, value: Value, moved: &[Value]) -> Operands {
        let mut operands = self.operands(value);
        operands.iter_mut().for_each(|v| *v = moved[v.0 as usize]);
        operands
    }

    /// Whether exactly one node reads a node.
    pub fn has_one_user(&self, value: Value) -> bool {
        let index = NodeIndex::new(value.0 as usize);
        let mut users = self.nodes.neighbors_directed(index, Direction::Outgoing);
        users.next().is_some_and(|first| users.all(|user| user == first))
    }

    /// The nodes that read a node, each once, in order.
    pub fn users(&self, value: Value) -> Vec<Value> {
        let index = NodeIndex::new(value.0 as usize);
        let mut users: Vec<Value> = self
            .nodes
            .neighbors_directed(index, Direction::Outgoing)
            .map(|n| Value(n.index() as u32))
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// All nodes, operands before users.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = Value> + use<> {
        (0..self.nodes.node_count() as u32).map(Value)
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.nodes.node_count()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether node for node the same is computed under the same names, wherever it comes from.
    pub fn computes(&self, other: &Graph) -> bool {
        let same = |value: Value| {
            let (mine, theirs) = (self.node(value), other.node(value));
            mine.op == theirs.op
                && mine.shape == theirs.shape
                && self.operands(value) == other.operands(value)
        };
        self.len() == other.len() && self.outputs == other.outputs && self.values().all(same)
    }

    /// The graph with batch symbols replaced, without what no output needs.
    ///
    /// # Errors
    /// A misfit, if an op holds only for other sizes.
    pub fn bind(&self, batch: &Batch) -> Result<Graph, Misfit> {
        let wanted = self.below(self.outputs.iter().map(|(_, value)| *value));
        let (mut bound, mut moved) = (self.empty(), vec![Value(0); self.len()]);
        for value in self.values().filter(|v| wanted[v.0 as usize]) {
            let node = self.node(value);
            let operands = self.operands_in(value, &moved);
            moved[value.0 as usize] = bound.add(node.op.bind(batch), &operands, &node.origin)?;
        }
        let outputs = self.outputs.iter().map(|(name, value)| (name.clone(), moved[value.0 as usize]));
        bound.outputs = outputs.collect();
        Ok(bound)
    }

    /// The graph without what the named outputs do not need.
    pub fn keep(&self, names: &[&str]) -> Graph {
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let outputs = self.outputs.iter().filter(|(name, _)| names.contains(name.as_str()));
        self.keep_outputs(outputs.cloned().collect())
    }

    /// As [`Graph::keep_outputs`], of a graph that is not needed any more.
    fn into_outputs(mut self, outputs: Vec<(String, Value)>) -> Graph {
        if self.below(outputs.iter().map(|(_, value)| *value)).contains(&false) {
            return self.keep_outputs(outputs);
        }
        self.outputs = outputs;
        self
    }

    fn keep_outputs(&self, outputs: Vec<(String, Value)>) -> Graph {
        let wanted = self.below(outputs.iter().map(|(_, value)| *value));
        let mut kept = self.empty();
        let mut moved = vec![Value(0); self.len()];
        for value in self.values().filter(|v| wanted[v.0 as usize]) {
            let operands = self.operands_in(value, &moved);
            moved[value.0 as usize] = kept.place(self.shared(value), &operands);
        }
        kept.outputs = outputs.into_iter().map(|(name, value)| (name, moved[value.0 as usize])).collect();
        kept
    }

    /// For every node, whether one of the given values depends on it.
    fn below(&self, values: impl Iterator<Item = Value>) -> Vec<bool> {
        let mut wanted = vec![false; self.len()];
        values.for_each(|value| wanted[value.0 as usize] = true);
        for value in self.values().rev() {
            if wanted[value.0 as usize] {
                self.sources(value).for_each(|v| wanted[v.0 as usize] = true);
            }
        }
        wanted
    }

    /// No nodes, but room for as many.
    fn empty(&self) -> Graph {
        let nodes = DiGraph::with_capacity(self.nodes.node_count(), self.nodes.edge_count());
        Graph { nodes, outputs: Vec::new() }
    }

    /// A node to put into another graph.
    pub(crate) fn shared(&self, value: Value) -> Arc<Node> {
        Arc::clone(&self.nodes[NodeIndex::new(value.0 as usize)])
    }

    /// Adds a node as it is.
    fn place(&mut self, node: Arc<Node>, operands: &[Value]) -> Value {
        let index = self.nodes.add_node(node);
        for (position, operand) in operands.iter().enumerate() {
            self.nodes.add_edge(NodeIndex::new(operand.0 as usize), index, position);
        }
        Value(index.index() as u32)
    }
}
