//! A writer of nodes that share one origin: what gradients, expansions and passes build with.

use super::{Graph, Origin};
use crate::op::{Build, Misfit, Op, Value};
use crate::shape::Shape;

/// Adds nodes to a graph under one origin and remembers the first misfit.
pub struct Builder<'a> {
    /// The graph that grows.
    pub graph: &'a mut Graph,
    /// Given to every new node.
    pub origin: Origin,
    /// The first node that did not fit; the builder's user must look at it.
    pub misfit: Option<Misfit>,
}

impl<'a> Builder<'a> {
    /// Writes to a graph.
    pub fn new(graph: &'a mut Graph, origin: Origin) -> Self {
        Self { graph, origin, misfit: None }
    }
}

impl Build for Builder<'_> {
    fn add(&mut self, op: Op, operands: &[Value]) -> Value {
        match self.graph.add(op, operands, &self.origin) {
            Ok(value) => value,
            Err(misfit) => {
                self.misfit.get_or_insert(misfit);
                operands.first().copied().unwrap_or(Value(0))
            }
        }
    }

    fn shape(&self, value: Value) -> Shape {
        self.graph.shape(value).clone()
    }
}
