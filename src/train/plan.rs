//! What a run does, decided before it does anything: which stages in which order, in which folder.

use super::run::TrainOptions;
use super::stage::{Trainer, layout};
use super::{TrainError, checkpoint, folder};
use crate::exec::{Memory, Slot};
use crate::lower::model::{Model, Stage, Start, Task};
use crate::recipe::Rows;
use crate::tensor::Values;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stages in the order of running: each after those it starts from, and after those that derive its data.
///
/// # Errors
/// An unknown stage, or a circle.
pub fn order<'a>(model: &'a Model, only: Option<&str>) -> Result<Vec<&'a Stage>, TrainError> {
    let mut order = Vec::new();
    let all: Vec<&str> = model.stages.iter().map(|s| s.name.as_str()).collect();
    for name in only.map_or(all, |name| vec![name]) {
        visit(model, name, &mut order, &mut Vec::new())?;
    }
    Ok(order)
}

fn visit<'a>(
    model: &'a Model,
    name: &str,
    order: &mut Vec<&'a Stage>,
    above: &mut Vec<String>,
) -> Result<(), TrainError> {
    let stage = stage(model, name)?;
    if above.iter().any(|known| known == name) {
        return Err(TrainError::Circle(name.to_string()));
    }
    if order.iter().any(|known| known.name == name) {
        return Ok(());
    }
    above.push(name.to_string());
    for start in &stage.start {
        if let Start::Stage(name) | Start::Moved { stage: name, .. } = start {
            visit(model, name, order, above)?;
        }
    }
    for maker in stage.feeds.iter().flat_map(|feed| feed.data.rows.derived()).filter_map(Rows::maker) {
        visit(model, maker, order, above)?;
    }
    above.pop();
    order.push(stage);
    Ok(())
}

/// A stage by name.
///
/// # Errors
/// There is none of that name.
pub fn stage<'a>(model: &'a Model, name: &str) -> Result<&'a Stage, TrainError> {
    let known = || model.stages.iter().map(|s| s.name.clone()).collect();
    let found = model.stages.iter().find(|s| s.name == name);
    found.ok_or_else(|| TrainError::Unknown { what: "stage", name: name.to_string(), known: known() })
}

/// A task by name.
///
/// # Errors
/// There is none of that name.
pub fn task<'a>(model: &'a Model, name: &str) -> Result<&'a Task, TrainError> {
    let known = || model.tasks.iter().map(|t| t.name.clone()).collect();
    let found = model.tasks.iter().find(|t| t.name == name);
    found.ok_or_else(|| TrainError::Unknown { what: "task", name: name.to_string(), known: known() })
}

/// The run folder: as asked for, the newest to go on with, or a fresh one.
///
/// # Errors
/// Nothing to go on with.
pub fn folder(model: &Model, options: &TrainOptions) -> Result<PathBuf, TrainError> {
    if let Some(out) = &options.out {
        return Ok(out.clone());
    }
    let runs = Path::new("runs");
    let name = options.stage.as_ref().map_or(model.name.clone(), |stage| format!("{}-{stage}", model.name));
    if !options.resume {
        return Ok(folder::fresh(runs, &name));
    }
    let nothing =
        || TrainError::NothingToResume(format!("no folder runs/{name}-1; give its folder with --out"));
    folder::newest(runs, &name).ok_or_else(nothing)
}

/// The run folder that holds a task's stage: the given one, or the newest.
///
/// # Errors
/// There is no run folder.
pub fn run_of(model: &Model, task: &Task, out: Option<&Path>) -> Result<PathBuf, TrainError> {
    let (runs, both) = (Path::new("runs"), format!("{}-{}", model.name, task.stage));
    let newest = || folder::newest(runs, &model.name).or_else(|| folder::newest(runs, &both));
    let nothing = || TrainError::Untrained { stage: task.stage.clone(), folder: "runs".into() };
    out.map(Path::to_path_buf).or_else(newest).ok_or_else(nothing)
}

/// The last checkpoints of stages that are done, in a run folder.
///
/// # Errors
/// A state.json that is damaged.
pub fn finished_in(model: &Model, run: &Path) -> Result<BTreeMap<String, PathBuf>, TrainError> {
    let mut done = BTreeMap::new();
    for stage in &model.stages {
        let found = checkpoint::latest(&run.join(&stage.name).join("checkpoints"))?;
        done.extend(found.filter(|c| c.state.finished()).map(|found| (stage.name.clone(), found.path)));
    }
    Ok(done)
}

/// Copies what both memories have with equal shapes.
pub fn share(from: &Memory, to: &mut Memory) {
    copy(&from.layout.parameters, &from.parameters, &to.layout.parameters, &mut to.parameters);
    copy(&from.layout.twins, &from.twins, &to.layout.twins, &mut to.twins);
    copy(&from.layout.states, &from.states, &to.layout.states, &mut to.states);
}

/// What a task reads and a stage holds: in its memory, or carried along from earlier stages.
///
/// # Errors
/// The stage holds something not at all, or in another shape.
pub fn memory_of(task: &Task, trainer: &Trainer) -> Result<Memory, TrainError> {
    let mut memory = Memory::for_evaluation(&layout(&task.parameters, &task.twins, &task.states));
    share(&trainer.memory, &mut memory);
    let (held, Memory { layout, parameters, twins, states, .. }) = (&trainer.memory.layout, &mut memory);
    carry(task, trainer, "", (&held.parameters, &layout.parameters), parameters)?;
    carry(task, trainer, "", (&held.twins, &layout.twins), twins)?;
    carry(task, trainer, "state/", (&held.states, &layout.states), states)?;
    Ok(memory)
}

/// Fills what is wanted and not held from what the stage carries along.
fn carry(
    task: &Task,
    trainer: &Trainer,
    prefix: &str,
    (held, wanted): (&BTreeMap<String, Slot>, &BTreeMap<String, Slot>),
    words: &mut [f32],
) -> Result<(), TrainError> {
    for (name, slot) in wanted {
        if held.get(name).is_some_and(|held| held.dims == slot.dims) {
            continue;
        }
        let path = format!("{prefix}{name}");
        let carried = trainer.carried.get(&path).filter(|tensor| tensor.dims == slot.dims);
        match carried.map(|tensor| (&tensor.values, slot.ids)) {
            Some((Values::Floats(values), false)) => words[slot.range()].copy_from_slice(values),
            Some((Values::Ids(ids), true)) => slot.write_ids(words, ids),
            _ => {
                let (task, stage) = (task.name.clone(), task.stage.clone());
                return Err(TrainError::NotHeld { task, stage, path });
            }
        }
    }
    Ok(())
}

fn copy(from: &BTreeMap<String, Slot>, values: &[f32], to: &BTreeMap<String, Slot>, place: &mut [f32]) {
    for (name, slot) in to {
        if let Some(source) = from.get(name).filter(|source| source.dims == slot.dims) {
            place[slot.range()].copy_from_slice(&values[source.range()]);
        }
    }
}
