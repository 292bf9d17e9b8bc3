//! The loop of a stage: load, step, note, save, until the end or until somebody asks to stop.

use super::TrainError;
use super::checkpoint::{self, State};
use super::feed::Feed;
use super::metrics::Metrics;
use super::stage::Trainer;
use super::step::Row;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// How a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All steps were made.
    Finished,
    /// Somebody asked to stop; a checkpoint was saved.
    Interrupted,
}

/// What the loop needs besides the trainer.
pub struct Course<'a> {
    /// Folder of the stage.
    pub folder: &'a Path,
    /// Hash of the stage.
    pub spec: String,
    /// Steps between checkpoints.
    pub save_every: u64,
    /// Set from outside to end after the running step.
    pub stop: &'a AtomicBool,
}

/// What the loop tells while it runs.
pub trait Observer {
    /// A step was made.
    fn step(&mut self, row: &Row) -> Result<(), TrainError>;
    /// A checkpoint was saved.
    fn saved(&mut self, path: &Path) -> Result<(), TrainError>;
    /// Called between steps with the trainer: evaluations in between.
    fn between(&mut self, trainer: &mut Trainer, metrics: &mut Metrics) -> Result<(), TrainError>;
}

/// Trains to the end of the stage.
///
/// # Errors
/// A NaN, broken data, a full disk; the last checkpoint stays.
pub fn run(
    trainer: &mut Trainer,
    feed: &mut dyn Feed,
    course: &Course<'_>,
    observer: &mut dyn Observer,
) -> Result<End, TrainError> {
    let mut metrics = Metrics::open(&course.folder.join("metrics.jsonl"), trainer.context.step)?;
    while trainer.context.step < trainer.context.time.length {
        let batch = feed.next_batch()?;
        let row = trainer.step(&batch)?;
        metrics.write(&row)?;
        observer.step(&row)?;
        let stop = course.stop.load(Ordering::Relaxed);
        let last = row.step == trainer.context.time.length;
        if stop || last || row.step.is_multiple_of(course.save_every.max(1)) {
            observer.saved(&course.save(trainer, feed)?)?;
        }
        observer.between(trainer, &mut metrics)?;
        if stop && !last {
            return Ok(End::Interrupted);
        }
    }
    Ok(End::Finished)
}

impl Course<'_> {
    fn save(&self, trainer: &Trainer, feed: &dyn Feed) -> Result<PathBuf, TrainError> {
        let context = &trainer.context;
        let state = State {
            version: env!("CARGO_PKG_VERSION").into(),
            stage: context.stage.clone(),
            spec: self.spec.clone(),
            step: context.step,
            length: context.time.length,
            seed: context.seed,
            position: feed.position(),
        };
        checkpoint::save(&self.folder.join("checkpoints"), trainer, &state)
    }

    /// Goes on from the last checkpoint of the folder, if there is one.
    ///
    /// # Errors
    /// It belongs to another stage or is damaged.
    pub fn resume(&self, trainer: &mut Trainer, feed: &mut dyn Feed) -> Result<bool, TrainError> {
        let Some(found) = checkpoint::latest(&self.folder.join("checkpoints"))? else { return Ok(false) };
        found.restore(trainer, &self.spec)?;
        feed.seek(&found.state.position)?;
        Ok(true)
    }
}
