//! The reference executor: walks the graph in `f64`, without cleverness. What it gives is the definition.
//!
//! Every other executor is compared with it. Beside the [`Program`](super::Program) contract its programs give every output
//! in `f64` ([`Walk::array`]), gradients and next states too.
//!
//! ```
//! use chiasm::exec::{Layout, Memory, Program, reference::Reference};
//! use chiasm::{graph::Graph, op::Context, recipe::Timeline, tensor::Tensor};
//! let text = r#"%0 = input {"name":"x","shape":{"sizes":["2"],"kind":"float"}} () : float[2]
//!               %1 = add (%0, %0) : float[2]
//!               output y = %1"#;
//! let graph = Graph::parse(text).unwrap().verify().unwrap();
//! let mut program = Reference.program(&graph, &Layout::default()).unwrap();
//! let context = Context { seed: 1, stage: "s".into(), step: 0, time: Timeline { length: 1, epoch: 1 }, first_row: 0 };
//! program.run(&mut Memory::default(), &[("x", &Tensor::floats([2], vec![1.0, 2.0]))], &context).unwrap();
//! assert_eq!(program.array("y").unwrap().data, [2.0, 4.0]);
//! ```

use super::{ExecError, Executor, Follow, Layout, Memory, Program, Update, check};
use crate::graph::Verified;
use crate::plan::Cost;

mod optimise;
mod walk;
pub use walk::Walk;

/// The executor that defines what graphs mean.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Reference {
    /// Like [`Executor::prepare`], with the type kept.
    ///
    /// # Errors
    /// A size that is not known, or a leaf without a place in the layout.
    pub fn program(&self, graph: &Verified, layout: &Layout) -> Result<Walk, ExecError> {
        check::bound(graph)?;
        check::placed(graph, layout)?;
        Ok(Walk::new(graph.clone()))
    }
}

impl Executor for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn prepare(&self, graph: &Verified, layout: &Layout) -> Result<Box<dyn Program>, ExecError> {
        Ok(Box::new(self.program(graph, layout)?))
    }

    fn cost(&self, graph: &Verified, layout: &Layout) -> Result<Cost, ExecError> {
        let peak = self.program(graph, layout)?.peak_bytes() as u64;
        Ok(crate::plan::cost(graph, peak))
    }

    fn follow(&self, memory: &mut Memory, rates: &[Follow]) {
        rates.iter().for_each(|follow| optimise::follow(memory, follow));
    }

    fn update(&self, memory: &mut Memory, update: &Update) -> f64 {
        optimise::update(memory, update)
    }
}
