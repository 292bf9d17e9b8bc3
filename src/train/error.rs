//! What can stop a training run, and with which exit code.

use crate::exec::ExecError;
use crate::weights::WeightsError;
use chiasm_dsl::diagnostic::nearest;

/// Bytes for people.
pub fn bytes(n: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.iter().find(|(size, _)| n >= *size);
    unit.map_or(format!("{n} B"), |(size, name)| format!("{:.1} {name}", n as f64 / *size as f64))
}

fn remedy(fits: Option<usize>) -> String {
    match fits {
        Some(rows) => format!("the largest batch that fits is {rows}: write `batch = {rows}`"),
        None => "not even one row fits: choose a smaller model".to_string(),
    }
}

/// Why a stage could not be trained or measured.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A loss is not a number.
    #[error(
        "step {step}: `{name}` is {value}; training stopped and this step was not saved. Try a lower rate, a longer warm-up or `clip = 1`, then --resume"
    )]
    Diverged {
        /// The step, from 0.
        step: u64,
        /// Which loss.
        name: String,
        /// NaN or an infinity.
        value: f64,
    },
    /// A stage or task that the file does not have.
    #[error("there is no {what} `{name}`; {}", choice(name, .known))]
    Unknown {
        /// Stage or task.
        what: &'static str,
        /// As it was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Stages that start from each other, or derive each other's data.
    #[error(
        "the stage `{0}` needs itself: it starts, over others, from itself, or its own model derives its data"
    )]
    Circle(String),
    /// States that begin as values of each other.
    #[error("the states {} begin as values that read each other, so none can be the first; let one begin with an initial value", .0.join(", "))]
    Endless(Vec<String>),
    /// Something the language has and this version does not.
    #[error("{what} is not in this version; {instead}")]
    Later {
        /// What was asked for.
        what: String,
        /// What can be done.
        instead: String,
    },
    /// Two runs in one folder.
    #[error(
        "{folder} is in use by another run{owner}; wait for it, or give this one another folder with --out"
    )]
    InUse {
        /// The run folder.
        folder: String,
        /// ` (process 123)`, if known.
        owner: String,
    },
    /// A run folder that holds something already.
    #[error("{folder} holds a run already; go on with it by --resume, or give another folder with --out")]
    Occupied {
        /// The run folder.
        folder: String,
    },
    /// Nothing to go on with.
    #[error("there is nothing to resume: {0}")]
    NothingToResume(String),
    /// A checkpoint of another model, stage or recipe.
    #[error(
        "{path} was made by another {what} ({found}) than this one ({expected}); start a new run with --out, or use the file it was made from (spec.lock beside it)"
    )]
    Foreign {
        /// The checkpoint.
        path: String,
        /// What differs.
        what: &'static str,
        /// In the checkpoint.
        found: String,
        /// Here.
        expected: String,
    },
    /// A checkpoint's state.json cannot be understood.
    #[error("{path} cannot be understood: {reason}; remove that checkpoint to go on from the one before")]
    State {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A stage needs a finished one that is not there.
    #[error(
        "`{stage}` has no finished checkpoint in {folder}; train it first, or give its folder with --out"
    )]
    Untrained {
        /// The stage.
        stage: String,
        /// Where it was looked for.
        folder: String,
    },
    /// Derived data whose stage has no trained model.
    #[error(
        "{derived} needs the trained model of `{stage}`, which has no finished checkpoint in {folder}; train it first, or give its folder with --from"
    )]
    Underived {
        /// As the language writes it.
        derived: String,
        /// The stage.
        stage: String,
        /// Where it was looked for.
        folder: String,
    },
    /// A task reads what its stage does not hold.
    #[error(
        "task `{task}` reads `{path}`, which stage `{stage}` does not hold in that shape; train it there, or put the task on the stage that has it"
    )]
    NotHeld {
        /// The task.
        task: String,
        /// Its stage.
        stage: String,
        /// The parameter, twin or state.
        path: String,
    },
    /// The data holds fewer rows than one batch.
    #[error("the data of `{stage}` has {rows} rows, less than one batch of {batch}; choose a smaller batch")]
    TooFewRows {
        /// The stage.
        stage: String,
        /// Rows found.
        rows: usize,
        /// Rows a step.
        batch: usize,
    },
    /// A step that needs more memory than there is.
    #[error(
        "`{stage}` needs {} for a batch of {batch}, and {} are there; {}",
        bytes(*.needed), bytes(*.available), remedy(*.fits)
    )]
    TooLarge {
        /// The stage.
        stage: String,
        /// Rows a step.
        batch: usize,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that it may use.
        available: u64,
        /// The most rows that fit.
        fits: Option<usize>,
    },
    /// The data could not be read.
    #[error("{0}")]
    Data(String),
    /// The file system refused.
    #[error("cannot {doing} {path}: {source}")]
    File {
        /// The verb.
        doing: &'static str,
        /// The file or folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Passes gave no graph.
    #[error(transparent)]
    Pass(#[from] crate::pass::prepare::PrepareError),
    /// A task could not be run.
    #[error(transparent)]
    Task(#[from] crate::task::TaskError),
    /// Reading, writing or fitting tensors.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Running the graph.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

impl TrainError {
    /// The exit code of design: 1 the model or data is wrong, 2 the command line, 3 training stopped itself.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Diverged { .. } | Self::TooLarge { .. } => 3,
            Self::Unknown { .. } | Self::InUse { .. } | Self::Occupied { .. } | Self::NothingToResume(_) => 2,
            _ => 1,
        }
    }

    /// For `map_err` of file operations.
    pub fn file(doing: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { doing, path, source }
    }
}

/// What there is, the nearest first.
fn choice(wrong: &str, known: &[String]) -> String {
    let near = nearest(wrong, known.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    match known.is_empty() {
        true => "the file has none".into(),
        false => format!("{near}the file has {}", known.join(", ")),
    }
}
