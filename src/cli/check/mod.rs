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
    let threads = |error| Problem::new(1, format!("error: {error}"));
    parallel::deep(|| checked(arguments)).map_err(threads)?
}

fn checked(arguments: &Arguments) -> Result<(), Problem> {
    let model = model::open(&arguments.file, &arguments.common)?;
    let (format, width) = (arguments.common.format, text::width());
    for facts in facts::all(&model, arguments.memory)? {
        say::either(format, "stage", &facts, || text::stage(&facts, arguments.memory, width));
    }
    match (format, text::unused(&model.unused, width)) {
        (super::options::Format::Json, _) => say::json("unused", &model.unused),
        (_, Some(unused)) => say::line(unused),
        (_, None) if model.stages.is_empty() => say::line("the file has no stage; its names are known"),
        (_, None) => {}
    }
    // The program ends here; giving a large model back piece by piece would take a twentieth of the time.
    std::mem::forget(model);
    Ok(())
}
