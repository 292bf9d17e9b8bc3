//! `chiasm eval`: the tasks of a file on a trained run folder.

use super::options::Job;
use super::{Problem, say, train::table};
use crate::train::measure::evaluate;
use clap::Args;

/// `chiasm eval FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
    /// Just this task.
    #[arg(long)]
    task: Option<String>,
}

/// Runs tasks.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = arguments.job.model()?;
    let host = arguments.job.running.host();
    let tasks: Vec<&str> = model.tasks.iter().map(|t| t.name.as_str()).collect();
    for name in arguments.task.as_deref().map_or(tasks, |name| vec![name]) {
        let report = evaluate(&model, name, arguments.job.running.out.as_deref(), &host)?;
        say::either(arguments.job.common.format, "measured", &report, || table(&report));
    }
    Ok(())
}
