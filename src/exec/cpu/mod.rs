//! The CPU executor: one arena of 4-byte words, fused kernels, one pool of threads that runs the whole step.
//!
//! ```text
//! graph ─▶ compile (views, units, launches) ─▶ plan (order, arena, barriers) ─▶ program ─▶ runs
//! ```
//! Kernels know views and workers, launches know places, the plan knows rooms. Digits do not depend on the number of
//! threads. Invariant: after `prepare` a run allocates nothing.

#[cfg(test)]
mod blocks;
mod compile;
mod frame;
pub mod kernel;
pub mod level;
mod math;
pub mod pool;
pub mod product;
mod program;
#[cfg(test)]
mod testing;
mod update;
pub mod view;

use crate::exec::{ExecError, Executor, Follow, Layout, Memory, Program, Update};
use crate::graph::Verified;
use crate::plan::Cost;
use level::Level;
use pool::Pool;
pub use program::CpuProgram;
use std::sync::Arc;

/// An executor with threads of its own.
pub struct Cpu {
    pool: Arc<Pool>,
    sums: update::Sums,
}

impl Cpu {
    /// With so many threads and the best instructions that the processor has.
    pub fn new(threads: usize) -> Self {
        Self::at_level(threads, Level::detect())
    }

    /// With instructions of a level, or less if the processor has less.
    pub fn at_level(threads: usize, level: Level) -> Self {
        Self { pool: Arc::new(Pool::new(threads, level)), sums: update::Sums::default() }
    }

    /// As `prepare`, with the profile still within reach.
    ///
    /// # Errors
    /// As `prepare`.
    pub fn program(&self, graph: &Verified, layout: &Layout) -> Result<CpuProgram, ExecError> {
        CpuProgram::new(self, graph, layout)
    }
}

impl Executor for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn prepare(&self, graph: &Verified, layout: &Layout) -> Result<Box<dyn Program>, ExecError> {
        Ok(Box::new(self.program(graph, layout)?))
    }

    fn cost(&self, graph: &Verified, layout: &Layout) -> Result<Cost, ExecError> {
        program::measure(graph, layout, self.pool.threads())
    }

    fn follow(&self, memory: &mut Memory, rates: &[Follow]) {
        update::follow(&self.pool, memory, rates);
    }

    fn update(&self, memory: &mut Memory, update: &Update) -> f64 {
        update::update(&self.pool, &self.sums, memory, update)
    }
}
