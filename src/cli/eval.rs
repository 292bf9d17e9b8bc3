//! `chiasm eval`: the tasks of a file on a trained run folder.

use super::options::{Common, Running};
use super::{Problem, model, say, train::table};
use crate::train::run::evaluate;
use clap::Args;
use std::path::PathBuf;

/// `chiasm eval FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    /// The model.
    file: PathBuf,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    running: Running,
    /// Just this task.
    #[arg(long)]
    task: Option<String>,
}

/// Runs tasks.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = model::open(&arguments.file, &arguments.common)?;
    let host = arguments.running.host();
    let tasks: Vec<&str> = model.tasks.iter().map(|t| t.name.as_str()).collect();
    for name in arguments.task.as_deref().map_or(tasks, |name| vec![name]) {
        let report = evaluate(&model, name, arguments.running.out.as_deref(), &host)?;
        say::either(arguments.common.format, "measured", &report, || table(&report));
    }
    Ok(())
}
