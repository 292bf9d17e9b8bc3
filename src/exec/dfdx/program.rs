//! A graph made ready for dfdx: node by node, then dfdx's tape backwards.
//!
//! Outputs named `tape/<path>` are parameters whose gradient of `objective` is wanted ([`mark`](crate::pass::mark)): they
//! are on the tape, and after the nodes the tape gives what memory keeps as their gradient. A graph that our own pass has
//! differentiated runs as any other, without the tape.

use super::device::Place;
use super::trail::Trail;
use super::value::{Done, Engine, Held, Real};
use super::walk::{Found, Walk};
use crate::exec::{ExecError, Layout, Memory, Program, check, leaf};
use crate::graph::{Node, Verified};
use crate::op::{Array, Context, Op};
use crate::shape::Kind;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, BTreeSet};

/// The name of the number whose gradient is wanted.
const OBJECTIVE: &str = "objective";

/// A program of a dfdx executor.
pub struct DfdxProgram<D: Engine> {
    walk: Walk,
    executor: &'static str,
    place: Place<D>,
    /// Paths of the parameters whose gradients are wanted.
    wanted: BTreeSet<String>,
    outputs: BTreeMap<String, Tensor>,
}

impl<D: Engine> DfdxProgram<D> {
    /// Expands what dfdx lacks and checks that the rest can be run.
    pub(super) fn new(
        graph: &Verified,
        layout: &Layout,
        executor: &'static str,
        place: Place<D>,
    ) -> Result<Self, ExecError> {
        check::placed(graph, layout)?;
        let paths = graph.outputs().iter().filter_map(|(name, _)| name.strip_prefix("tape/"));
        let wanted: BTreeSet<String> = paths.map(str::to_string).collect();
        let carrying = |op: &Op| matches!(op, Op::Parameter(parameter) if wanted.contains(&parameter.path));
        let walk = Walk::new(graph, executor, &carrying)?;
        Ok(Self { walk, executor, place, wanted, outputs: BTreeMap::new() })
    }

    /// All nodes; the parameters on the tape are kept in order of their paths.
    fn walk(
        &self,
        trail: &mut Trail<D>,
        memory: &Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
        taped: bool,
    ) -> Result<Run<D>, ExecError> {
        let mut parameters = BTreeMap::new();
        let mut leaf = |trail: &mut Trail<D>, node: &Node| {
            let array = leaf::load(&node.op, memory, inputs)?;
            Ok(array.map(|array| self.leaf(trail, node, array, taped, &mut parameters)))
        };
        let values = self.walk.run(trail, context, &mut leaf)?;
        Ok(Run { values, parameters })
    }

    fn leaf(
        &self,
        trail: &mut Trail<D>,
        node: &Node,
        array: Array,
        taped: bool,
        parameters: &mut BTreeMap<String, Real<D>>,
    ) -> Done<Held<D>> {
        if node.shape.kind != Kind::Float {
            return Ok(Held::Steers(array));
        }
        let mut real = trail.bring_array(&array)?;
        if let Op::Parameter(parameter) = &node.op
            && taped
            && self.wanted.contains(&parameter.path)
        {
            real.carries = true;
            parameters.insert(parameter.path.clone(), real.clone());
        }
        Ok(Held::Real(real))
    }

    /// The tape backwards, into the gradients of memory.
    fn differentiate(&self, trail: Trail<D>, run: &Run<D>, memory: &mut Memory) -> Result<(), ExecError> {
        let Some(at) = self.walk.graph.output(OBJECTIVE) else { return Ok(()) };
        let failed = |message| self.walk.failed(self.walk.graph.node(at), message);
        let objective = run.values[at.0 as usize].as_ref().map_or(Err("it is not there".into()), Held::real);
        let parameters: Vec<Real<D>> = run.parameters.values().cloned().collect();
        let gradients = trail.gradients(objective.map_err(failed)?, &parameters).map_err(failed)?;
        for (path, gradient) in run.parameters.keys().zip(gradients) {
            let slot = memory.layout.parameters.get(path);
            if let Some(room) = slot.and_then(|slot| memory.gradients.get_mut(slot.range())) {
                room.copy_from_slice(&gradient);
            }
        }
        Ok(())
    }

    fn collect(&mut self, run: &Run<D>, memory: &mut Memory) -> Result<(), ExecError> {
        for (name, value) in self.walk.graph.outputs() {
            let (node, held) = (self.walk.graph.node(*value), &run.values[value.0 as usize]);
            let Some(held) = held.as_ref().filter(|_| !name.starts_with("tape/")) else { continue };
            let array = held.array().map_err(|message| self.walk.failed(node, message))?;
            leaf::store(name, &array, memory);
            self.outputs.insert(name.clone(), leaf::tensor(&array, node.shape.kind));
        }
        Ok(())
    }

    fn run_here(
        &mut self,
        memory: &mut Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
    ) -> Result<(), ExecError> {
        self.outputs.clear();
        let taped = !self.wanted.is_empty() && !memory.gradients.is_empty();
        let missing = |message| ExecError::NoDevice { executor: self.executor, message };
        let mut trail = Trail::new(self.place.device().map_err(missing)?);
        let run = self.walk(&mut trail, memory, inputs, context, taped)?;
        self.collect(&run, memory)?;
        if taped { self.differentiate(trail, &run, memory) } else { Ok(()) }
    }
}

/// What a run holds.
struct Run<D: Engine> {
    values: Found<D>,
    /// Those on the tape, by path.
    parameters: BTreeMap<String, Real<D>>,
}

impl<D: Engine> Program for DfdxProgram<D> {
    fn run(
        &mut self,
        memory: &mut Memory,
        inputs: &[(&str, &Tensor)],
        context: &Context,
    ) -> Result<(), ExecError> {
        let place = self.place.clone();
        place.on_its_threads(|| self.run_here(memory, inputs, context))
    }

    fn output(&self, name: &str) -> Option<Tensor> {
        self.outputs.get(name).cloned()
    }

    fn peak_bytes(&self) -> usize {
        self.walk.peak_bytes()
    }
}
