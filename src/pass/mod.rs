//! Graph to graph, one file a pass. [`prepare`] lists their order.

pub mod partition;
pub mod prepare;

use crate::op::Misfit;

/// Why passes gave no graph.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// A graph that holds only for other batch sizes.
    #[error("the graph does not hold for this batch: {0}")]
    Misfit(#[from] Misfit),
    /// A pass left the graph broken.
    #[error("the graph of `{0}` is broken: {1}. This is a bug in chiasm; please report it with the file")]
    Broken(String, String),
}
