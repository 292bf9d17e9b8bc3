//! What can stop a call of an embedded model.

use crate::exec::ExecError;
use crate::network::NetworkError;
use crate::weights::WeightsError;

/// Why a model cannot be embedded, or a value not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// Names, inputs and shapes that do not fit the file; files that cannot be read or written.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// An op that dfdx cannot compute or not differentiate, an id outside of its table, a device that failed.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A value that was not named when the model was opened.
    #[error(
        "`{value}` was not named when the model was opened{}; it was opened for {}",
        .near.as_ref().map_or(String::new(), |near| format!(" (did you mean `{near}`?)")),
        .opened.join(", ")
    )]
    NotOpened {
        /// As it was asked for.
        value: String,
        /// The nearest.
        near: Option<String>,
        /// Those that were named.
        opened: Vec<String>,
    },
    /// A type with other constants than the file's sizes, or another number of axes.
    #[error("`{name}` is {found} in the file, but {expected} in the type of its tensor; change one of them")]
    Type {
        /// The value or input.
        name: String,
        /// By the type.
        expected: String,
        /// By the file.
        found: String,
    },
    /// Ids or conditions, where dfdx's real numbers are asked for.
    #[error("`{name}` is {found}, which is no tensor of real numbers; `Network::run` gives it")]
    NotReal {
        /// The value or input.
        name: String,
        /// By the file.
        found: String,
    },
    /// A tower reads more than its one input.
    #[error("`{value}` reads {}, but a tower has one input, `{input}`; use `Embedded::run`", .reads.join(", "))]
    Inputs {
        /// The value.
        value: String,
        /// The input of the tower.
        input: String,
        /// All inputs that the value reads.
        reads: Vec<String>,
    },
    /// An operation of emitted Rust with operands that it does not take.
    #[error("`{op}`: {message}")]
    Misfit {
        /// The operation.
        op: &'static str,
        /// Expected and found.
        message: String,
    },
    /// A result of another type than emitted Rust gives it.
    #[error(
        "`{op}` gives {found}, but the type of its result is {expected}; are the rows of all inputs as many?"
    )]
    Result {
        /// The operation.
        op: &'static str,
        /// By the type.
        expected: String,
        /// When it ran.
        found: String,
    },
    /// Weights that cannot be read or written; a parameter that is missing or of another shape, with both shapes.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Tensors in a file that the model has no place for.
    #[error("{path} has tensors that the model has no place for: {}; is it of another model?", .names.join(", "))]
    Extra {
        /// The file.
        path: String,
        /// Their names, the first ten.
        names: Vec<String>,
    },
    /// A device without memory.
    #[error("the dfdx device failed: {0}; is there memory left?")]
    Device(String),
}

impl EmbedError {
    /// What a device says.
    pub(super) fn device(error: impl std::fmt::Display) -> Self {
        Self::Device(error.to_string())
    }
}
