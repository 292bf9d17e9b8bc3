//! Derived data: rows that the trained model of another stage makes, computed once and kept in the run folder.
//!
//! ```text
//! recaption(web, by: write)         runs/blip-1/captioner/recaption-9c01ab33.jsonl   a text a picture
//! keep(web + synthetic, fits, …)    runs/blip-1/filter/keep-51f0a7e2.jsonl           the rows for which `fits` holds
//! ```
//!
//! Invariant: a file is used if the same request of the same numbers on the same texts made it, otherwise it is made anew, and that is
//! said. It is written in one go, so what was interrupted begins again.

use super::checkpoint::{self, Checkpoint};
use super::run::{Event, Listener, Supply};
use super::stage::layout;
use super::{TrainError, folder, plan, spec};
use crate::data::derived::{Derived, Head, Line};
use crate::exec::Memory;
use crate::lower::model::{Answer, Condition, Model, Task};
use crate::op::Context;
use crate::recipe::{Data, Rows, Timeline};
use crate::shape::Batch;
use crate::task::TaskError;
use crate::task::generate;
use crate::task::side::Side;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows that a condition is computed for at once.
const BATCH: usize = 64;

/// What a run needs to derive rows.
pub(super) struct Deriver<'a> {
    pub model: &'a Model,
    pub supply: &'a dyn Supply,
    /// The run folder.
    pub run: &'a Path,
    /// The last checkpoints of stages that are done.
    pub finished: &'a BTreeMap<String, PathBuf>,
    /// Set from outside to end after the running batch.
    pub stop: &'a AtomicBool,
}

/// How far the making of derived rows is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// As the language writes it.
    pub derived: String,
    /// Rows, or subjects of texts, that were looked at.
    pub done: usize,
    /// How many there are.
    pub all: usize,
    /// Rows that are left so far.
    pub left: usize,
}

/// Derived rows that are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// As the language writes it.
    pub derived: String,
    /// The file.
    pub file: PathBuf,
    /// Rows that it was made of.
    pub rows: usize,
    /// Rows that are left.
    pub left: usize,
    /// Whether they were found, not made now.
    pub found: bool,
}

/// Hears how many are done and left; says whether to go on.
type Told<'t> = dyn FnMut(usize, usize) -> bool + 't;

impl Deriver<'_> {
    /// Makes what data needs of other stages and is not there yet. Says whether all of it is there: false if it was interrupted.
    ///
    /// # Errors
    /// A stage that is not trained, broken data, a graph that cannot be run.
    pub fn ensure(&self, data: &Data, listener: &mut Listener<'_>) -> Result<bool, TrainError> {
        for rows in data.rows.derived() {
            if !self.one(rows, listener)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same for the data of a task, which is small enough not to be interrupted.
    ///
    /// # Errors
    /// As [`Deriver::ensure`].
    pub fn for_task(&self, task: &Task, listener: &mut Listener<'_>) -> Result<(), TrainError> {
        let Some(data) = &task.data else { return Ok(()) };
        match self.ensure(data, listener)? {
            true => Ok(()),
            false => {
                Err(TrainError::Data(format!("the data of task `{}` was not derived to its end", task.name)))
            }
        }
    }

    fn one(&self, rows: &Rows, listener: &mut Listener<'_>) -> Result<bool, TrainError> {
        let (Some(stage), Some(file)) = (rows.maker(), rows.derived_in(self.run)) else { return Ok(true) };
        let untrained = || TrainError::Underived {
            derived: rows.to_string(),
            stage: stage.to_string(),
            folder: self.run.display().to_string(),
        };
        let saved = Checkpoint::open(self.finished.get(stage).ok_or_else(untrained)?)?;
        let (head, made) = match rows {
            Rows::Kept { data, condition, .. } => {
                self.kept(rows, data, condition, &saved, &file, listener)?
            }
            Rows::Recaptioned { data, by, .. } => self.written(rows, data, by, &saved, &file, listener)?,
            Rows::Sets { .. } | Rows::Mixed(_) => return Ok(true),
        };
        let (found, derived) = match made {
            Made::Found => (true, Derived::read(&file).map_err(|error| TrainError::Data(error.to_string()))?),
            Made::Interrupted => return Ok(false),
            Made::Now(lines) => (false, Derived { head, lines }),
        };
        if derived.lines.is_empty() {
            let (all, count) = (rows.to_string(), derived.head.rows);
            return Err(TrainError::Data(format!(
                "{all} leaves none of {count} rows; loosen its condition, or train `{stage}` longer"
            )));
        }
        if !found {
            let parent = file.parent().unwrap_or(self.run);
            std::fs::create_dir_all(parent).map_err(TrainError::file("make", parent))?;
            folder::replace(&file, derived.text().as_bytes())?;
        }
        let (derived, rows, left) = (rows.to_string(), derived.head.rows, derived.lines.len());
        listener(Event::Derived(&Ready { derived, file, rows, left, found }));
        Ok(true)
    }

    /// The rows for which a condition holds.
    fn kept(
        &self,
        rows: &Rows,
        data: &Data,
        condition: &str,
        saved: &Checkpoint,
        file: &Path,
        listener: &mut Listener<'_>,
    ) -> Result<(Head, Made), TrainError> {
        let unknown = || TrainError::Data(format!("the model does not know the condition `{condition}`"));
        let known = self.model.condition(condition, &saved.state.stage).ok_or_else(unknown)?;
        let mut table = self.supply.rows(known, data, self.run)?;
        let head = self.head(rows, saved, (table.fingerprint(), table.rows()), None)?;
        if self.is_there(file, &head, listener) {
            return Ok((head, Made::Found));
        }
        let Condition { values, symbol, .. } = known;
        let mut memory = Memory::for_evaluation(&layout(&values.parameters, &values.twins, &values.states));
        checkpoint::read_model(&mut saved.model()?, &mut memory)?;
        let graph = values.graph.bind(&Batch::of(symbol, BATCH)).map_err(TaskError::from)?;
        let executor = self.supply.executor()?;
        let mut side = Side::new(graph, condition, BATCH, executor.as_ref(), &memory.layout.clone())?;
        let context = context(saved);
        let (mut lines, count) = (Vec::new(), table.rows());
        let mut told = self.telling(rows, count, listener);
        for start in (0..count).step_by(BATCH) {
            let batch = start..(start + BATCH).min(count);
            let found = side.run(table.read(batch.clone())?, batch.len(), &mut memory, &context)?;
            let holds = batch.clone().zip(found.floats("keep")).filter(|(_, holds)| **holds != 0.0);
            lines.extend(holds.map(|(row, _)| Line { row, text: table.words(row).map(str::to_string) }));
            if !told(batch.end, lines.len()) {
                return Ok((head, Made::Interrupted));
            }
        }
        drop(told);
        Ok((head, Made::Now(lines)))
    }

    /// A text about every subject.
    fn written(
        &self,
        rows: &Rows,
        data: &Data,
        by: &str,
        saved: &Checkpoint,
        file: &Path,
        listener: &mut Listener<'_>,
    ) -> Result<(Head, Made), TrainError> {
        let task = Task { data: Some(data.clone()), ..plan::task(self.model, by)?.clone() };
        let mut subjects = self.supply.subjects(&task, self.run)?;
        let column = written_column(&task, data)?;
        let head = self.head(rows, saved, (subjects.fingerprint(), subjects.rows()), Some(column))?;
        if self.is_there(file, &head, listener) {
            return Ok((head, Made::Found));
        }
        let mut memory = Memory::for_evaluation(&layout(&task.parameters, &task.twins, &task.states));
        checkpoint::read_model(&mut saved.model()?, &mut memory)?;
        let executor = self.supply.executor()?;
        let mut told = self.telling(rows, subjects.count(), listener);
        let texts = generate::texts(&task, executor.as_ref(), &mut memory, subjects.as_mut(), &mut |done| {
            told(done, done)
        })?;
        drop(told);
        let Some(texts) = texts else { return Ok((head, Made::Interrupted)) };
        let line = |(subject, text)| Line { row: subjects.row(subject), text: Some(text) };
        Ok((head, Made::Now(texts.into_iter().enumerate().map(line).collect())))
    }

    fn head(
        &self,
        rows: &Rows,
        saved: &Checkpoint,
        (data, count): (String, usize),
        column: Option<String>,
    ) -> Result<Head, TrainError> {
        Ok(Head {
            derived: rows.to_string(),
            stage: saved.state.stage.clone(),
            checkpoint: saved.fingerprint()?,
            request: spec::request(self.model, rows),
            data,
            rows: count,
            column,
        })
    }

    /// Whether a file holds just this; one that holds something else is said to be made anew.
    fn is_there(&self, file: &Path, head: &Head, listener: &mut Listener<'_>) -> bool {
        if !file.exists() {
            return false;
        }
        let found = Derived::head(file);
        if found.as_ref() == Some(head) {
            return true;
        }
        let differs = match found {
            Some(found) if found.checkpoint != head.checkpoint => {
                format!("other numbers of `{}`", head.stage)
            }
            Some(found) if found.data != head.data => "other data".to_string(),
            _ => "another request".to_string(),
        };
        listener(Event::Warning(&format!("{} was made by {differs}; it is made anew", file.display())));
        false
    }

    fn telling<'t>(&'t self, rows: &Rows, all: usize, listener: &'t mut Listener<'_>) -> Box<Told<'t>> {
        let derived = rows.to_string();
        Box::new(move |done, left| {
            listener(Event::Deriving(&Progress { derived: derived.clone(), done, all, left }));
            !self.stop.load(Ordering::Relaxed) || done == all
        })
    }
}

/// What came of a request.
enum Made {
    Found,
    Now(Vec<Line>),
    Interrupted,
}

/// The column of the data that feeds the input which a task writes.
fn written_column(task: &Task, data: &Data) -> Result<String, TrainError> {
    let column = match &task.answer {
        Answer::Generate { token, .. } => data.columns.iter().find(|column| column.name == *token),
        _ => None,
    };
    let missing = || TrainError::Data(format!("task `{}` writes nothing that this data has", task.name));
    Ok(column.ok_or_else(missing)?.from.clone())
}

/// What draws and schedules of a condition see.
fn context(saved: &Checkpoint) -> Context {
    let time = Timeline { length: 0, epoch: 1 };
    Context { seed: 0, stage: saved.state.stage.clone(), step: 0, time, first_row: 0 }
}
