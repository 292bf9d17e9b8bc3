//! The order of graph passes: from a stage's forward graph to what an executor is handed.

use super::PassError;
use crate::graph::{Graph, Verified};
use crate::lower::model::Stage;
use crate::op::Op;
use crate::shape::Batch;

/// Forward and backward of a stage, for a batch.
///
/// # Errors
/// A graph that does not hold for the batch; a pass that broke it (a bug).
pub fn training(stage: &Stage, batch: &Batch) -> Result<Verified, PassError> {
    verify(&stage.name, stage.graph.bind(batch)?)
}

/// Forward only, of a bound graph.
///
/// # Errors
/// A pass that broke it (a bug).
pub fn evaluation(name: &str, graph: Graph) -> Result<Verified, PassError> {
    verify(name, graph)
}

/// The names of the inputs that a graph reads.
pub fn inputs(graph: &Graph) -> Vec<String> {
    let name = |value| match &graph.node(value).op {
        Op::Input(input) => Some(input.name.clone()),
        _ => None,
    };
    graph.values().filter_map(name).collect()
}

fn verify(name: &str, graph: Graph) -> Result<Verified, PassError> {
    graph.verify().map_err(|rules| PassError::Broken(name.to_string(), rules.join("; ")))
}
