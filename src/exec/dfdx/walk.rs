//! A graph made ready for dfdx, and its nodes computed one after the other.
//!
//! What dfdx lacks is expanded, and what it cannot run is refused before anything runs. Leaves come from the caller: the
//! executor brings them from the host's memory, an embedded model from tensors that are on a tape already.
//! Invariant: a value is kept until its last reader, an output until the end.

use super::ops::{self, Work};
use super::trail::Trail;
use super::value::{Done, Engine, Held};
use crate::exec::{ExecError, check, life};
use crate::graph::{Graph, Node, Verified};
use crate::op::{Array, Context, Op, Value};
use crate::pass::{expand, merge};
use crate::shape::Kind;

/// A graph made ready.
pub struct Walk {
    /// Without ops that dfdx lacks.
    pub graph: Graph,
    executor: &'static str,
    /// Values that are read for the last time by each node.
    dropped: Vec<Vec<Value>>,
    /// Whether a value carries a gradient.
    carries: Vec<bool>,
}

/// What each node's value is, where it is still there.
pub type Found<D> = Vec<Option<Held<D>>>;

impl Walk {
    /// Expands what dfdx lacks and checks that the rest can be run, with gradients for the leaves that carry them.
    ///
    /// # Errors
    /// A size that is not known, an op that dfdx cannot run or not differentiate.
    pub fn new(
        graph: &Verified,
        executor: &'static str,
        carrying: &dyn Fn(&Op) -> bool,
    ) -> Result<Self, ExecError> {
        check::bound(graph)?;
        let graph = merge(&expand(graph, &ops::lacks));
        let carries = carriers(&graph, carrying);
        runnable(executor, &graph, &carries)?;
        let dropped = life::last_uses(&graph);
        Ok(Self { graph, executor, dropped, carries })
    }

    /// What dfdx says of a node.
    pub fn failed(&self, node: &Node, message: String) -> ExecError {
        let (op, path) = (node.op.name(), node.origin.path.to_string());
        ExecError::Failed { executor: self.executor, op, path, message }
    }

    /// All nodes; `leaf` gives the value of those that lie outside of the graph, and nothing for the others.
    ///
    /// # Errors
    /// Those of the leaves, an id out of range, what dfdx says.
    pub fn run<D: Engine>(
        &self,
        trail: &mut Trail<D>,
        context: &Context,
        leaf: &mut dyn FnMut(&mut Trail<D>, &Node) -> Result<Option<Done<Held<D>>>, ExecError>,
    ) -> Result<Found<D>, ExecError> {
        let mut found: Found<D> = vec![None; self.graph.len()];
        for value in self.graph.values() {
            let node = self.graph.node(value);
            let held = match leaf(trail, node)? {
                Some(held) => held,
                None => {
                    let operands = self.graph.operands(value);
                    let operands: Vec<&Held<D>> =
                        operands.iter().filter_map(|v| found[v.0 as usize].as_ref()).collect();
                    indices(node, &operands)?;
                    Work { trail: &mut *trail, context }.value(node, &operands)
                }
            };
            found[value.0 as usize] = Some(held.map_err(|message| self.failed(node, message))?);
            self.dropped[value.0 as usize].iter().for_each(|v| found[v.0 as usize] = None);
        }
        Ok(found)
    }

    /// An estimate: dfdx allocates as it goes. Values on the tape are kept, each with its gradient; others until their last use.
    pub fn peak_bytes(&self) -> usize {
        let bytes = |value: Value| self.graph.shape(value).elements() * size_of::<f32>();
        let taped = |value: &Value| self.carries[value.0 as usize];
        let kept: usize = self.graph.values().filter(taped).map(|value| 2 * bytes(value)).sum();
        let passing = |value: Value| if taped(&value) { 0 } else { bytes(value) };
        kept + life::peak(&self.graph, &self.dropped, passing)
    }
}

/// Which values depend on a leaf that carries a gradient.
fn carriers(graph: &Graph, carrying: &dyn Fn(&Op) -> bool) -> Vec<bool> {
    let mut carries = vec![false; graph.len()];
    for value in graph.values() {
        let node = graph.node(value);
        carries[value.0 as usize] = match &node.op {
            op if ops::ends_gradients(op) || node.shape.kind != Kind::Float => false,
            op if graph.operands(value).is_empty() => carrying(op),
            _ => graph.operands(value).iter().any(|operand| carries[operand.0 as usize]),
        };
    }
    carries
}

/// Says of the first node that dfdx cannot run, or not differentiate, which it is and why.
fn runnable(executor: &'static str, graph: &Graph, carries: &[bool]) -> Result<(), ExecError> {
    for value in graph.values() {
        let node = graph.node(value);
        let no_way_back =
            || "no gradient comes back through what dfdx lacks and the definition computes".to_string();
        let beyond = (node.shape.kind == Kind::Float).then(|| ops::beyond(&node.shape)).flatten();
        let lost = carries[value.0 as usize] && ops::by_definition(&node.op);
        if let Some(why) = beyond.or_else(|| lost.then(no_way_back)) {
            let (op, path) = (node.op.name(), node.origin.path.to_string());
            return Err(ExecError::Beyond { executor, op, path, why });
        }
    }
    Ok(())
}

/// Every id that indexes a table is inside of it. Only the lengths of real operands are looked at.
fn indices<D: Engine>(node: &Node, operands: &[&Held<D>]) -> Result<(), ExecError> {
    if !matches!(node.op, Op::Take(_) | Op::SumBy(_) | Op::CrossEntropy(_) | Op::CrossEntropyGrad(_)) {
        return Ok(());
    }
    let lengths = |held: &&Held<D>| match held {
        Held::Steers(array) => array.clone(),
        Held::Real(real) => Array { dims: real.dims.clone(), data: Vec::new() },
    };
    let arrays: Vec<Array> = operands.iter().map(lengths).collect();
    check::indices(node, &arrays.iter().collect::<Vec<_>>())
}
