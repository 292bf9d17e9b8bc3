//! Tasks: protocols that measure a trained stage.
//!
//! | protocol | reads | finds |
//! |---|---|---|
//! | [`retrieval`] | a [`gallery`] | [`recall`] at k, both ways |
//! | [`zero_shot`] | a [`table`] with classes | accuracy |
//! | [`classify`] | a [`table`] | accuracy, VQA score |
//! | [`measure`] | a [`table`] | means |
//!
//! [`side`] runs a part of a graph over many rows, [`report`] is what is kept. Invariant: filled-up rows never reach a result.

pub mod classify;
pub mod gallery;
pub mod measure;
pub mod recall;
pub mod report;
pub mod retrieval;
pub mod side;
pub mod table;
pub mod zero_shot;

use crate::exec::ExecError;
use crate::lower::model::Task;
use crate::op::{Context, Misfit};
use crate::recipe::Timeline;

/// What draws and schedules of a task see.
fn context(task: &Task) -> Context {
    let time = Timeline { length: 0, epoch: 1 };
    Context { seed: task.seed, stage: task.name.clone(), step: 0, time, first_row: 0 }
}

/// Why a task could not be run.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A protocol of the language that this version does not have.
    #[error(
        "the task `{task}` asks for `{protocol}`, which this version cannot run yet; it can run `retrieval`, `zero_shot`, `classify` and `measure`"
    )]
    Later {
        /// The task.
        task: String,
        /// The protocol.
        protocol: String,
    },
    /// No data in the file and none on the command line.
    #[error("the task `{0}` names no data; write `data = …` in it")]
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
