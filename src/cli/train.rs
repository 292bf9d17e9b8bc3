//! `chiasm train`: the stages of a file, with what happens printed.

use super::options::{Format, Job, bytes};
use super::{Problem, say, stop};
use crate::task::report::{Found, Report, Retrieval, Scores};
use crate::train::derive::{Progress, Ready};
use crate::train::run::{Event, Outcome, Summary, train};
use crate::train::{TrainOptions, step::Row};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::PathBuf;

/// `chiasm train FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
    /// Just this stage, and what it needs.
    #[arg(long)]
    stage: Option<String>,
    /// Go on with what the run folder holds.
    #[arg(long)]
    resume: bool,
    /// Train for so many steps; schedules follow.
    #[arg(long)]
    steps: Option<u64>,
    /// A run folder whose finished stages are taken over if they were trained in just the same way.
    #[arg(long, value_name = "DIR")]
    from: Vec<PathBuf>,
    /// Memory that training may need, as in 16GiB; otherwise what is available.
    #[arg(long, value_parser = bytes)]
    memory: Option<u64>,
    /// Steps between checkpoints.
    #[arg(long, default_value = "500")]
    save_every: u64,
    /// Steps between printed lines when nobody watches.
    #[arg(long, default_value = "50")]
    log_every: u64,
}

/// Trains.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = arguments.job.model()?;
    let host = arguments.job.running.host();
    let mut printer = Printer::new(arguments.job.common.format, arguments.log_every);
    let outcome = train(&model, &options(arguments), &host, &mut |event| printer.hear(event))?;
    printer.end(&outcome);
    Ok(())
}

fn options(arguments: &Arguments) -> TrainOptions {
    TrainOptions {
        stage: arguments.stage.clone(),
        weights: arguments.job.running.weight_folders(),
        out: arguments.job.running.out.clone(),
        resume: arguments.resume,
        seed: arguments.job.running.seed,
        steps: arguments.steps,
        from: arguments.from.clone(),
        memory: arguments.memory,
        save_every: arguments.save_every,
        stop: stop::flag(),
    }
}

/// Prints events: a bar for a person, lines for a file, objects for a program.
struct Printer {
    format: Format,
    every: u64,
    bar: Option<ProgressBar>,
    length: u64,
}

impl Printer {
    fn new(format: Format, every: u64) -> Self {
        Self { format, every: every.max(1), bar: None, length: 0 }
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Begins(summary) => self.begin(summary),
            Event::Step(row) => self.step(row),
            Event::Found(stage, path) => {
                let found = json!({ "stage": stage, "checkpoint": path });
                say::either(self.format, "found", &found, || {
                    format!("{stage}: done before, {}", path.display())
                });
            }
            Event::Saved(path) if self.format == Format::Json => {
                say::json("saved", &json!({ "checkpoint": path }))
            }
            Event::Saved(_) => {}
            Event::Deriving(progress) => self.deriving(progress),
            Event::Derived(ready) => {
                self.clear();
                say::either(self.format, "derived", ready, || derived(ready));
            }
            Event::Measured(report) => {
                self.clear();
                say::either(self.format, "measured", report, || table(report));
            }
            Event::Warning(text) => say::error(&format!("warning: {text}")),
        }
    }

    fn deriving(&mut self, progress: &Progress) {
        let Progress { derived, done, all, left } = progress;
        if self.format == Format::Json {
            say::json("deriving", progress);
        } else if say::on_terminal() {
            let bar =
                self.bar.get_or_insert_with(|| counter(*all as u64).unwrap_or_else(ProgressBar::hidden));
            bar.set_message(format!("{derived} {left} left"));
            bar.set_position(*done as u64);
        } else if 10 * done / all.max(&1) != 10 * done.saturating_sub(64) / all.max(&1) {
            say::line(format!("{derived}: {done} of {all}, {left} left"));
        }
    }

    fn begin(&mut self, summary: &Summary) {
        self.length = summary.steps;
        say::either(self.format, "begins", summary, || introduce(summary));
        if self.format == Format::Text && say::on_terminal() {
            self.bar = bar(summary);
        }
    }

    fn step(&mut self, row: &Row) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("loss {:.3} {:.0}/s", row.loss, row.samples_per_second));
            bar.set_position(row.step);
        } else if self.format == Format::Json {
            say::json("step", row);
        } else if row.step.is_multiple_of(self.every) || row.step == self.length {
            let parts: Vec<String> =
                row.losses.iter().map(|(name, loss)| format!("{name} {loss:.3}")).collect();
            let speed = row.samples_per_second;
            say::line(format!("{} loss {:.4} {} {speed:.0}/s", row.step, row.loss, parts.join(" ")));
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn end(&mut self, outcome: &Outcome) {
        self.clear();
        say::either(self.format, "ends", outcome, || conclude(outcome));
    }
}

fn bar(summary: &Summary) -> Option<ProgressBar> {
    let bar = counter(summary.steps)?.with_position(summary.done);
    bar.reset_eta();
    Some(bar)
}

fn counter(all: u64) -> Option<ProgressBar> {
    let style = ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg} {eta}").ok()?;
    Some(ProgressBar::new(all).with_style(style))
}

fn derived(ready: &Ready) -> String {
    let how = if ready.found { ", derived before" } else { "" };
    let (left, rows) = (say::grouped(ready.left), say::grouped(ready.rows));
    format!("{}: {left} of {rows} rows{how}\n  {}", ready.derived, ready.file.display())
}

fn introduce(summary: &Summary) -> String {
    let mut lines = vec![
        format!(
            "{}: {} steps of {} rows",
            summary.stage,
            say::grouped(summary.steps as usize),
            summary.batch
        ),
        format!("  epoch       {} steps", say::grouped(summary.epoch as usize)),
        format!("  parameters  {}", say::grouped(summary.parameters)),
        format!("  trained     {}", say::grouped(summary.trained)),
        format!("  memory      {}", say::bytes(summary.bytes as u64)),
    ];
    if summary.done > 0 {
        lines.push(format!("  going on after step {}", summary.done));
    }
    let account = &summary.account;
    if summary.done == 0 && account.loaded.len() + account.resized.len() > 0 {
        let (loaded, resized, fresh) = (account.loaded.len(), account.resized.len(), account.fresh.len());
        lines.push(format!("  start       {loaded} loaded, {resized} resized, {fresh} fresh"));
        if !account.left.is_empty() {
            lines.push(format!("  left over   {} tensors of public files", account.left.len()));
        }
    }
    lines.push(format!("  writes to   {}", summary.folder.display()));
    lines.join("\n")
}

/// What a task found; fits 40 columns.
pub fn table(report: &Report) -> String {
    let mut lines = match &report.found {
        Found::Retrieval(found) => recall(&report.task, found),
        Found::Scores(found) => scores(&report.task, found),
    };
    lines.extend(report.way.iter().map(|way| format!("  written {way}")));
    lines.extend(report.problems.iter().map(|problem| format!("  data: {problem}")));
    lines.join("\n")
}

fn scores(task: &str, found: &Scores) -> Vec<String> {
    let head = format!("{task}: {} rows", say::grouped(found.rows));
    let line = |(name, score): (&String, &f64)| format!("  {name:<14}{score:>10.4}");
    std::iter::once(head).chain(found.scores.iter().map(line)).collect()
}

fn recall(task: &str, found: &Retrieval) -> Vec<String> {
    let at = &found.recall.text.at;
    let head: String = at.iter().map(|k| format!("{:>7}", format!("R@{k}"))).collect();
    let row = |name: &str, percent: &[f64]| {
        let cells: String = percent.iter().map(|p| format!("{p:>7.1}")).collect();
        format!("  {name:<14}{cells}")
    };
    vec![
        format!("{task}: {} pictures, {} texts", found.images, found.texts),
        format!("  {:<14}{head}", ""),
        row("picture→text", &found.recall.text.percent),
        row("text→picture", &found.recall.image.percent),
        row("mean", &[found.recall.mean]),
    ]
}

fn conclude(outcome: &Outcome) -> String {
    let mut lines: Vec<String> = Vec::new();
    outcome.problems.iter().for_each(|problem| lines.push(format!("data: {problem}")));
    let how = if outcome.finished { "written to" } else { "stopped and saved; go on with --resume --out" };
    lines.push(format!("{how} {}", outcome.folder.display()));
    lines.join("\n")
}
