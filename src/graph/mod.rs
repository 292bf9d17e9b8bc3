//! The graph: the one intermediate form, on petgraph.
//!
//! A node has one output, an op, a shape and an origin; edges carry operand positions. Nodes are only ever added after
//! their operands, so the order of indices is an order of execution. Outputs are nodes with names.
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
use std::sync::Arc;

mod builder;
mod rewrite;
mod text;
mod verify;
pub use builder::Builder;
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

/// A directed acyclic graph of nodes.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: DiGraph<Node, usize>,
    outputs: Vec<(String, Value)>,
}

impl Graph {
    /// Adds a node; its shape follows from the operands.
    ///
    /// # Errors
    /// The constraint of the op that the operands break.
    pub fn add(&mut self, op: impl Into<Op>, operands: &[Value], origin: &Origin) -> Result<Value, Misfit> {
        let op = op.into();
        let shapes: Vec<&Shape> = operands.iter().map(|v| self.shape(*v)).collect();
        let shape = op.infer(&shapes)?;
        let index = self.nodes.add_node(Node { op, shape, origin: origin.clone() });
        for (position, operand) in operands.iter().enumerate() {
            self.nodes.add_edge(NodeIndex::new(operand.0 as usize), index, position);
        }
        Ok(Value(index.index() as u32))
    }

    /// Gives a value a name by which it can be asked for. A name given before is moved.
    pub fn name(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        self.outputs.retain(|(known, _)| *known != name);
        self.outputs.push((name, value));
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
    pub fn operands(&self, value: Value) -> Vec<Value> {
        let edges = self.nodes.edges_directed(NodeIndex::new(value.0 as usize), Direction::Incoming);
        let mut operands: Vec<(usize, Value)> =
            edges.map(|e| (*e.weight(), Value(e.source().index() as u32))).collect();
        operands.sort_unstable_by_key(|(position, _)| *position);
        operands.into_iter().map(|(_, value)| value).collect()
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

    /// The graph with batch symbols replaced.
    ///
    /// # Errors
    /// A misfit, if an op holds only for other sizes.
    pub fn bind(&self, batch: &Batch) -> Result<Graph, Misfit> {
        let mut bound = Graph::default();
        for value in self.values() {
            let node = self.node(value);
            bound.add(node.op.bind(batch), &self.operands(value), &node.origin)?;
        }
        bound.outputs.clone_from(&self.outputs);
        Ok(bound)
    }

    /// The graph without what the named outputs do not need.
    pub fn keep(&self, names: &[&str]) -> Graph {
        let mut wanted = vec![false; self.len()];
        let named = |name: &str| names.contains(&name);
        self.outputs.iter().filter(|(n, _)| named(n)).for_each(|(_, v)| wanted[v.0 as usize] = true);
        for value in self.values().rev() {
            if wanted[value.0 as usize] {
                self.operands(value).iter().for_each(|v| wanted[v.0 as usize] = true);
            }
        }
        let mut kept = Graph::default();
        let mut moved = vec![Value(0); self.len()];
        for value in self.values().filter(|v| wanted[v.0 as usize]) {
            let index = kept.nodes.add_node(self.node(value).clone());
            for (position, operand) in self.operands(value).into_iter().enumerate() {
                kept.nodes.add_edge(NodeIndex::new(moved[operand.0 as usize].0 as usize), index, position);
            }
            moved[value.0 as usize] = Value(index.index() as u32);
        }
        for (name, value) in self.outputs.iter().filter(|(n, _)| named(n)) {
            kept.outputs.push((name.clone(), moved[value.0 as usize]));
        }
        kept
    }
}
