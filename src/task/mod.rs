//! Tasks: protocols that measure a trained stage.
//!
//! | protocol | reads | finds |
//! |---|---|---|
//! | [`retrieval`] | a [`gallery`] | [`recall`] at k, both ways |
//! | [`zero_shot`] | a [`table`] with classes | accuracy |
//! | [`classify`] | a [`table`] | accuracy, VQA score |
//! | [`measure`] | a [`table`] | means |
//! | [`rank`] | [`subjects`] | the likeliest of given texts, and its worth as an answer |
//! | [`generate`] | [`subjects`] | texts, and their worth as [`captions`] or answers |
//!
//! [`side`] runs a part of a graph over many rows, [`report`] is what is kept. Invariant: filled-up rows never reach a result.

pub mod captions;
pub mod classify;
pub mod gallery;
pub mod generate;
pub mod measure;
pub mod rank;
pub mod recall;
pub mod report;
pub mod retrieval;
pub mod side;
pub mod subjects;
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
        "the task `{task}` asks for `{protocol}`, which this version cannot run yet; it can run `retrieval`, `zero_shot`, `classify`, `generate`, `rank` and `measure`"
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
    /// Written texts whose limits do not fit.
    #[error(
        "the task `{task}` cannot write: {reason}; choose another `max`, `min` or `prompt`, or give the input more places"
    )]
    Limits {
        /// The task.
        task: String,
        /// What does not fit what.
        reason: String,
    },
    /// Logits that differ from place to place by chance.
    #[error(
        "the logits of task `{task}` draw at random (in `{path}`), so what is written would have no meaning; replace that value in the task: `logits with {{ … }}`"
    )]
    Draws {
        /// The task.
        task: String,
        /// The origin of the draw.
        path: String,
    },
    /// Metrics that compare, and nothing to compare with.
    #[error("the task `{task}` reports `{metric}`, but its data has no `{column}` to compare with")]
    NoReferences {
        /// The task.
        task: String,
        /// The metric.
        metric: String,
        /// The column of the written input.
        column: String,
    },
    /// Running the graph.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// Passes gave no graph.
    #[error(transparent)]
    Pass(#[from] crate::pass::prepare::PrepareError),
}
