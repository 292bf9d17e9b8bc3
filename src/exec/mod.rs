//! Plans to numbers: what an executor is, and what outlives a step.
//!
//! [`Executor::prepare`] turns a verified, bound graph into a [`Program`]; a program runs against a [`Memory`] that holds
//! parameters, gradients, moments, twins and states as flat arrays. Outputs named `grad/<path>` land in the memory's
//! gradients, outputs named `next/<state>` in its next states; all other outputs can be read after a run.
//! Invariant: after `prepare` a run of the planned executors allocates nothing.

use crate::graph::Verified;
use crate::op::Context;
use crate::plan::Cost;
use crate::tensor::Tensor;

pub mod cpu;
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
}

/// Something that runs graphs.
pub trait Executor: Send + Sync {
    /// Its name for `--device`.
    fn name(&self) -> &'static str;

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

    /// One AdamW step over the gradients in memory; returns the global norm of the gradients before clipping.
    fn adamw(&self, memory: &mut Memory, step: &AdamStep) -> f64;
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

/// One step of AdamW over flat memory.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate at this step.
    pub rate: f64,
    /// Decay of the moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub eps: f64,
    /// How many steps were made, this one included (for the bias corrections).
    pub count: u64,
    /// Largest global norm of the gradients.
    pub clip: Option<f64>,
    /// What moves, in memory order.
    pub groups: Vec<AdamGroup>,
}

/// A run of parameters treated alike.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamGroup {
    /// Words `start..end` of the flat parameters.
    pub start: usize,
    /// One past the last word.
    pub end: usize,
    /// Weight decay.
    pub decay: f64,
    /// Times the learning rate.
    pub factor: f64,
    /// Range that the parameter is brought into after the step.
    pub clamp: Option<(f64, f64)>,
}
