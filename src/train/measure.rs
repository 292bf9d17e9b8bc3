//! Measuring: a task on the numbers of a checkpoint, or of a stage that has just been trained, by the protocol that it asks for.
//!
//! Invariant: what a task finds depends on the numbers and the data alone, whenever it is run.

use super::checkpoint::{self, Checkpoint};
use super::derive::Deriver;
use super::run::Supply;
use super::stage::layout;
use super::{TrainError, folder, plan};
use crate::exec::{Executor, Memory};
use crate::lower::model::{Answer, Model, Task};
use crate::task::report::{Found, Report, Scores};
use crate::task::table::Table;
use crate::task::{TaskError, classify, generate, measure, rank, retrieval, zero_shot};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Runs a task on the newest checkpoint of its stage in a run folder.
///
/// # Errors
/// No such task, no trained stage, broken data.
pub fn evaluate(
    model: &Model,
    name: &str,
    out: Option<&Path>,
    supply: &dyn Supply,
) -> Result<Report, TrainError> {
    let task = plan::task(model, name)?;
    let run = plan::run_of(model, task, out)?;
    let folder = run.join(&task.stage).join("checkpoints");
    let untrained =
        || TrainError::Untrained { stage: task.stage.clone(), folder: folder.display().to_string() };
    let found = checkpoint::latest(&folder)?.ok_or_else(untrained)?;
    let (finished, stop) = (plan::finished_in(model, &run)?, AtomicBool::new(false));
    let deriver = Deriver { model, supply, run: &run, finished: &finished, stop: &stop };
    deriver.for_task(task, &mut |_| {})?;
    measure_saved(task, &found, supply, &run)
}

/// Writes down what a task wrote, a line a text, in the folder of its stage.
pub(super) fn keep_captions(folder: &Path, report: &Report) -> Result<(), TrainError> {
    if report.captions.is_empty() {
        return Ok(());
    }
    let line = |caption| serde_json::to_string(caption).map(|line| line + "\n").unwrap_or_default();
    let lines: String = report.captions.iter().map(line).collect();
    folder::replace(&folder.join(format!("captions-{}.jsonl", report.task)), lines.as_bytes())
}

pub(super) fn measure_saved(
    task: &Task,
    found: &Checkpoint,
    supply: &dyn Supply,
    run: &Path,
) -> Result<Report, TrainError> {
    let mut memory = Memory::for_evaluation(&layout(&task.parameters, &task.twins, &task.states));
    checkpoint::read_model(&mut found.model()?, &mut memory)?;
    let report = answer(task, supply.executor()?.as_ref(), &mut memory, supply, run)?;
    // Checkpoints lie in `STAGE/checkpoints/step-N`.
    if let Some(folder) = found.path.ancestors().nth(2) {
        keep_captions(folder, &report)?;
    }
    Ok(report)
}

/// Runs the protocol that a task asks for.
pub(super) fn answer(
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    supply: &dyn Supply,
    run: &Path,
) -> Result<Report, TrainError> {
    let mut rows = |protocol: &mut RowTask<'_>| -> Result<(Found, Vec<String>), TaskError> {
        let mut table = supply.table(task, run)?;
        let scores = protocol(memory, table.as_mut())?;
        Ok((Found::Scores(scores), table.problems()))
    };
    let (found, problems) = match &task.answer {
        Answer::Retrieval { .. } => {
            let mut gallery = supply.gallery(task, run)?;
            let found = retrieval::run(task, executor, memory, gallery.as_mut())?;
            (Found::Retrieval(found), gallery.problems())
        }
        Answer::Classify => rows(&mut |memory, table| classify::run(task, executor, memory, table))?,
        Answer::ZeroShot { prompts } => {
            rows(&mut |memory, table| zero_shot::run(task, prompts, executor, memory, table))?
        }
        Answer::Measure(names) => {
            rows(&mut |memory, table| measure::run(task, names, executor, memory, table))?
        }
        Answer::Generate { .. } => {
            let mut subjects = supply.subjects(task, run)?;
            let texts = generate::run(task, executor, memory, subjects.as_mut())?;
            let report = Report::new(&task.name, Found::Scores(texts.scores), subjects.problems());
            return Ok(Report { captions: texts.captions, way: Some(texts.way), ..report });
        }
        Answer::Rank { .. } => {
            let mut subjects = supply.subjects(task, run)?;
            let (scores, captions) = rank::run(task, executor, memory, subjects.as_mut())?;
            let report = Report::new(&task.name, Found::Scores(scores), subjects.problems());
            return Ok(Report { captions, ..report });
        }
    };
    Ok(Report::new(&task.name, found, problems))
}

/// A protocol that looks at rows.
type RowTask<'r> = dyn FnMut(&mut Memory, &mut dyn Table) -> Result<Scores, TaskError> + 'r;
