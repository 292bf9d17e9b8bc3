//! `chiasm show`: what a stage is made of, as a tree, a table, a drawing or the graph; or what two files differ in.

mod diff;
mod draw;
mod graph;
mod rows;
mod table;
mod tree;

use super::options::{Common, Format};
use super::{Problem, model, say};
use crate::lower::Model;
use crate::lower::model::Stage;
use crate::picture::{dot, svg};
use crate::train::plan;
use clap::{Args, ValueEnum};
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
    /// Print what differs from this other file: --diff albef.chi mine.chi
    #[arg(long, value_name = "BASE", conflicts_with = "form")]
    diff: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Inputs, modules with their parts, values, losses.
    Tree,
    /// One row for each definition.
    Table,
    /// The graph, one node a line.
    Text,
    /// A drawing for Graphviz; one stage.
    Dot,
    /// A drawing; one stage.
    Svg,
}

/// Prints stages.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = model::open(&arguments.file, &arguments.common)?;
    if let Some(base) = &arguments.diff {
        let base = model::open(base, &arguments.common)?;
        say::line(diff::between(&base, &model, arguments.stage.as_deref()));
        return Ok(());
    }
    if matches!(arguments.form, Form::Dot | Form::Svg) {
        return drawing(arguments, &model);
    }
    for stage in stages(arguments, &model)? {
        print(arguments, stage);
    }
    Ok(())
}

fn stages<'m>(arguments: &Arguments, model: &'m Model) -> Result<Vec<&'m Stage>, Problem> {
    match &arguments.stage {
        Some(name) => Ok(vec![plan::stage(model, name)?]),
        None => Ok(model.stages.iter().collect()),
    }
}

fn print(arguments: &Arguments, stage: &Stage) {
    let rows = || rows::Rows::of(stage);
    match (arguments.form, arguments.common.format) {
        (Form::Text, _) => say::line(graph::text(stage).trim_end()),
        (_, Format::Json) => say::json("stage", &rows()),
        (Form::Table, _) => say::line(table::text(&rows())),
        _ => say::line(tree::text(stage, &rows())),
    }
}

/// A drawing shows one stage: that of `--stage`, or the first.
fn drawing(arguments: &Arguments, model: &Model) -> Result<(), Problem> {
    let stages = stages(arguments, model)?;
    let Some(stage) = stages.first() else {
        return Err(Problem::new(1, "error: the file has no stage to draw"));
    };
    let picture = draw::picture(&model.name, stage);
    let text = if arguments.form == Form::Svg { svg::svg(&picture) } else { dot::dot(&picture) };
    say::line(text.trim_end());
    Ok(())
}
