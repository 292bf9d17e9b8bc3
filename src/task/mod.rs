//! Tasks: protocols that measure a trained stage.
//!
//! [`retrieval`] is the protocol, [`recall`] its metric, [`gallery`] what it reads, [`side`] how a part of a graph is run over
//! many rows. Invariant: filled-up rows never reach a result.

pub mod gallery;
pub mod recall;
pub mod retrieval;
pub mod side;

use crate::exec::ExecError;
use crate::op::Misfit;

/// Why a task could not be run.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A protocol of the language that this version does not have.
    #[error(
        "the task `{task}` asks for `{protocol}`, which this version cannot run yet; it can run `retrieval`"
    )]
    Later {
        /// The task.
        task: String,
        /// The protocol.
        protocol: String,
    },
    /// No data in the file and none on the command line.
    #[error("the task `{0}` names no data; write `data = pairs(\"…\")` in it")]
    NoData(String),
    /// The data could not be read.
    #[error("{0}")]
    Data(String),
    /// A graph that does not hold for the batch.
    #[error("the task's graph does not hold for this batch: {0}")]
    Misfit(#[from] Misfit),
    /// Running the graph.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// Passes gave no graph.
    #[error(transparent)]
    Pass(#[from] crate::pass::prepare::PrepareError),
}
