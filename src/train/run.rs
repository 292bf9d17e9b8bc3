//! A run: the stages of a file in order, each in its folder, and their tasks at the end.

use super::checkpoint::{self, Checkpoint};
use super::derive::{Deriver, Progress, Ready};
use super::feed::Feed;
use super::folder::{self, RunFolder};
use super::r#loop::{Course, End, Observer, run as run_loop};
use super::measure::{answer, keep_captions, measure_saved};
use super::metrics::Metrics;
use super::stage::Trainer;
use super::start::{self, Account};
use super::step::Row;
use super::{TrainError, fit, plan, spec};
use crate::exec::Executor;
use crate::lower::model::{Condition, Model, Parameter, Stage, Start, Task};
use crate::recipe::{Data, Duration, Timeline};
use crate::task::TaskError;
use crate::task::gallery::Gallery;
use crate::task::report::Report;
use crate::task::subjects::Subjects;
use crate::task::table::Table;
use crate::weights::Archive;
use crate::weights::locate::locate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the command line or another program may say about a run.
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// Just this stage, and what it needs.
    pub stage: Option<String>,
    /// Folders of public checkpoints.
    pub weights: Vec<PathBuf>,
    /// The run folder; otherwise a fresh one below `runs`.
    pub out: Option<PathBuf>,
    /// Go on with what the run folder holds.
    pub resume: bool,
    /// The seed, before that of the stage.
    pub seed: Option<u64>,
    /// A shorter or longer stage.
    pub steps: Option<u64>,
    /// Run folders in which finished stages are looked for, besides this one.
    pub from: Vec<PathBuf>,
    /// Bytes of memory that a stage may need; otherwise what the system has available.
    pub memory: Option<u64>,
    /// Steps between checkpoints; 0 means 500.
    pub save_every: u64,
    /// Set from outside to end after the running step.
    pub stop: Arc<AtomicBool>,
}

/// What a run needs from outside: numbers for its inputs, something that computes. `run` is the run folder, where derived rows lie.
pub trait Supply {
    /// The batches of a stage.
    ///
    /// # Errors
    /// The data cannot be opened.
    fn feed(&self, stage: &Stage, seed: u64, run: &Path) -> Result<Box<dyn Feed>, TrainError>;
    /// The pictures and texts of a task.
    ///
    /// # Errors
    /// The data cannot be opened.
    fn gallery(&self, task: &Task, run: &Path) -> Result<Box<dyn Gallery>, TaskError>;
    /// The rows of a task.
    ///
    /// # Errors
    /// The data cannot be opened.
    fn table(&self, task: &Task, run: &Path) -> Result<Box<dyn Table>, TaskError>;
    /// What texts of a task are written about.
    ///
    /// # Errors
    /// The data cannot be opened.
    fn subjects(&self, task: &Task, run: &Path) -> Result<Box<dyn Subjects>, TaskError>;
    /// The rows of which a condition keeps some.
    ///
    /// # Errors
    /// The data cannot be opened.
    fn rows(&self, condition: &Condition, data: &Data, run: &Path) -> Result<Box<dyn Table>, TaskError>;
    /// What runs the graphs.
    ///
    /// # Errors
    /// There is no such executor here.
    fn executor(&self) -> Result<Box<dyn Executor>, TrainError>;
}

/// What a stage is about to do.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The stage.
    pub stage: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Elements of all parameters.
    pub parameters: usize,
    /// Elements of those that move.
    pub trained: usize,
    /// Steps made before.
    pub done: u64,
    /// Steps of the whole stage.
    pub steps: u64,
    /// Full batches of an epoch.
    pub epoch: u64,
    /// Rows a step.
    pub batch: usize,
    /// Bytes of everything.
    pub bytes: usize,
    /// Where the values came from.
    pub account: Account,
}

/// What a run says while it goes.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A finished stage was found.
    Found(&'a str, &'a Path),
    /// A stage begins.
    Begins(&'a Summary),
    /// A step was made.
    Step(&'a Row),
    /// A checkpoint was saved.
    Saved(&'a Path),
    /// Rows are being derived.
    Deriving(&'a Progress),
    /// Derived rows are there.
    Derived(&'a Ready),
    /// A task was run.
    Measured(&'a Report),
    /// Something that did not stop the run.
    Warning(&'a str),
}

/// Hears events; the command line prints them.
pub type Listener<'a> = dyn FnMut(Event<'_>) + 'a;

/// What came out of a run; `report.json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// The run folder.
    pub folder: PathBuf,
    /// Whether all stages were trained to their end.
    pub finished: bool,
    /// Results of tasks.
    pub measured: Vec<Report>,
    /// What was wrong with the data of a stage but did not stop it.
    pub problems: Vec<String>,
}

/// Trains the stages of a model.
///
/// # Errors
/// See [`TrainError`]; what was saved before stays.
pub fn train(
    model: &Model,
    options: &TrainOptions,
    supply: &dyn Supply,
    listener: &mut Listener<'_>,
) -> Result<Outcome, TrainError> {
    let order = plan::order(model, options.stage.as_deref())?;
    order.iter().try_for_each(|stage| super::stage::refuse_later(stage))?;
    let path = plan::folder(model, options)?;
    let finished = finished(model, &order, &path, options, listener)?;
    let executor = supply.executor()?;
    for stage in order.iter().filter(|stage| !finished.contains_key(&stage.name)) {
        fit::demand(stage, executor.as_ref(), options.memory)?;
    }
    let folder = RunFolder::hold(&path)?;
    if folder.is_used() && !options.resume {
        return Err(TrainError::Occupied { folder: folder.path.display().to_string() });
    }
    if options.resume && !folder.is_used() {
        listener(Event::Warning(&format!(
            "{} holds nothing to go on from: begun anew",
            folder.path.display()
        )));
    }
    folder::replace(&folder.path.join("spec.lock"), model.merged(&said(options)).as_bytes())?;
    let outcome = Outcome { finished: true, ..Outcome::default() };
    let mut run = Run { model, options, supply, folder, finished, outcome };
    for stage in order {
        if run.stage(stage, listener)? == End::Interrupted {
            run.outcome.finished = false;
            break;
        }
    }
    run.outcome.folder = run.folder.path.clone();
    let report = serde_json::to_vec_pretty(&run.outcome).unwrap_or_default();
    folder::replace(&run.folder.path.join("report.json"), &report)?;
    Ok(run.outcome)
}

/// The seed of a stage, and the hash by which its checkpoints are known again.
fn identity(model: &Model, stage: &Stage, options: &TrainOptions) -> (u64, String) {
    let seed = options.seed.or(stage.seed).unwrap_or(0);
    (seed, spec::of(model, stage, seed, options.steps))
}

/// What the options say about every stage, as fields.
fn said(options: &TrainOptions) -> Vec<(&'static str, String)> {
    let seed = options.seed.map(|seed| ("seed", seed.to_string()));
    let length = options.steps.map(|steps| ("length", format!("steps({steps})")));
    seed.into_iter().chain(length).collect()
}

/// The last checkpoints of stages that are done, in the run folder or in those of `from`.
fn finished(
    model: &Model,
    order: &[&Stage],
    folder: &Path,
    options: &TrainOptions,
    listener: &mut Listener<'_>,
) -> Result<BTreeMap<String, PathBuf>, TrainError> {
    let mut done = BTreeMap::new();
    let from = options.from.iter().map(PathBuf::as_path);
    for (stage, folder, given) in order.iter().flat_map(|stage| {
        let own = std::iter::once((*stage, folder, false));
        own.chain(from.clone().map(|folder| (*stage, folder, true)))
    }) {
        let found = checkpoint::latest(&folder.join(&stage.name).join("checkpoints"))?;
        let Some(found) = found.filter(|c| c.state.finished()) else { continue };
        if found.state.spec == identity(model, stage, options).1 {
            done.entry(stage.name.clone()).or_insert(found.path);
        } else if given {
            let (stage, folder) = (&stage.name, folder.display());
            listener(Event::Warning(&format!(
                "`{stage}` in {folder} was made by another model, recipe or seed; it is trained anew"
            )));
        }
    }
    Ok(done)
}

struct Run<'a> {
    model: &'a Model,
    options: &'a TrainOptions,
    supply: &'a dyn Supply,
    folder: RunFolder,
    /// The last checkpoints of stages that are done.
    finished: BTreeMap<String, PathBuf>,
    outcome: Outcome,
}

impl Run<'_> {
    fn stage(&mut self, stage: &Stage, listener: &mut Listener<'_>) -> Result<End, TrainError> {
        let folder = self.folder.stage(&stage.name)?;
        if let Some(found) = self.finished.get(&stage.name).cloned() {
            listener(Event::Found(&stage.name, &found));
            if found.starts_with(&folder) {
                let saved = Checkpoint::open(&found)?;
                let step = saved.state.length;
                let mut metrics = Metrics::open(&folder.join("metrics.jsonl"), step)?;
                self.measure(stage, &mut metrics, step, listener, &|run, name, listener| {
                    let task = plan::task(run.model, name)?;
                    run.deriver().for_task(task, listener)?;
                    measure_saved(task, &saved, run.supply, &run.folder.path)
                })?;
            }
            return Ok(End::Finished);
        }
        let (seed, spec) = identity(self.model, stage, self.options);
        for feed in &stage.feeds {
            if !self.deriver().ensure(&feed.data, listener)? {
                return Ok(End::Interrupted);
            }
        }
        let mut feed = self.supply.feed(stage, seed, &self.folder.path)?;
        let time = timeline(stage, feed.epoch(), self.options.steps)?;
        let mut trainer = Trainer::new(stage, self.supply.executor()?, seed, time)?;
        let save_every = if self.options.save_every == 0 { 500 } else { self.options.save_every };
        let course = Course { folder: &folder, spec, save_every, stop: &self.options.stop };
        let mut account = Account::new(&trainer.memory.layout);
        if !course.resume(&mut trainer, feed.as_mut())? {
            self.start(stage, &mut trainer, &mut account)?;
        }
        listener(Event::Begins(&summary(stage, &folder, &trainer, account)));
        let mut reporter = Reporter { run: self, stage, listener };
        let end = run_loop(&mut trainer, feed.as_mut(), &course, &mut reporter)?;
        let named = |problem: String| format!("{}: {problem}", stage.name);
        self.outcome.problems.extend(feed.problems().into_iter().map(named));
        if end == End::Finished {
            let last = format!("checkpoints/step-{}", time.length);
            self.finished.insert(stage.name.clone(), folder.join(last));
            let mut metrics = Metrics::open(&folder.join("metrics.jsonl"), time.length)?;
            self.measure(stage, &mut metrics, time.length, listener, &|run, name, listener| {
                run.evaluate(name, &trainer, listener)
            })?;
        }
        Ok(end)
    }

    fn start(&self, stage: &Stage, trainer: &mut Trainer, account: &mut Account) -> Result<(), TrainError> {
        for start in &stage.start {
            match start {
                Start::Stage(name) => start::bring(trainer, stage, &mut self.trained(name)?, account)?,
                Start::Moved { stage: name, loads, .. } => {
                    start::apply(&mut trainer.memory, stage, &mut self.trained(name)?, loads, account)?;
                }
                Start::Base(name) => {
                    let what = format!("starting from `{name}`, a stage of the extended file");
                    let instead = "start from a stage of this file".to_string();
                    return Err(TrainError::Later { what, instead });
                }
                Start::Weights { checkpoint, loads, .. } => {
                    let mut archive = Archive::open(&locate(checkpoint, &self.options.weights)?)?;
                    start::apply(&mut trainer.memory, stage, &mut archive, loads, account)?;
                }
            }
        }
        start::finish(trainer, stage, account);
        Ok(())
    }

    /// The model of a finished stage.
    fn trained(&self, stage: &str) -> Result<Archive, TrainError> {
        let untrained = || TrainError::Untrained {
            stage: stage.to_string(),
            folder: self.folder.path.display().to_string(),
        };
        Checkpoint::open(self.finished.get(stage).ok_or_else(untrained)?)?.model()
    }

    /// Takes over what the tasks of a stage gave at its end; what is not written down there is run now.
    fn measure(
        &mut self,
        stage: &Stage,
        metrics: &mut Metrics,
        step: u64,
        listener: &mut Listener<'_>,
        evaluate: &dyn Fn(&Self, &str, &mut Listener<'_>) -> Result<Report, TrainError>,
    ) -> Result<(), TrainError> {
        for (name, _) in &stage.evaluate {
            let report = match metrics.measured(name, step)? {
                Some(report) => report,
                None => {
                    let report = evaluate(self, name, listener)?;
                    metrics.write(&Measured { step, report: &report })?;
                    listener(Event::Measured(&report));
                    report
                }
            };
            self.outcome.measured.push(report);
        }
        Ok(())
    }

    fn deriver(&self) -> Deriver<'_> {
        let Self { model, supply, folder, finished, options, .. } = self;
        Deriver { model, supply: *supply, run: &folder.path, finished, stop: &options.stop }
    }

    fn evaluate(
        &self,
        name: &str,
        trainer: &Trainer,
        listener: &mut Listener<'_>,
    ) -> Result<Report, TrainError> {
        let task = plan::task(self.model, name)?;
        self.deriver().for_task(task, listener)?;
        let mut memory = plan::memory_of(task, trainer)?;
        let report = answer(task, trainer.executor.as_ref(), &mut memory, self.supply, &self.folder.path)?;
        keep_captions(&self.folder.stage(&task.stage)?, &report)?;
        Ok(report)
    }
}

/// A line of metrics.jsonl about a task.
#[derive(Serialize)]
struct Measured<'a> {
    step: u64,
    #[serde(flatten)]
    report: &'a Report,
}

struct Reporter<'a, 'b, 'c> {
    run: &'a mut Run<'b>,
    stage: &'a Stage,
    listener: &'a mut Listener<'c>,
}

impl Observer for Reporter<'_, '_, '_> {
    fn step(&mut self, row: &Row) -> Result<(), TrainError> {
        (self.listener)(Event::Step(row));
        Ok(())
    }

    fn saved(&mut self, path: &Path) -> Result<(), TrainError> {
        (self.listener)(Event::Saved(path));
        Ok(())
    }

    fn between(&mut self, trainer: &mut Trainer, metrics: &mut Metrics) -> Result<(), TrainError> {
        let (step, time) = (trainer.context.step, trainer.context.time);
        for (name, every) in &self.stage.evaluate {
            let due = every.is_some_and(|every| step.is_multiple_of(every.steps(time.epoch).max(1)));
            if due && step < time.length {
                let report = self.run.evaluate(name, trainer, self.listener)?;
                metrics.write(&Measured { step, report: &report })?;
                (self.listener)(Event::Measured(&report));
            }
        }
        Ok(())
    }
}

fn timeline(stage: &Stage, epoch: u64, steps: Option<u64>) -> Result<Timeline, TrainError> {
    if epoch == 0 && matches!(stage.length, Duration::Epochs(_)) {
        return Err(TrainError::TooFewRows { stage: stage.name.clone(), rows: 0, batch: stage.batch() });
    }
    Ok(Timeline { length: steps.unwrap_or_else(|| stage.length.steps(epoch)), epoch })
}

fn summary(stage: &Stage, folder: &Path, trainer: &Trainer, account: Account) -> Summary {
    let count = |all: bool| {
        let counted = stage.parameters.iter().filter(|p| all || p.trained);
        counted.map(Parameter::elements).sum()
    };
    Summary {
        stage: stage.name.clone(),
        folder: folder.to_path_buf(),
        parameters: count(true),
        trained: count(false),
        done: trainer.context.step,
        steps: trainer.context.time.length,
        epoch: trainer.context.time.epoch,
        batch: stage.batch(),
        bytes: trainer.bytes(),
        account,
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
