//! The dfdx executor: every real number is in a dfdx tensor, every gradient comes from dfdx's own tape.
//!
//! It exists for Rust programs that live in dfdx, and as a check of our backward that shares nothing with it. It plans
//! nothing and fuses nothing: `cpu` trains many times faster. Generic over dfdx's devices: `Cpu`, and `Cuda` with the
//! feature `dfdx-cuda`.
//!
//! ```
//! use chiasm::exec::{Layout, Memory, Program, Executor, dfdx::Dfdx};
//! use chiasm::{graph::Graph, op::Context, recipe::Timeline, tensor::Tensor};
//! let text = r#"%0 = input {"name":"x","shape":{"sizes":["2"],"kind":"float"}} () : float[2]
//!               %1 = add (%0, %0) : float[2]
//!               output y = %1"#;
//! let graph = Graph::parse(text).unwrap().verify().unwrap();
//! let mut program = Dfdx::cpu(1).prepare(&graph, &Layout::default()).unwrap();
//! let context = Context { seed: 1, stage: "s".into(), step: 0, time: Timeline { length: 1, epoch: 1 }, first_row: 0 };
//! program.run(&mut Memory::default(), &[("x", &Tensor::floats([2], vec![1.0, 2.0]))], &context).unwrap();
//! assert_eq!(program.output("y").unwrap().as_floats().unwrap(), [2.0, 4.0]);
//! ```

use super::{ExecError, Executor, Follow, Layout, Memory, Program, Update};
use crate::graph::Verified;
use crate::pass::prepare::Backward;
use crate::plan::Cost;
use device::Place;

mod device;
mod ops;
mod program;
mod trail;
mod value;
mod walk;
pub use program::DfdxProgram;
pub(crate) use trail::Trail;
pub use value::Engine;
pub(crate) use value::{Held, Real, seen};
pub(crate) use walk::Walk;

/// An executor on a device of dfdx.
pub struct Dfdx<D: Engine> {
    name: &'static str,
    place: Place<D>,
    /// Parameters and moments lie in the host's memory, and so they are moved there.
    host: super::cpu::Cpu,
}

impl Dfdx<dfdx::tensor::Cpu> {
    /// On dfdx's `Cpu`, with so many threads for products.
    pub fn cpu(threads: usize) -> Self {
        let place = Place::new(|_| Ok(dfdx::tensor::Cpu::default()), 0, threads);
        Self { name: "dfdx", place, host: super::cpu::Cpu::new(threads.max(1)) }
    }
}

#[cfg(feature = "dfdx-cuda")]
impl Dfdx<dfdx::tensor::Cuda> {
    /// On a GPU, by its number; the threads move parameters, on the host.
    ///
    /// # Errors
    /// There is no such GPU.
    pub fn cuda(ordinal: usize, threads: usize) -> Result<Self, ExecError> {
        let place = Place::new(|at| dfdx::tensor::Cuda::try_build(at, 0).map_err(value::said), ordinal, 1);
        let missing = |message| ExecError::NoDevice { executor: "dfdx-cuda", message };
        place.on_its_threads(|| place.device().map(drop)).map_err(missing)?;
        Ok(Self { name: "dfdx-cuda", place, host: super::cpu::Cpu::new(threads.max(1)) })
    }
}

/// On a GPU, by its number, if this binary can use one.
///
/// # Errors
/// There is no such GPU, or the binary was built without the feature `dfdx-cuda`.
pub fn on_gpu(ordinal: usize, threads: usize) -> Result<Box<dyn Executor>, ExecError> {
    #[cfg(feature = "dfdx-cuda")]
    return Ok(Box::new(Dfdx::cuda(ordinal, threads)?));
    #[cfg(not(feature = "dfdx-cuda"))]
    {
        let _ = (ordinal, threads);
        let message = "this binary was built without the feature `dfdx-cuda`".to_string();
        Err(ExecError::NoDevice { executor: "dfdx-cuda", message })
    }
}

impl<D: Engine> Dfdx<D> {
    fn program(&self, graph: &Verified, layout: &Layout) -> Result<DfdxProgram<D>, ExecError> {
        DfdxProgram::new(graph, layout, self.name, self.place.clone())
    }
}

impl<D: Engine> Executor for Dfdx<D> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn backward(&self) -> Backward {
        Backward::Tape
    }

    fn prepare(&self, graph: &Verified, layout: &Layout) -> Result<Box<dyn Program>, ExecError> {
        Ok(Box::new(self.program(graph, layout)?))
    }

    fn cost(&self, graph: &Verified, layout: &Layout) -> Result<Cost, ExecError> {
        let peak = self.program(graph, layout)?.peak_bytes() as u64;
        Ok(crate::plan::cost(graph, peak))
    }

    fn follow(&self, memory: &mut Memory, rates: &[Follow]) {
        self.host.follow(memory, rates);
    }

    fn update(&self, memory: &mut Memory, update: &Update) -> f64 {
        self.host.update(memory, update)
    }
}
