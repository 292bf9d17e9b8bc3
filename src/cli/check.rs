//! `chiasm check`: what each stage reads, learns and costs.

use super::options::Common;
use super::{Problem, model, say};
use crate::exec::cpu::Cpu;
use crate::lower::model::{Parameter, Stage};
use crate::pass::prepare;
use crate::train::TrainError;
use crate::train::stage::layout;
use serde::Serialize;
use std::path::Path;

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
}

/// Prints the facts of every stage.
pub fn run(file: &Path, common: &Common) -> Result<(), Problem> {
    let model = model::open(file, common)?;
    for stage in &model.stages {
        let facts = facts(stage)?;
        say::either(common.format, "stage", &facts, || text(&facts));
    }
    Ok(())
}

fn elements<'a>(parameters: impl Iterator<Item = &'a Parameter>) -> usize {
    parameters.map(|p| p.dims.iter().product::<usize>()).sum()
}

/// What a step costs on the cpu executor; nothing is allocated for it.
fn cost(stage: &Stage) -> Result<(u64, u64), TrainError> {
    let layout = layout(&stage.parameters, &stage.twins, &stage.states);
    let graph = prepare::training(stage, &stage.rows())?;
    let cost = Cpu::new(1).cost(&graph, &layout)?;
    let [parameters, twins, states] = layout.words();
    let held = 4 * (4 * parameters + twins + 2 * states) as u64;
    Ok((cost.flops / stage.batch() as u64, held + cost.peak))
}

fn facts(stage: &Stage) -> Result<Facts, TrainError> {
    let outputs = stage.graph.outputs().iter();
    let (flops_per_sample, peak_bytes) = cost(stage)?;
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
        flops_per_sample,
        peak_bytes,
    })
}

fn text(facts: &Facts) -> String {
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
    let lines = rows.map(|(name, value)| format!("  {name:<12}{value}"));
    format!("stage {}\n{}", facts.stage, lines.join("\n"))
}
