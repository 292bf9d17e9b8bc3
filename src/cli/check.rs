//! `chiasm check`: what each stage reads, learns and costs.

use super::options::{Common, bytes};
use super::{Problem, model, say};
use crate::exec::cpu::Cpu;
use crate::lower::model::{Parameter, Stage};
use crate::parallel;
use crate::train::{TrainError, fit};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// `chiasm check FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    /// The model.
    file: PathBuf,
    #[command(flatten)]
    common: Common,
    /// Say the largest batch of each stage that fits into so much memory, as in 16GiB.
    #[arg(long, value_parser = bytes)]
    memory: Option<u64>,
}

/// The facts of a stage.
#[derive(Debug, Serialize)]
struct Facts {
    stage: String,
    data: Vec<String>,
    objectives: Vec<String>,
    batch: usize,
    parameters: usize,
    trained: usize,
    twins: usize,
    states: usize,
    length: crate::recipe::Duration,
    /// Floating-point operations of a step, for each row of the batch.
    flops_per_sample: u64,
    /// Bytes of a step: parameters, gradients, moments, twins, states, and the most values at one time.
    peak_bytes: u64,
    /// The most rows that fit into the memory that was asked for; 0 if not one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_batch: Option<usize>,
}

/// Prints the facts of every stage.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = model::open(&arguments.file, &arguments.common)?;
    for facts in parallel::map(&model.stages, |stage| facts(stage, arguments.memory)) {
        let facts = facts?;
        say::either(arguments.common.format, "stage", &facts, || text(&facts, arguments.memory));
    }
    Ok(())
}

fn elements<'a>(parameters: impl Iterator<Item = &'a Parameter>) -> usize {
    parameters.map(|p| p.dims.iter().product::<usize>()).sum()
}

fn facts(stage: &Stage, memory: Option<u64>) -> Result<Facts, TrainError> {
    let (outputs, cpu) = (stage.graph.outputs().iter(), Cpu::new(1));
    let cost = fit::cost(stage, stage.batch(), &cpu)?;
    Ok(Facts {
        stage: stage.name.clone(),
        data: stage.feeds.iter().flat_map(|f| f.data.names()).map(str::to_string).collect(),
        objectives: outputs.filter_map(|(name, _)| Some(name.strip_prefix("loss/")?.to_string())).collect(),
        batch: stage.batch(),
        parameters: elements(stage.parameters.iter()),
        trained: elements(stage.parameters.iter().filter(|p| p.trained)),
        twins: stage.twins.iter().map(|t| t.dims.iter().product::<usize>()).sum(),
        states: stage.states.iter().map(|s| s.shape.elements()).sum(),
        length: stage.length,
        flops_per_sample: cost.flops / stage.batch() as u64,
        peak_bytes: cost.bytes(),
        largest_batch: memory.map(|bytes| fit::largest_batch(stage, &cpu, bytes).unwrap_or(0)),
    })
}

fn text(facts: &Facts, memory: Option<u64>) -> String {
    let rows = [
        ("data", facts.data.join(", ")),
        ("minimises", facts.objectives.join(" + ")),
        ("batch", say::grouped(facts.batch)),
        ("parameters", say::grouped(facts.parameters)),
        ("  trained", say::grouped(facts.trained)),
        ("  frozen", say::grouped(facts.parameters - facts.trained)),
        ("twins", say::grouped(facts.twins)),
        ("states", say::grouped(facts.states)),
        ("a sample", format!("{:.1} GFLOP a step", facts.flops_per_sample as f64 / 1e9)),
        ("peak memory", format!("{:.2} GiB", facts.peak_bytes as f64 / f64::from(1 << 30))),
    ];
    let fits = memory.zip(facts.largest_batch).map(|(bytes, rows)| {
        let rows = if rows == 0 { "not even one row".to_string() } else { say::grouped(rows) };
        ("fits", format!("{rows} in {}", say::bytes(bytes)))
    });
    let lines = rows.into_iter().chain(fits).map(|(name, value)| format!("  {name:<12}{value}"));
    format!("stage {}\n{}", facts.stage, lines.collect::<Vec<_>>().join("\n"))
}
