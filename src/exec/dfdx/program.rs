//! A graph made ready for dfdx: node by node, then dfdx's tape backwards.
//!
//! Outputs named `tape/<path>` are parameters whose gradient of `objective` is wanted ([`mark`](crate::pass::mark)): they
//! are on the tape, and after the nodes the tape gives what memory keeps as their gradient. A graph that our own pass has
//! differentiated runs as any other, without the tape.

use super::device::Place;
use super::ops::{self, Work};
use super::trail::Trail;
use super::value::{Done, Engine, Held, Real};
use crate::exec::{ExecError, Layout, Memory, Program, check, leaf, life};
use crate::graph::{Graph, Node, Verified};
use crate::op::{Array, Context, Op, Value};
use crate::pass::{expand, merge};
use crate::shape::Kind;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, BTreeSet};

/// The name of the number whose gradient is wanted.
const OBJECTIVE: &str = "objective";

/// A program of a dfdx executor.
pub struct DfdxProgram<D: Engine> {
    graph: Graph,
    executor: &'static str,
    place: Place<D>,
    /// Values that are read for the last time by each node.
    dropped: Vec<Vec<Value>>,
    /// Paths of the parameters whose gradients are wanted.
    wanted: BTreeSet<String>,
    /// Whether a value carries a gradient when they are.
    carries: Vec<bool>,
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
        check::bound(graph)?;
        check::placed(graph, layout)?;
        let graph = merge(&expand(graph, &ops::lacks));
        let paths = graph.outputs().iter().filter_map(|(name, _)| name.strip_prefix("tape/"));
        let wanted: BTreeSet<String> = paths.map(str::to_string).collect();
        let carries = carriers(&graph, &wanted);
        runnable(executor, &graph, &carries)?;
        let dropped = life::last_uses(&graph);
        Ok(Self { graph, executor, place, dropped, wanted, carries, outputs: BTreeMap::new() })
    }

    fn failed(&self, node: &Node, message: String) -> ExecError {
        let (op, path) = (node.op.name(), node.origin.path.to_string());
        ExecError::Failed { executor: self.executor, op, path, message }
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
        let mut run = Run { values: vec![None; self.graph.len()], parameters: BTreeMap::new() };
        for value in self.graph.values() {
            let node = self.graph.node(value);
            let held = match leaf::load(&node.op, memory, inputs)? {
                Some(array) => self.leaf(trail, node, array, taped, &mut run),
                None => {
                    let operands = self.graph.operands(value);
                    let operands: Vec<&Held<D>> =
                        operands.iter().filter_map(|v| run.values[v.0 as usize].as_ref()).collect();
                    indices(node, &operands)?;
                    Work { trail: &mut *trail, context }.value(node, &operands)
                }
            };
            run.values[value.0 as usize] = Some(held.map_err(|message| self.failed(node, message))?);
            self.dropped[value.0 as usize].iter().for_each(|v| run.values[v.0 as usize] = None);
        }
        Ok(run)
    }

    fn leaf(
        &self,
        trail: &mut Trail<D>,
        node: &Node,
        array: Array,
        taped: bool,
        run: &mut Run<D>,
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
            run.parameters.insert(parameter.path.clone(), real.clone());
        }
        Ok(Held::Real(real))
    }

    /// The tape backwards, into the gradients of memory.
    fn differentiate(&self, trail: Trail<D>, run: &Run<D>, memory: &mut Memory) -> Result<(), ExecError> {
        let Some(at) = self.graph.output(OBJECTIVE) else { return Ok(()) };
        let failed = |message| self.failed(self.graph.node(at), message);
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
        for (name, value) in self.graph.outputs() {
            let (node, held) = (self.graph.node(*value), &run.values[value.0 as usize]);
            let Some(held) = held.as_ref().filter(|_| !name.starts_with("tape/")) else { continue };
            let array = held.array().map_err(|message| self.failed(node, message))?;
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
    values: Vec<Option<Held<D>>>,
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

    /// An estimate: dfdx allocates as it goes. Values on the tape are kept, each with its gradient; others until their last use.
    fn peak_bytes(&self) -> usize {
        let bytes = |value: Value| self.graph.shape(value).elements() * size_of::<f32>();
        let taped = |value: &Value| self.carries[value.0 as usize];
        let kept: usize = self.graph.values().filter(taped).map(|value| 2 * bytes(value)).sum();
        let passing = |value: Value| if taped(&value) { 0 } else { bytes(value) };
        kept + life::peak(&self.graph, &self.dropped, passing)
    }
}

/// Which values depend on a wanted parameter.
fn carriers(graph: &Graph, wanted: &BTreeSet<String>) -> Vec<bool> {
    let mut carries = vec![false; graph.len()];
    for value in graph.values() {
        let node = graph.node(value);
        carries[value.0 as usize] = match &node.op {
            Op::Parameter(parameter) => wanted.contains(&parameter.path),
            op if ops::ends_gradients(op) || node.shape.kind != Kind::Float => false,
            _ => graph.operands(value).iter().any(|operand| carries[operand.0 as usize]),
        };
    }
    carries
}

/// Says of the first node that dfdx cannot run, or not differentiate, which it is and why.
fn runnable(executor: &'static str, graph: &Graph, carries: &[bool]) -> Result<(), ExecError> {
    for value in graph.values() {
        let node = graph.node(value);
        let no_way_back =
            || "no gradient comes back through what dfdx lacks and the definition computes".to_string();
        let beyond = (node.shape.kind == Kind::Float).then(|| ops::beyond(&node.shape)).flatten();
        let lost = carries[value.0 as usize] && ops::by_definition(&node.op);
        if let Some(why) = beyond.or_else(|| lost.then(no_way_back)) {
            let (op, path) = (node.op.name(), node.origin.path.to_string());
            return Err(ExecError::Beyond { executor, op, path, why });
        }
    }
    Ok(())
}

/// Every id that indexes a table is inside of it. Only the lengths of real operands are looked at.
fn indices<D: Engine>(node: &Node, operands: &[&Held<D>]) -> Result<(), ExecError> {
    if !matches!(node.op, Op::Take(_) | Op::SumBy(_) | Op::CrossEntropy(_) | Op::CrossEntropyGrad(_)) {
        return Ok(());
    }
    let lengths = |held: &&Held<D>| match held {
        Held::Steers(array) => array.clone(),
        Held::Real(real) => Array { dims: real.dims.clone(), data: Vec::new() },
    };
    let arrays: Vec<Array> = operands.iter().map(lengths).collect();
    check::indices(node, &arrays.iter().collect::<Vec<_>>())
}
