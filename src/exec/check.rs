//! What is checked before numbers are touched: sizes, places in memory, and ids that index a table.

use super::{ExecError, Layout, Slot};
use crate::graph::{Graph, Node};
use crate::op::{Array, CrossEntropy, Op};
use crate::shape::{Kind, Shape};

/// Every size is a number.
pub fn bound(graph: &Graph) -> Result<(), ExecError> {
    let open = |shape: &Shape| shape.sizes.iter().any(|size| size.number().is_none());
    match graph.values().map(|value| graph.node(value)).find(|node| open(&node.shape)) {
        None => Ok(()),
        Some(node) => {
            Err(ExecError::Unbound { path: node.origin.path.to_string(), shape: node.shape.to_string() })
        }
    }
}

/// Every parameter, twin and state of the graph, and every next state, has a slot that fits.
pub fn placed(graph: &Graph, layout: &Layout) -> Result<(), ExecError> {
    for node in graph.values().map(|value| graph.node(value)) {
        match &node.op {
            Op::Parameter(leaf) => fits(&leaf.path, &node.shape, layout.parameters.get(&leaf.path))?,
            Op::Twin(leaf) => fits(&leaf.path, &node.shape, layout.twins.get(&leaf.path))?,
            Op::State(leaf) => fits(&leaf.name, &node.shape, layout.states.get(&leaf.name))?,
            _ => {}
        }
    }
    let next = graph.outputs().iter().filter_map(|(name, value)| Some((name.strip_prefix("next/")?, *value)));
    next.into_iter().try_for_each(|(name, value)| fits(name, graph.shape(value), layout.states.get(name)))
}

fn fits(name: &str, shape: &Shape, slot: Option<&Slot>) -> Result<(), ExecError> {
    let found = match slot {
        Some(slot) if slot.dims == shape.dims() && slot.ids == (shape.kind == Kind::Ids) => return Ok(()),
        Some(slot) => format!("{}{:?}", if slot.ids { "ids" } else { "float" }, slot.dims),
        None => "not there".to_string(),
    };
    Err(ExecError::Place { name: name.to_string(), expected: shape.to_string(), found })
}

/// Every id that indexes a table is inside of it; targets where the loss does not count are not looked at.
pub fn indices(node: &Node, operands: &[&Array]) -> Result<(), ExecError> {
    let outside = match &node.op {
        Op::Take(_) => first_outside(operands[1], operands[0].dims.first().copied().unwrap_or(0), |_| true),
        Op::SumBy(sum) => first_outside(operands[1], sum.rows.len(), |_| true),
        Op::CrossEntropy(loss) => targets_outside(loss, operands),
        Op::CrossEntropyGrad(gradient) => targets_outside(&gradient.of, operands),
        _ => None,
    };
    match outside {
        None => Ok(()),
        Some((id, rows)) => Err(ExecError::Index { path: node.origin.path.to_string(), id, rows }),
    }
}

/// Targets with the axes of the logits are probabilities.
fn targets_outside(loss: &CrossEntropy, operands: &[&Array]) -> Option<(i64, usize)> {
    let [logits, target] = [operands[0], operands[1]];
    if target.dims.len() == logits.dims.len() {
        return None;
    }
    first_outside(target, logits.width(), |position| loss.counts(operands, position))
}

fn first_outside(ids: &Array, rows: usize, counts: impl Fn(usize) -> bool) -> Option<(i64, usize)> {
    let outside = |(i, id): (usize, &f64)| !(0.0..rows as f64).contains(id) && counts(i);
    let found = ids.data.iter().enumerate().find(|at| outside((at.0, at.1)));
    found.map(|(_, id)| (*id as i64, rows))
}
