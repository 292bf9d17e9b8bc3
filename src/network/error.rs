//! What can stop a value from being computed.

use crate::exec::ExecError;
use crate::lower::Failure;
use crate::train::TrainError;
use crate::weights::WeightsError;

/// Why a network cannot be opened, or a value not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A name that the file does not have, or that is no tensor.
    #[error(transparent)]
    Value(#[from] Failure),
    /// An input that the file does not have.
    #[error("the file has no input `{name}`{}; it has {}", did_you_mean(.near), .known.join(", "))]
    UnknownInput {
        /// As it was given.
        name: String,
        /// The nearest.
        near: Option<String>,
        /// All inputs of the file.
        known: Vec<String>,
    },
    /// An input that the value reads and nobody gave.
    #[error("`{value}` reads the input `{name}`, {expected}, which was not given")]
    MissingInput {
        /// The value.
        value: String,
        /// The input.
        name: String,
        /// Its shape.
        expected: String,
    },
    /// An input of another shape or kind.
    #[error("the input `{name}` should be {expected}, but is {found}")]
    Shape {
        /// The input.
        name: String,
        /// By the file; capitals are numbers of rows.
        expected: String,
        /// As it was given.
        found: String,
    },
    /// Words whose used places nobody said.
    #[error(
        "the input `{name}` is padded: give texts, or rows of ids (`Input::Tokens`), or its lengths as `{lengths}`"
    )]
    Lengths {
        /// The input.
        name: String,
        /// The input that holds its lengths.
        lengths: String,
    },
    /// Pictures for words, or the reverse.
    #[error("the input `{name}`, {expected}, cannot be read from {given}")]
    Unreadable {
        /// The input.
        name: String,
        /// Its shape.
        expected: String,
        /// What was given.
        given: &'static str,
    },
    /// A vocabulary or a text that cannot be used.
    #[error("{0}")]
    Words(String),
    /// A parameter that the model does not have.
    #[error("there is no parameter `{path}`{}", did_you_mean(.near))]
    UnknownParameter {
        /// As it was asked for.
        path: String,
        /// The nearest.
        near: Option<String>,
    },
    /// An executor that lost a value.
    #[error("`{value}` was not computed. This is a bug in chiasm; please report it with the file")]
    NoOutput {
        /// The value.
        value: String,
    },
    /// An unknown stage, or a folder without its checkpoint.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A checkpoint that lacks a parameter, or has it with another shape.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A graph that cannot be run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A graph that does not hold for these rows.
    #[error("this does not hold for so many rows: {0}")]
    Rows(#[from] crate::op::Misfit),
    /// Passes gave no graph.
    #[error(transparent)]
    Pass(#[from] crate::pass::prepare::PrepareError),
}

fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref().map_or(String::new(), |near| format!(" (did you mean `{near}`?)"))
}
