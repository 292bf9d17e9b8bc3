//! `chiasm check`: what each stage reads, learns and costs, and what nothing uses.

mod facts;
mod text;

use super::options::{Common, bytes};
use super::{Problem, model, say};
use crate::parallel;
use clap::Args;
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

/// Prints the facts of every stage, then what is never used.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = model::open(&arguments.file, &arguments.common)?;
    let (format, width) = (arguments.common.format, text::width());
    for facts in parallel::map(&model.stages, |stage| facts::facts(&model, stage, arguments.memory)) {
        let facts = facts?;
        say::either(format, "stage", &facts, || text::stage(&facts, arguments.memory, width));
    }
    match (format, text::unused(&model.unused, width)) {
        (super::options::Format::Json, _) => say::json("unused", &model.unused),
        (_, Some(unused)) => say::line(unused),
        (_, None) if model.stages.is_empty() => say::line("the file has no stage; its names are known"),
        (_, None) => {}
    }
    Ok(())
}
