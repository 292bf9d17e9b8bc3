//! The order of graph passes: from a stage's forward graph to what an executor is handed.

use super::{PassError, differentiate, fuse, tidy};
use crate::graph::{Graph, Verified};
use crate::lower::model::Stage;
use crate::op::{Misfit, Op};
use crate::shape::Batch;
use rustc_hash::FxHashSet;

/// Why passes gave no graph.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A graph that holds only for other batch sizes.
    #[error("the graph does not hold for this batch: {0}")]
    Misfit(#[from] Misfit),
    /// A graph without gradient.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// A pass left the graph broken.
    #[error("the graph of `{0}` is broken: {1}. This is a bug in chiasm; please report it with the file")]
    Broken(String, String),
}

/// Forward and backward of a stage, for a batch.
///
/// # Errors
/// A graph that does not hold for the batch; a pass that broke it (a bug).
pub fn training(stage: &Stage, batch: &Batch) -> Result<Verified, PrepareError> {
    let forward = stage.graph.bind(batch)?;
    let trained: FxHashSet<&str> =
        stage.parameters.iter().filter(|p| p.trained).map(|p| p.path.as_str()).collect();
    let whole = differentiate(&fuse(&forward), "objective", &|path| trained.contains(path))?;
    finish(&stage.name, &whole)
}

/// Forward only, of a bound graph.
///
/// # Errors
/// A pass that broke it (a bug).
pub fn evaluation(name: &str, graph: &Graph) -> Result<Verified, PrepareError> {
    finish(name, &fuse(graph))
}

fn finish(name: &str, graph: &Graph) -> Result<Verified, PrepareError> {
    let graph = tidy(graph);
    graph.verify().map_err(|rules| PrepareError::Broken(name.to_string(), format!("{rules:?}")))
}

/// The names of the inputs that a graph reads.
pub fn inputs(graph: &Graph) -> Vec<String> {
    let name = |value| match &graph.node(value).op {
        Op::Input(input) => Some(input.name.clone()),
        _ => None,
    };
    graph.values().filter_map(name).collect()
}
