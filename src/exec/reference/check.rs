//! What is checked before numbers are touched: sizes, places in memory, and ids that index a table.

use super::super::{ExecError, Layout, Slot};
use crate::graph::{Graph, Node};
use crate::op::{Array, Op};
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

/// Every id that indexes a table is inside of it.
pub fn indices(node: &Node, operands: &[&Array]) -> Result<(), ExecError> {
    let (ids, rows, ignored) = match &node.op {
        Op::Take(_) => (operands[1], operands[0].dims.first().copied().unwrap_or(0), None),
        Op::SumBy(sum) => (operands[1], sum.rows.len(), None),
        Op::CrossEntropy(_) | Op::CrossEntropyGrad(_) => (operands[1], operands[0].width(), Some(-100.0)),
        _ => return Ok(()),
    };
    // Soft targets have the rank of the logits and are no ids.
    let soft = ignored.is_some() && ids.dims.len() == operands[0].dims.len();
    let outside = |id: f64| Some(id) != ignored && !(0.0..rows as f64).contains(&id);
    match ids.data.iter().find(|id| outside(**id)) {
        Some(id) if !soft => {
            Err(ExecError::Index { path: node.origin.path.to_string(), id: *id as i64, rows })
        }
        _ => Ok(()),
    }
}
