//! A program: launches in the order of the plan, one arena, one run for all threads.
//!
//! A run sets the addresses of all rooms, copies the inputs to where the plan wants them, and lets every thread go through
//! the launches, with barriers where the plan says. Invariant: a run allocates nothing; outputs are copied only when they
//! are asked for.

use super::Cpu;
use super::compile::{Compiled, Port, compile};
use super::frame::{Address, Frame, Home, Launch, Place};
use super::pool::Pool;
use super::view::View;
use crate::exec::{ExecError, Layout, Memory, Program};
use crate::graph::Graph;
use crate::op::Context;
use crate::plan::{Cost, Plan, cost, plan, words};
use crate::shape::Kind;
use crate::tensor::{Tensor, Values};
use std::sync::Arc;
use std::time::Instant;

/// A graph made ready for the threads of a [`Cpu`].
pub struct CpuProgram {
    pool: Arc<Pool>,
    compiled: Compiled,
    plan: Plan,
    arena: Vec<f32>,
    /// Words before the first line of the arena.
    skipped: usize,
    constants: Vec<f32>,
    frame: Frame,
    words: [usize; 3],
    clock: Option<Vec<f64>>,
}

/// What a program of this executor would cost, without room for it.
///
/// # Errors
/// As [`crate::exec::Executor::prepare`].
pub(super) fn measure(graph: &Graph, layout: &Layout, threads: usize) -> Result<Cost, ExecError> {
    let compiled = compile(graph, layout, threads)?;
    Ok(cost(graph, 4 * words(&compiled.rooms, &compiled.work) as u64))
}

impl CpuProgram {
    /// Compiles, plans and makes room.
    pub(super) fn new(cpu: &Cpu, graph: &Graph, layout: &Layout) -> Result<Self, ExecError> {
        let mut compiled = compile(graph, layout, cpu.pool.threads())?;
        let plan = plan(&compiled.rooms, &compiled.work);
        let arena = vec![0.0; plan.words + crate::plan::LINE];
        let skipped = arena.as_ptr().align_offset(64).min(crate::plan::LINE);
        let constants = std::mem::take(&mut compiled.constants);
        let frame = Frame::new(compiled.rooms.len(), compiled.draws.len());
        let words = layout.words();
        Ok(Self {
            pool: Arc::clone(&cpu.pool),
            compiled,
            plan,
            arena,
            skipped,
            constants,
            frame,
            words,
            clock: None,
        })
    }

    /// From now on every launch is timed, one after the other; [`CpuProgram::times`] tells the sums.
    pub fn profile(&mut self) {
        self.clock = Some(vec![0.0; self.compiled.launches.len()]);
    }

    /// Milliseconds of every launch since [`CpuProgram::profile`], by name, in order of execution.
    pub fn times(&self) -> Vec<(String, f64)> {
        let times = self.clock.as_deref().unwrap_or_default();
        let order = self.plan.order.iter().filter(|at| **at < times.len());
        let name = |at: usize| format!("{} {}", self.compiled.names[at].0, self.compiled.names[at].1);
        order.map(|at| (name(*at), times[*at])).collect()
    }

    /// How many launches and barriers a run has.
    pub fn launches(&self) -> (usize, usize) {
        (self.plan.order.len(), self.plan.barriers.iter().filter(|b| **b).count())
    }

    fn set_bases(&mut self, memory: &mut Memory) {
        let arena = self.arena[self.skipped..].as_mut_ptr();
        let starts = self.plan.rooms.iter().zip(&self.compiled.homes);
        for (base, (start, home)) in self.frame.bases.iter_mut().zip(starts) {
            let (array, from) = match *home {
                Home::Arena => (arena, *start),
                Home::Constants(from) => (self.constants.as_mut_ptr(), from),
                Home::Parameters(from) => (memory.parameters.as_mut_ptr(), from),
                Home::Gradients(from) => (memory.gradients.as_mut_ptr(), from),
                Home::Twins(from) => (memory.twins.as_mut_ptr(), from),
                Home::States(from) => (memory.states.as_mut_ptr(), from),
                Home::Next(from) => (memory.next.as_mut_ptr(), from),
            };
            *base = Address(array.wrapping_add(from));
        }
    }

    /// The arrays are as long as the layout says; gradients and next states only if the program writes some.
    fn check(&self, memory: &Memory) -> Result<(), ExecError> {
        let [parameters, twins, states] = self.words;
        let trains = self.compiled.homes.iter().any(|home| matches!(home, Home::Gradients(_)));
        let gradients = if trains { parameters } else { 0 };
        let advances = self.compiled.homes.iter().any(|home| matches!(home, Home::Next(_)));
        let next = if advances { states } else { 0 };
        for (name, found, expected) in [
            ("parameters", memory.parameters.len(), parameters),
            ("gradients", memory.gradients.len(), gradients),
            ("twins", memory.twins.len(), twins),
            ("states", memory.states.len(), states),
            ("next states", memory.next.len(), next),
        ] {
            if found < expected {
                let [expected, found] = [expected, found].map(|words| format!("{words} words"));
                return Err(ExecError::Place { name: name.to_string(), expected, found });
            }
        }
        Ok(())
    }

    fn write_inputs(&mut self, inputs: &[(&str, &Tensor)]) -> Result<(), ExecError> {
        for port in &self.compiled.inputs {
            let given = inputs.iter().find(|(name, _)| *name == port.name);
            let (_, tensor) = given.ok_or_else(|| ExecError::Missing(port.name.clone()))?;
            fits(port, tensor)?;
            let view = self.frame.view(port.place);
            match &tensor.values {
                Values::Floats(numbers) => view.write().copy_from_slice(numbers),
                Values::Ids(ids) => view.write_ids().copy_from_slice(ids),
            }
        }
        Ok(())
    }

    /// Draws and schedules of the step.
    fn set_step(&mut self, context: &Context) {
        for (stream, draw) in self.frame.streams.iter_mut().zip(&self.compiled.draws) {
            *stream = context.stream(draw);
        }
        for (place, schedule) in &self.compiled.clocks {
            self.frame.view(*place).write()[0] = schedule.at(context.step, context.time) as f32;
        }
    }

    /// The scratch of a work.
    fn scratch(&self, at: usize) -> View {
        let words = self.compiled.work[at].scratch;
        let start = self.skipped + self.plan.scratch[at];
        // SAFETY: the plan places scratch inside the arena; only kernels of this run write there, as views allow.
        unsafe { View::new(self.arena.as_ptr().wrapping_add(start).cast_mut(), words) }
    }

    fn launch_all(&self) {
        self.pool.run(&|worker| {
            for (at, barrier) in self.plan.order.iter().zip(&self.plan.barriers) {
                if *barrier {
                    worker.barrier();
                }
                let launch: &Launch = &self.compiled.launches[*at];
                launch(worker, &self.frame, self.scratch(*at));
            }
        });
    }

    fn launch_timed(&self, times: &mut [f64]) {
        for at in &self.plan.order {
            let start = Instant::now();
            self.pool.run(&|worker| (self.compiled.launches[*at])(worker, &self.frame, self.scratch(*at)));
            times[*at] += start.elapsed().as_secs_f64() * 1e3;
        }
    }
}

/// The tensor is what the graph reads; a condition comes as numbers.
fn fits(port: &Port, tensor: &Tensor) -> Result<(), ExecError> {
    let ids = port.kind == Kind::Ids;
    if port.dims == tensor.dims && ids == (tensor.kind() == Kind::Ids) && len(tensor) == port.place.words {
        return Ok(());
    }
    let say = |dims: &[usize], ids: bool| format!("{}{dims:?}", if ids { "ids" } else { "numbers" });
    Err(ExecError::Input {
        name: port.name.clone(),
        expected: say(&port.dims, ids),
        found: say(&tensor.dims, tensor.kind() == Kind::Ids),
    })
}

fn len(tensor: &Tensor) -> usize {
    match &tensor.values {
        Values::Floats(numbers) => numbers.len(),
        Values::Ids(ids) => ids.len(),
    }
}

impl Program for CpuProgram {
    fn run(
        &mut self,
        memory: &mut Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
    ) -> Result<(), ExecError> {
        self.check(memory)?;
        self.set_bases(memory);
        self.write_inputs(inputs)?;
        self.set_step(context);
        match self.clock.take() {
            None => self.launch_all(),
            Some(mut times) => {
                self.launch_timed(&mut times);
                self.clock = Some(times);
            }
        }
        match self.frame.fault() {
            None => Ok(()),
            Some((check, id)) => {
                let check = &self.compiled.checks[check];
                Err(ExecError::Index { path: check.path.clone(), id: i64::from(id), rows: check.rows })
            }
        }
    }

    fn output(&self, name: &str) -> Option<Tensor> {
        let port = self.compiled.outputs.iter().find(|port| port.name == name)?;
        let Place { room, offset, words } = port.place;
        let start = self.skipped + self.plan.rooms[room] + offset;
        let numbers = self.arena.get(start..start + words)?;
        Some(match port.kind {
            Kind::Ids => Tensor::ids(port.dims.clone(), numbers.iter().map(|x| x.to_bits() as i32).collect()),
            _ => Tensor::floats(port.dims.clone(), numbers.to_vec()),
        })
    }

    fn peak_bytes(&self) -> usize {
        self.plan.bytes()
    }
}
