//! Plans to numbers: what an executor is, and what outlives a step.
//!
//! [`Executor::prepare`] turns a verified, bound graph into a [`Program`]; a program runs against a [`Memory`] that holds
//! parameters, gradients, moments, twins and states as flat arrays. Outputs named `grad/<path>` land in the memory's
//! gradients, outputs named `next/<state>` in its next states, outputs named `keep/<state>` in the states themselves, where they are
//! all that reads the state; all other outputs can be read after a run.
//! Invariant: after `prepare` a run of the planned executors allocates nothing.

use crate::graph::Verified;
use crate::op::Context;
use crate::pass::prepare::Backward;
use crate::plan::Cost;
use crate::recipe::Method;
use crate::tensor::Tensor;

pub(crate) mod check;
pub mod cpu;
pub mod dfdx;
pub(crate) mod leaf;
mod life;
pub mod memory;
pub mod reference;
pub use memory::{Layout, Memory, Slot};

/// What can go wrong between a verified graph and its numbers.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// An op without kernel and expansion.
    #[error(
        "the {executor} executor has no kernel for `{op}` (at {path}); use another executor with --device"
    )]
    Unsupported {
        /// Which executor.
        executor: &'static str,
        /// Which op.
        op: &'static str,
        /// The origin of the node.
        path: String,
    },
    /// An op that the executor has, but not like this.
    #[error(
        "the {executor} executor cannot run `{op}` (at {path}): {why}; use another executor with --device"
    )]
    Beyond {
        /// Which executor.
        executor: &'static str,
        /// Which op.
        op: &'static str,
        /// The origin of the node.
        path: String,
        /// What is in the way.
        why: String,
    },
    /// A device that failed while it ran.
    #[error("the {executor} executor failed at `{op}` (at {path}): {message}; is there memory left?")]
    Failed {
        /// Which executor.
        executor: &'static str,
        /// Which op.
        op: &'static str,
        /// The origin of the node.
        path: String,
        /// What the device says.
        message: String,
    },
    /// A device that is not there.
    #[error("the {executor} executor found no device: {message}; use another executor with --device")]
    NoDevice {
        /// Which executor.
        executor: &'static str,
        /// What its library says.
        message: String,
    },
    /// A batch symbol was left in the graph.
    #[error("the size of `{path}` is not known: {shape}; give the batch size before preparing")]
    Unbound {
        /// The origin of the node.
        path: String,
        /// Its shape.
        shape: String,
    },
    /// An input that the graph reads was not given.
    #[error("the input `{0}` was not given")]
    Missing(String),
    /// An input of the wrong shape or kind.
    #[error("the input `{name}` should be {expected}, but is {found}")]
    Input {
        /// Which input.
        name: String,
        /// By the graph.
        expected: String,
        /// By the caller.
        found: String,
    },
    /// A parameter, twin or state for which the memory has no fitting place.
    #[error("`{name}` should be {expected} in memory, but is {found}")]
    Place {
        /// Its path, key or name.
        name: String,
        /// By the graph.
        expected: String,
        /// By the layout.
        found: String,
    },
    /// An id outside of the table it indexes.
    #[error("`{path}`: the id {id} is outside of a table of {rows} rows")]
    Index {
        /// The origin of the node.
        path: String,
        /// The id found.
        id: i64,
        /// Rows of the table.
        rows: usize,
    },
    /// The graph breaks an op's constraint after binding.
    #[error(transparent)]
    Misfit(#[from] crate::op::Misfit),
}

/// The executors of this version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// Planned, with SIMD and threads.
    #[default]
    Cpu,
    /// Plain and slow: the definition.
    Reference,
    /// dfdx's tensors and tape on the CPU.
    Dfdx,
    /// The same on a GPU, in a binary with the feature `dfdx-cuda`.
    DfdxCuda,
}

/// Something that runs graphs.
pub trait Executor: Send + Sync {
    /// Its name for `--device`.
    fn name(&self) -> &'static str;

    /// How it comes to gradients, and so which graph of a stage it is handed.
    fn backward(&self) -> Backward {
        Backward::Graph
    }

    /// Makes a bound graph ready to run with memories of a layout.
    ///
    /// # Errors
    /// An op that cannot be run, or a size that is not known.
    fn prepare(&self, graph: &Verified, layout: &Layout) -> Result<Box<dyn Program>, ExecError>;

    /// What a run of a graph costs here; nothing is made. Its peak is the prepared program's `peak_bytes`.
    ///
    /// # Errors
    /// As `prepare`.
    fn cost(&self, graph: &Verified, layout: &Layout) -> Result<Cost, ExecError>;

    /// Moves the twins: `twin = rate * twin + (1 - rate) * original`, one rate a momentum definition.
    fn follow(&self, memory: &mut Memory, rates: &[Follow]);

    /// One step of an optimiser over the gradients in memory, which are lost; returns their global norm before clipping.
    fn update(&self, memory: &mut Memory, update: &Update) -> f64;
}

/// A graph made ready.
pub trait Program: Send {
    /// One run. Inputs are found by name; draws and schedules follow from the context.
    ///
    /// # Errors
    /// A missing or unfitting input, an id out of range.
    fn run(
        &mut self,
        memory: &mut Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
    ) -> Result<(), ExecError>;

    /// A named output of the last run.
    fn output(&self, name: &str) -> Option<Tensor>;

    /// Bytes of values between the first and the last op: planned, and equal to what a run uses.
    fn peak_bytes(&self) -> usize;
}

/// How one run of twins follows its originals.
#[derive(Clone, Debug, PartialEq)]
pub struct Follow {
    /// Twins whose paths begin with this (`slow/`).
    pub prefix: String,
    /// The momentum at this step.
    pub rate: f64,
}

/// One step of an optimiser over flat memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// What a gradient does to its parameter.
    pub method: Method,
    /// Learning rate at this step.
    pub rate: f64,
    /// How many steps were made, this one included (for the bias corrections).
    pub count: u64,
    /// Largest global norm of the gradients.
    pub clip: Option<f64>,
    /// What moves, in memory order.
    pub groups: Vec<Group>,
}

impl Update {
    /// What gradients of a norm are multiplied with before anything else.
    pub fn scale(&self, norm: f64) -> f64 {
        self.clip.map_or(1.0, |clip| (clip / (norm + 1e-6)).min(1.0))
    }
}

/// A run of parameters treated alike; of LAMB and Adafactor, which look at whole tensors, one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Words `start..end` of the flat parameters.
    pub start: usize,
    /// One past the last word.
    pub end: usize,
    /// Words of a row, if it is a matrix whose second moment Adafactor keeps by row and by column.
    pub factored: Option<usize>,
    /// Weight decay.
    pub decay: f64,
    /// Times the learning rate.
    pub factor: f64,
    /// Range that the parameter is brought into after the step.
    pub clamp: Option<(f64, f64)>,
}

impl Group {
    /// Adafactor keeps second moments of a matrix by row and by column if both are at least this many.
    const LEAST_FACTORED: usize = 32;

    /// A parameter of these axes that begins at a word.
    pub fn new(start: usize, dims: &[usize]) -> Self {
        let factored = match dims {
            [rows, width] if *rows.min(width) >= Self::LEAST_FACTORED => Some(*width),
            _ => None,
        };
        let end = start + dims.iter().product::<usize>();
        Self { start, end, factored, decay: 0.0, factor: 1.0, clamp: None }
    }
}

/// The constants of Adafactor.
pub mod adafactor {
    /// Added to the square of every gradient.
    pub const EPS: f64 = 1e-30;

    /// How much of the second moment a step keeps: `1 - t^-0.8`, at most `most`; steps count from 1.
    pub fn keep(count: u64, most: f64) -> f64 {
        (1.0 - (count as f64).powf(-0.8)).min(most)
    }
}
