//! A checked stage to its facts, the same for people and programs.

use crate::exec::cpu::Cpu;
use crate::lower::account::{fresh, moved, root};
use crate::lower::model::{Feed, Model, Parameter, Stage, Start, Twin};
use crate::parallel;
use crate::recipe::Duration;
use crate::train::TrainError;
use crate::train::fit::{self, Cost};
use serde::Serialize;
use std::cmp::Reverse;

/// The facts of a stage.
#[derive(Debug, Serialize)]
pub struct Facts {
    /// Its name.
    pub stage: String,
    /// What it reads, side by side.
    pub data: Vec<Source>,
    /// Rows a step of the first source.
    pub batch: usize,
    /// How long.
    pub length: Duration,
    /// What it minimises.
    pub objectives: Vec<Objective>,
    /// Elements of all parameters, frozen ones included.
    pub parameters: usize,
    /// Elements of those that train.
    pub trained: usize,
    /// Modules with what of them is frozen.
    pub frozen: Vec<Share>,
    /// Modules with what of them trains by name, but has no gradient.
    pub unmoved: Vec<Share>,
    /// What it starts from.
    pub start: Vec<String>,
    /// Modules with what of them nothing brings that it starts from.
    pub fresh: Vec<Share>,
    /// States that nothing brings that it starts from.
    pub fresh_states: Vec<String>,
    /// Elements of slow copies.
    pub twins: usize,
    /// Elements of states.
    pub states: usize,
    /// Tasks that it evaluates.
    pub evaluate: Vec<String>,
    /// Floating-point operations of a step, for each row of the batch.
    pub flops_per_sample: u64,
    /// Bytes of a step: what is held and the most values at one time.
    pub peak_bytes: u64,
    /// Of these, bytes that do not depend on the batch: parameters, gradients, moments, twins, states.
    pub held_bytes: u64,
    /// The most rows that fit into the memory that was asked for; 0 if not one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest_batch: Option<usize>,
}

/// A source of rows.
#[derive(Debug, Serialize)]
pub struct Source {
    /// The data sets, read as one.
    pub sets: Vec<String>,
    /// The columns that the stage reads.
    pub columns: Vec<String>,
    /// Rows a step.
    pub batch: usize,
}

/// A loss and what it changes.
#[derive(Debug, Serialize)]
pub struct Objective {
    /// Its name.
    pub name: String,
    /// Modules with what of them gets a gradient from it and trains.
    pub moves: Vec<Share>,
}

/// A part of a module.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The definition that owns the parameters.
    pub module: String,
    /// Elements that are meant.
    pub parameters: usize,
    /// Elements of the module in this stage.
    pub of: usize,
}

/// The facts of every stage; with `memory`, also the largest batch that fits into so many bytes.
///
/// # Errors
/// A graph that cannot be planned.
pub fn all(model: &Model, memory: Option<u64>) -> Result<Vec<Facts>, TrainError> {
    let (stages, cpu, same) = (&model.stages, Cpu::new(1), fit::same_steps(&model.stages));
    let of_one = |at: &usize| {
        let stage = &stages[*at];
        let cost = (same[*at] == *at).then(|| fit::cost(stage, stage.batch(), &cpu)).transpose()?;
        Ok((*at, cost.unwrap_or_default(), facts(model, stage, memory)))
    };
    let mut order: Vec<usize> = (0..stages.len()).collect();
    // The large ones first: a large one that begins last would be waited for.
    order.sort_by_key(|at| Reverse(stages[*at].graph.len()));
    let found = parallel::map(&order, of_one).into_iter();
    let mut found: Vec<(usize, Cost, Facts)> = found.collect::<Result<_, TrainError>>()?;
    found.sort_by_key(|(at, ..)| *at);
    let costs: Vec<Cost> = same.iter().map(|first| found[*first].1).collect();
    Ok(found.into_iter().zip(costs).map(|((.., facts), cost)| facts.costing(cost)).collect())
}

fn facts(model: &Model, stage: &Stage, memory: Option<u64>) -> Facts {
    let gets_gradient = moved(stage, "objective");
    let still = |p: &Parameter| p.trained && !gets_gradient.contains(p.path.as_str());
    let fresh = if stage.start.is_empty() { None } else { Some(fresh(&model.stages, stage)) };
    let is_fresh = |key: &str| fresh.as_ref().is_none_or(|fresh| fresh.contains(key));
    Facts {
        stage: stage.name.clone(),
        data: stage.feeds.iter().map(|feed| source(stage, feed)).collect(),
        batch: stage.batch(),
        length: stage.length,
        objectives: objectives(stage),
        parameters: elements(stage.parameters.iter()),
        trained: elements(stage.parameters.iter().filter(|p| p.trained)),
        frozen: shares(stage, |p| !p.trained),
        unmoved: shares(stage, still),
        start: stage.start.iter().map(start).collect(),
        fresh: shares(stage, |p| is_fresh(&p.path)),
        fresh_states: states(stage).filter(|name| is_fresh(&format!("state/{name}"))).collect(),
        twins: stage.twins.iter().map(Twin::elements).sum(),
        states: stage.states.iter().map(|s| s.shape.elements()).sum(),
        evaluate: stage.evaluate.iter().map(|(task, _)| task.clone()).collect(),
        flops_per_sample: 0,
        peak_bytes: 0,
        held_bytes: 0,
        largest_batch: memory.map(|bytes| fit::largest_batch(stage, &Cpu::new(1), bytes).unwrap_or(0)),
    }
}

impl Facts {
    /// With what a step costs.
    fn costing(self, cost: Cost) -> Self {
        let flops_per_sample = cost.flops / self.batch as u64;
        Self { flops_per_sample, peak_bytes: cost.bytes(), held_bytes: cost.held, ..self }
    }
}

fn elements<'a>(parameters: impl Iterator<Item = &'a Parameter>) -> usize {
    parameters.map(Parameter::elements).sum()
}

fn states(stage: &Stage) -> impl Iterator<Item = String> {
    stage.states.iter().map(|state| state.name.clone())
}

fn source(stage: &Stage, feed: &Feed) -> Source {
    let has = |name: &str| feed.data.columns.iter().any(|column| column.name == name);
    Source {
        sets: feed.data.names().into_iter().map(str::to_string).collect(),
        columns: stage.inputs.iter().filter(|i| has(&i.name)).map(|i| i.name.clone()).collect(),
        batch: feed.batch,
    }
}

fn objectives(stage: &Stage) -> Vec<Objective> {
    let losses =
        stage.graph.outputs().iter().filter_map(|(name, _)| Some((name, name.strip_prefix("loss/")?)));
    let objective = |(output, name): (&String, &str)| {
        let moved = moved(stage, output);
        Objective { name: name.to_string(), moves: shares(stage, |p| moved.contains(p.path.as_str())) }
    };
    losses.map(objective).collect()
}

/// How a start is called in the file.
fn start(start: &Start) -> String {
    match start {
        Start::Stage(name) | Start::Weights { map: name, .. } | Start::Moved { map: name, .. } => {
            name.clone()
        }
        Start::Base(name) => format!("base.{name}"),
    }
}

/// The modules that own some of the parameters, in order of first use, with how much of each.
fn shares(stage: &Stage, belongs: impl Fn(&Parameter) -> bool) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for parameter in &stage.parameters {
        let (module, size) = (root(&parameter.path), parameter.elements());
        let at = shares.iter().position(|share| share.module == module).unwrap_or_else(|| {
            shares.push(Share { module: module.to_string(), parameters: 0, of: 0 });
            shares.len() - 1
        });
        shares[at].of += size;
        shares[at].parameters += if belongs(parameter) { size } else { 0 };
    }
    shares.retain(|share| share.parameters > 0);
    shares
}
