//! The order of graph passes: from a stage's forward graph to what an executor is handed.

use super::accumulate::{Pieces, Tangled, cut};
use super::{PassError, differentiate, fuse, mark, merge, simplify, tidy};
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
    /// Losses that cannot be accumulated.
    #[error(transparent)]
    Tangled(#[from] Tangled),
    /// A pass left the graph broken.
    #[error("the graph of `{0}` is broken: {1}. This is a bug in chiasm; please report it with the file")]
    Broken(String, String),
}

/// How an executor comes to gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backward {
    /// The graph computes them: outputs `grad/<path>`.
    #[default]
    Graph,
    /// It has a tape of its own: the graph only names the parameters, `tape/<path>`.
    Tape,
}

/// Forward and backward of a stage, for a batch; where batches are accumulated, for one piece.
///
/// # Errors
/// A graph that does not hold for the batch; losses that cannot be accumulated; a pass that broke it (a bug).
pub fn training(stage: &Stage, batch: &Batch, backward: Backward) -> Result<Verified, PrepareError> {
    whole(&stage.name, step(stage, batch, backward)?)
}

/// As [`training`], only to be measured: nothing will be computed, so it is not verified.
///
/// # Errors
/// As [`training`].
pub fn measured(stage: &Stage, batch: &Batch, backward: Backward) -> Result<Verified, PrepareError> {
    step(stage, batch, backward).map(Graph::assumed)
}

fn step(stage: &Stage, batch: &Batch, backward: Backward) -> Result<Graph, PrepareError> {
    let trained = trained(stage);
    let forward = match pieces(stage)? {
        Some(pieces) => pieces.piece.bind(batch)?,
        None => stage.graph.bind(batch)?,
    };
    // What a graph was made from is given back before the next one is made: a check is as long as the memory it touches.
    let fused = fuse(&forward);
    drop(forward);
    let wanted = |path: &str| trained.contains(path);
    match backward {
        Backward::Graph => {
            let gradients = differentiate(&fused, "objective", &wanted)?;
            drop(fused);
            Ok(tidy(&gradients))
        }
        Backward::Tape => Ok(merge(&simplify(&mark(&fused, "objective", &wanted)?, false))),
    }
}

/// What is needed of all pieces of an accumulated batch before the first is run, for one piece; none if there is nothing.
///
/// # Errors
/// As [`training`].
pub fn counts(stage: &Stage, batch: &Batch) -> Result<Option<Verified>, PrepareError> {
    match pieces(stage)? {
        Some(Pieces { counts, .. }) if !counts.is_empty() => {
            finish(&stage.name, fuse(&counts.bind(batch)?)).map(Some)
        }
        _ => Ok(None),
    }
}

fn trained(stage: &Stage) -> FxHashSet<&str> {
    stage.parameters.iter().filter(|p| p.trained).map(|p| p.path.as_str()).collect()
}

fn pieces(stage: &Stage) -> Result<Option<Pieces>, PrepareError> {
    if stage.accumulate == 1 {
        return Ok(None);
    }
    let trained = trained(stage);
    Ok(Some(cut(&stage.graph, stage.accumulate, &|path| trained.contains(path))?))
}

/// Forward only, of a bound graph.
///
/// # Errors
/// A pass that broke it (a bug).
pub fn evaluation(name: &str, graph: &Graph) -> Result<Verified, PrepareError> {
    finish(name, fuse(graph))
}

/// Forward only, of a bound graph, for a caller's tape: `stop` stays, for the tape has to end there.
///
/// # Errors
/// A pass that broke it (a bug).
pub fn embedding(name: &str, graph: &Graph) -> Result<Verified, PrepareError> {
    whole(name, merge(&simplify(&fuse(graph), false)))
}

/// The value with which a state begins, for a batch: its output `start`.
///
/// # Errors
/// A graph that does not hold for the batch; a pass that broke it (a bug).
pub fn start(state: &str, graph: &Graph, batch: &Batch) -> Result<Verified, PrepareError> {
    finish(state, fuse(&graph.bind(batch)?))
}

fn finish(name: &str, graph: Graph) -> Result<Verified, PrepareError> {
    whole(name, tidy(&graph))
}

fn whole(name: &str, graph: Graph) -> Result<Verified, PrepareError> {
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
