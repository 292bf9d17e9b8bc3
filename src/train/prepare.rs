//! The order of graph passes: from a stage's forward graph to what an executor is handed.

use super::TrainError;
use crate::graph::{Graph, Verified};
use crate::lower::model::Stage;
use crate::shape::Batch;

/// Forward and backward of a stage, for a batch.
///
/// # Errors
/// A graph that does not hold for the batch; a pass that broke it (a bug).
pub fn for_training(stage: &Stage, batch: &Batch) -> Result<Verified, TrainError> {
    verify(&stage.name, stage.graph.bind(batch)?)
}

/// Forward only.
///
/// # Errors
/// As [`for_training`].
pub fn for_evaluation(name: &str, graph: &Graph, batch: &Batch) -> Result<Verified, TrainError> {
    verify(name, graph.bind(batch)?)
}

fn verify(name: &str, graph: Graph) -> Result<Verified, TrainError> {
    let broken = |rules: Vec<String>| TrainError::Broken(name.to_string(), "preparing", rules.join("; "));
    graph.verify().map_err(broken)
}
