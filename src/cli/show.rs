//! `chiasm show`: definitions with shapes and parameter counts, or the graph as text.

use super::options::{Common, Format};
use super::{Problem, model, say};
use crate::lower::model::Stage;
use crate::train::plan;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `chiasm show FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    /// The model.
    file: PathBuf,
    #[command(flatten)]
    common: Common,
    /// Just this stage.
    #[arg(long)]
    stage: Option<String>,
    /// In which form.
    #[arg(long = "as", value_enum, default_value = "tree")]
    form: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// Modules with parameter counts.
    Tree,
    /// The graph, one node a line.
    Text,
}

/// Modules of a stage.
#[derive(Debug, Serialize)]
struct Modules<'a> {
    stage: &'a str,
    modules: BTreeMap<String, usize>,
}

/// Prints stages.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = model::open(&arguments.file, &arguments.common)?;
    let stages: Vec<&Stage> = match &arguments.stage {
        Some(name) => vec![plan::stage(&model, name)?],
        None => model.stages.iter().collect(),
    };
    for stage in stages {
        match arguments.form {
            Form::Tree => tree(stage, arguments.common.format),
            Form::Text => graph(stage),
        }
    }
    Ok(())
}

fn tree(stage: &Stage, format: Format) {
    let mut modules: BTreeMap<String, usize> = BTreeMap::new();
    for parameter in &stage.parameters {
        let end = parameter.path.find(['.', '[']).unwrap_or(parameter.path.len());
        *modules.entry(parameter.path[..end].to_string()).or_default() +=
            parameter.dims.iter().product::<usize>();
    }
    let lines: Vec<String> =
        modules.iter().map(|(m, n)| format!("  {m:<20} {:>13}", say::grouped(*n))).collect();
    let text = || format!("stage {}\n{}", stage.name, lines.join("\n"));
    say::either(format, "modules", &Modules { stage: &stage.name, modules: modules.clone() }, text);
}

fn graph(stage: &Stage) {
    say::line(format!("# stage {}", stage.name));
    for value in stage.graph.values() {
        let (node, operands) = (stage.graph.node(value), stage.graph.operands(value));
        let operands: Vec<String> = operands.iter().map(|v| format!("%{}", v.0)).collect();
        let (name, path) = (node.op.name(), &node.origin.path);
        say::line(format!("%{} = {name}({}) : {}  # {path}", value.0, operands.join(", "), node.shape));
    }
    stage.graph.outputs().iter().for_each(|(name, value)| say::line(format!("output {name} = %{}", value.0)));
}
