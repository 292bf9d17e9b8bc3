//! `chiasm bench`: how long training steps take, of a file's stages on their data or of a built-in case.
//!
//! A step is forward, backward and the optimiser; loading is beside it and not counted. The first steps warm up.

use super::options::Job;
use super::{Problem, say, stop};
use crate::bench::{BenchError, Case, profile, time_steps};
use crate::train::TrainOptions;
use crate::train::run::{Event, train};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

/// Steps that are not counted.
const WARM_UP: u64 = 3;

/// `chiasm bench FILE` or `chiasm bench blocks`
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
    /// Just this stage, and what it needs.
    #[arg(long)]
    stage: Option<String>,
    /// How many steps are timed.
    #[arg(long, default_value = "20")]
    steps: u64,
    /// Of a built-in case: print also where the time goes.
    #[arg(long)]
    profile: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Found {
    name: String,
    batch: usize,
    steps: usize,
    /// Milliseconds a step.
    median: f64,
    least: f64,
    most: f64,
    samples_per_second: f64,
}

/// Measures.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let known = [("blocks", Case::Blocks), ("clip", Case::Clip)];
    let case = known.iter().find(|(name, _)| arguments.job.file.as_os_str() == *name);
    let found = match case {
        Some((name, case)) => vec![built_in(name, *case, arguments)?],
        None => file(arguments)?,
    };
    for found in found {
        say::either(arguments.job.common.format, "bench", &found, || {
            let Found { name, batch, median, least, most, samples_per_second: speed, .. } = &found;
            format!(
                "{name}: {median:.1} ms a step (median; {least:.1} to {most:.1}), {speed:.1} samples/s, batch {batch}"
            )
        });
    }
    Ok(())
}

fn found(name: &str, batch: usize, mut times: Vec<f64>) -> Found {
    times.sort_by(f64::total_cmp);
    let at = |i: usize| times.get(i).copied().unwrap_or(f64::NAN);
    let (median, steps) = (at(times.len() / 2), times.len());
    let (least, most) = (at(0), at(steps.saturating_sub(1)));
    Found {
        name: name.into(),
        batch,
        steps,
        median,
        least,
        most,
        samples_per_second: batch as f64 / median * 1e3,
    }
}

fn built_in(name: &str, case: Case, arguments: &Arguments) -> Result<Found, Problem> {
    let wrong = |error: BenchError| Problem::new(1, format!("error: {error}"));
    let threads = arguments.job.running.host().threads();
    if arguments.profile {
        let mut sums: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for (name, time) in profile(case, threads, arguments.steps).map_err(wrong)? {
            let sum = sums.entry(name.split(['[', ']']).step_by(2).collect::<String>()).or_default();
            *sum = (sum.0 + time, sum.1 + 1);
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
        sums.iter().for_each(|(name, (time, count))| say::line(format!("{time:9.3} ms  {count:3} x {name}")));
    }
    let (batch, times) = time_steps(case, threads, arguments.steps, WARM_UP).map_err(wrong)?;
    Ok(found(name, batch, times))
}

/// Trains in a scratch folder that is removed again.
fn file(arguments: &Arguments) -> Result<Vec<Found>, Problem> {
    let model = arguments.job.model()?;
    let out = std::env::temp_dir().join(format!("chiasm-bench-{}", std::process::id()));
    let options = TrainOptions {
        stage: arguments.stage.clone(),
        weights: arguments.job.running.weight_folders(),
        out: Some(out.clone()),
        seed: arguments.job.running.seed,
        steps: Some(arguments.steps.max(1) + WARM_UP),
        save_every: u64::MAX,
        stop: stop::flag(),
        ..TrainOptions::default()
    };
    let mut times: Vec<(String, usize, Vec<f64>)> = Vec::new();
    let done = train(&model, &options, &arguments.job.running.host(), &mut |event| match event {
        Event::Begins(summary) => times.push((summary.stage.clone(), summary.batch, Vec::new())),
        Event::Step(row) if row.step > WARM_UP => {
            if let Some((_, batch, times)) = times.last_mut() {
                times.push(*batch as f64 / row.samples_per_second * 1e3);
            }
        }
        _ => {}
    });
    // Only scratch lies there; what stays behind harms nobody.
    let _ = std::fs::remove_dir_all(out);
    done?;
    Ok(times.into_iter().map(|(name, batch, times)| found(&name, batch, times)).collect())
}
