//! One call: the graph of a value for these rows, its leaves from dfdx tensors, its result on the caller's tape.
//!
//! Parameters are gathered from the one tensor that holds them all, in rows of 16 numbers, where a slot begins: gathering
//! adds its gradients up, while dfdx's slices overwrite them.

use super::inputs::{Given, Inputs, Tracing};
use super::shapes::typed;
use super::{EmbedError, Engine, Sizes};
use crate::exec::dfdx::{Held, Real, Trail, Walk, seen};
use crate::exec::{ExecError, Slot, leaf};
use crate::graph::Node;
use crate::network::{Input, Network, NetworkError};
use crate::op::Op;
use crate::pass::prepare;
use crate::shape::{Batch, Kind};
use crate::tensor;
use dfdx::tensor::{PutTape, Tensor};
use std::collections::BTreeMap;

/// More plans than this are not kept.
const KEPT: usize = 16;

/// Slots begin at multiples of so many numbers.
const ROW: usize = 16;

/// A graph made ready for a number of rows, and for what brings a tape.
pub struct Plan {
    at: usize,
    rows: Vec<(String, usize)>,
    carrying: Carrying,
    walk: Walk,
}

/// Which leaves need a gradient.
#[derive(PartialEq)]
struct Carrying {
    parameters: bool,
    inputs: Vec<String>,
}

/// Runs a value that the network has a graph of.
pub fn run<D: Engine, S: Sizes, T: Tracing<D>>(
    network: &mut Network,
    plans: &mut Vec<Plan>,
    (parameters, device): (&Tensor<(usize,), f32, D>, &D),
    value: &str,
    inputs: Inputs<D, T>,
) -> Result<Tensor<S, f32, D, T>, EmbedError> {
    let at = network.want(&[value])?;
    let (names, values): (Vec<String>, Vec<Input>) = inputs.all.into_iter().unzip();
    let all: Vec<(&str, Input)> = names.iter().map(String::as_str).zip(values).collect();
    let given = network.read_inputs(at, &all)?;
    let rows = network.batch(at, &given)?;
    let carrying = inputs.real.iter().filter(|real| real.carries).map(|real| real.name.clone()).collect();
    let carrying = Carrying { parameters: T::OWNS_TAPE, inputs: carrying };
    let plan = plan(network, plans, at, value, rows, carrying)?;
    let walk = &plans[plan].walk;
    let lost = || NetworkError::NoOutput { value: value.to_string() };
    let output = walk.graph.output(value).ok_or_else(lost)?;
    let shape = walk.graph.shape(output);
    if shape.kind != Kind::Float {
        return Err(EmbedError::NotReal { name: value.to_string(), found: shape.to_string() });
    }
    let size = typed::<S>(value, shape)?;

    let mut trail = Trail::with(device.clone(), inputs.tape.owned());
    let leaves = Leaves::new(&mut trail, network, &given, (parameters, T::OWNS_TAPE), inputs.real)?;
    let mut found = walk.run(&mut trail, &network.context, &mut |trail, node| leaves.leaf(trail, node))?;
    let held = found[output.0 as usize].take().ok_or_else(lost)?;
    let row = held.real().and_then(|real| real.tensor.row()).map_err(EmbedError::Device)?;
    let result = seen(row, size).map_err(EmbedError::Device)?;
    Ok(result.put_tape(T::of(trail.into_tape())))
}

/// The place of a plan; made at the first call of its kind.
fn plan(
    network: &Network,
    plans: &mut Vec<Plan>,
    at: usize,
    value: &str,
    rows: Vec<(String, usize)>,
    carrying: Carrying,
) -> Result<usize, EmbedError> {
    let same = |plan: &Plan| plan.at == at && plan.rows == rows && plan.carrying == carrying;
    if let Some(known) = plans.iter().position(same) {
        return Ok(known);
    }
    let batch = rows.iter().fold(Batch::default(), |all, (symbol, rows)| all.and(symbol, *rows));
    let graph = network.wanted[at].values.graph.bind(&batch).map_err(NetworkError::Rows)?;
    let graph = prepare::embedding(value, &graph).map_err(NetworkError::Pass)?;
    let carries = |op: &Op| match op {
        Op::Parameter(_) => carrying.parameters,
        Op::Input(input) => carrying.inputs.contains(&input.name),
        _ => false,
    };
    let walk = Walk::new(&graph, "dfdx", &carries)?;
    if plans.len() == KEPT {
        plans.remove(0);
    }
    plans.push(Plan { at, rows, carrying, walk });
    Ok(plans.len() - 1)
}

/// What lies outside of the graph.
struct Leaves<'a, D: Engine> {
    network: &'a Network,
    given: Vec<(&'a str, &'a tensor::Tensor)>,
    real: BTreeMap<String, Real<D>>,
    parameters: Real<D>,
}

impl<'a, D: Engine> Leaves<'a, D> {
    fn new(
        trail: &mut Trail<D>,
        network: &'a Network,
        given: &'a [(String, tensor::Tensor)],
        (parameters, carries): (&Tensor<(usize,), f32, D>, bool),
        tensors: Vec<Given<D>>,
    ) -> Result<Self, EmbedError> {
        let given = given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let mut real = BTreeMap::new();
        for Given { name, bring, .. } in tensors {
            real.insert(name, bring(trail).map_err(EmbedError::Device)?);
        }
        let parameters = trail.leaf(parameters.clone(), carries).map_err(EmbedError::Device)?;
        Ok(Self { network, given, real, parameters })
    }

    /// The value of a leaf; nothing for a node that is computed.
    fn leaf(&self, trail: &mut Trail<D>, node: &Node) -> Result<Option<Result<Held<D>, String>>, ExecError> {
        let memory = &self.network.memory;
        match &node.op {
            Op::Input(input) if self.real.contains_key(&input.name) => {
                Ok(self.real.get(&input.name).map(|real| Ok(Held::Real(real.clone()))))
            }
            Op::Parameter(parameter) => {
                let slot = memory.layout.parameters.get(&parameter.path);
                Ok(slot.map(|slot| self.parameter(trail, slot).map(Held::Real)))
            }
            op => Ok(leaf::load(op, memory, &self.given)?.map(|array| match node.shape.kind {
                Kind::Float => trail.bring_array(&array).map(Held::Real),
                _ => Ok(Held::Steers(array)),
            })),
        }
    }

    fn parameter(&self, trail: &mut Trail<D>, slot: &Slot) -> Result<Real<D>, String> {
        let table = (self.parameters.count() / ROW, ROW);
        let (first, words) = (slot.start / ROW, slot.words());
        let rows = trail.gathered(&self.parameters, table, (first..first + words.div_ceil(ROW)).collect())?;
        let row = trail.reshaped(&rows, &[rows.count()])?;
        let row = if row.count() == words { row } else { trail.sliced(&row, 0, 0..words)? };
        trail.reshaped(&row, &slot.dims)
    }
}
