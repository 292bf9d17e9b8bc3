//! `chiasm check`: what each stage reads, learns and costs.

use super::options::Common;
use super::{Problem, model, say};
use crate::lower::model::{Parameter, Stage};
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
}

/// Prints the facts of every stage.
pub fn run(file: &Path, common: &Common) -> Result<(), Problem> {
    let model = model::open(file, common)?;
    for stage in &model.stages {
        let facts = facts(stage);
        say::either(common.format, "stage", &facts, || text(&facts));
    }
    Ok(())
}

fn elements<'a>(parameters: impl Iterator<Item = &'a Parameter>) -> usize {
    parameters.map(|p| p.dims.iter().product::<usize>()).sum()
}

fn facts(stage: &Stage) -> Facts {
    let outputs = stage.graph.outputs().iter();
    Facts {
        stage: stage.name.clone(),
        data: stage.data.names.clone(),
        objectives: outputs.filter_map(|(name, _)| Some(name.strip_prefix("loss/")?.to_string())).collect(),
        batch: stage.batch,
        parameters: elements(stage.parameters.iter()),
        trained: elements(stage.parameters.iter().filter(|p| p.trained)),
        twins: stage.twins.iter().map(|t| t.dims.iter().product::<usize>()).sum(),
        states: stage.states.iter().map(|s| s.shape.elements()).sum(),
        length: stage.length,
    }
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
    ];
    let lines = rows.map(|(name, value)| format!("  {name:<12}{value}"));
    format!("stage {}\n{}", facts.stage, lines.join("\n"))
}
