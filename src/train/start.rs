//! What a stage starts from: another stage's checkpoint by path, a public one by a weight map, shapes fitted by the resize
//! rules; everything accounted for, on both sides.

use super::{TrainError, checkpoint, stage};
use crate::exec::{Layout, Memory, Slot};
use crate::lower::model::{Load, Parameter, Stage};
use crate::tensor::{Tensor, Values};
use crate::train::stage::Trainer;
use crate::weights::archive::Archive;
use crate::weights::load::load;
use crate::weights::resize::resize;
use crate::weights::{WeightsError, account};
use serde::Serialize;
use std::collections::BTreeSet;

/// Where the values of a stage came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Taken as they were.
    pub loaded: BTreeSet<String>,
    /// Taken with another shape.
    pub resized: BTreeSet<String>,
    /// Left at their initial values; twins: equal to their originals.
    pub fresh: BTreeSet<String>,
    /// Kept for later stages.
    pub carried: BTreeSet<String>,
    /// Tensors of public files that no rule reads.
    pub left: BTreeSet<String>,
}

impl Account {
    /// Everything fresh.
    pub fn new(layout: &Layout) -> Self {
        let states = layout.states.keys().map(|name| format!("state/{name}"));
        let fresh = layout.parameters.keys().chain(layout.twins.keys()).cloned().chain(states).collect();
        Self { fresh, ..Self::default() }
    }

    fn note(&mut self, key: &str, same_shape: bool) {
        self.fresh.remove(key);
        if same_shape {
            self.loaded.insert(key.into())
        } else {
            self.resized.insert(key.into())
        };
    }
}

/// Brings what a checkpoint has; call [`finish`] after the last one.
///
/// # Errors
/// A shape that no resize rule fits (E0604), a damaged file.
pub fn bring(
    trainer: &mut Trainer,
    stage: &Stage,
    archive: &mut Archive,
    account: &mut Account,
) -> Result<(), TrainError> {
    for parameter in &stage.parameters {
        let slot = trainer.memory.layout.parameters[&parameter.path].clone();
        let place = &mut trainer.memory.parameters[slot.range()];
        fit(archive, &parameter.path, parameter, place, account)?;
    }
    for twin in &stage.twins {
        let Some(original) = stage.parameters.iter().find(|p| p.path == twin.of) else { continue };
        let slot = trainer.memory.layout.twins[&twin.key].clone();
        fit(archive, &twin.key, original, &mut trainer.memory.twins[slot.range()], account)?;
    }
    for (name, slot) in &trainer.memory.layout.states {
        let key = format!("state/{name}");
        if archive.dims(&key).is_some() {
            checkpoint::read_state(archive, &key, slot, &mut trainer.memory.states)?;
            trainer.beginnings.has(name);
            account.note(&key, true);
        }
    }
    trainer.carried.extend(checkpoint::rest(archive, &trainer.memory.layout)?);
    Ok(())
}

fn fit(
    archive: &mut Archive,
    key: &str,
    parameter: &Parameter,
    place: &mut [f32],
    account: &mut Account,
) -> Result<(), TrainError> {
    let Some(from) = archive.dims(key).map(<[usize]>::to_vec) else { return Ok(()) };
    let values = archive.floats(key, &from)?;
    put(&values, &from, key, parameter, place, account)
}

fn put(
    values: &[f32],
    from: &[usize],
    key: &str,
    parameter: &Parameter,
    place: &mut [f32],
    account: &mut Account,
) -> Result<(), TrainError> {
    let made = resize(parameter.resize, key, (values, from), (place, &parameter.dims))?;
    place.copy_from_slice(&made);
    account.note(key, from == parameter.dims);
    Ok(())
}

/// Brings what a weight map takes from a public checkpoint.
///
/// # Errors
/// A tensor that is not there, a shape that no resize rule fits.
pub fn apply(
    memory: &mut Memory,
    stage: &Stage,
    archive: &mut Archive,
    loads: &[Load],
    account: &mut Account,
) -> Result<(), TrainError> {
    let loads: Vec<Load> = loads.iter().filter(|load| stage.holds(&load.key)).cloned().collect();
    for Load { key, source } in &loads {
        let Memory { layout, parameters, twins, states, .. } = &mut *memory;
        if let Some(slot) = key.strip_prefix("state/").and_then(|name| layout.states.get(name)) {
            let Some(tensor) = load(archive, source)? else { continue };
            write_state(&tensor, slot, states).ok_or_else(|| unlike(archive, key, slot, &tensor))?;
            account.note(key, true);
            continue;
        }
        let original = stage.twins.iter().find(|t| t.key == *key).map_or(key, |t| &t.of);
        let Some(parameter) = stage.parameters.iter().find(|p| p.path == *original) else { continue };
        let place = match (layout.parameters.get(key), layout.twins.get(key)) {
            (Some(slot), _) => &mut parameters[slot.range()],
            (None, Some(slot)) => &mut twins[slot.range()],
            (None, None) => continue,
        };
        let Some(tensor) = load(archive, source)? else { continue };
        let from = tensor.dims.clone();
        put(&tensor.into_floats(), &from, key, parameter, place, account)?;
    }
    memory.next.copy_from_slice(&memory.states);
    account.left.extend(account::left(archive, &loads).into_iter().map(|left| left.name));
    Ok(())
}

/// Puts a public tensor into a state; `None` if it is of another shape or kind.
fn write_state(tensor: &Tensor, slot: &Slot, states: &mut [f32]) -> Option<()> {
    match &tensor.values {
        _ if tensor.dims != slot.dims => return None,
        Values::Ids(ids) if slot.ids => slot.write_ids(states, ids),
        Values::Floats(values) if !slot.ids => states[slot.range()].copy_from_slice(values),
        Values::Ids(_) | Values::Floats(_) => return None,
    }
    Some(())
}

fn unlike(archive: &Archive, key: &str, slot: &Slot, tensor: &Tensor) -> WeightsError {
    let (path, name) = (archive.path().to_string(), key.to_string());
    if tensor.dims != slot.dims {
        return WeightsError::Shape { path, name, expected: slot.dims.clone(), found: tensor.dims.clone() };
    }
    let [expected, found] = if slot.ids { ["ids", "numbers"] } else { ["numbers", "ids"] };
    WeightsError::Elements { path, name, expected, found: found.into() }
}

/// Twins that nothing brought begin equal to their originals.
pub fn follow(memory: &mut Memory, stage: &Stage, account: &Account) {
    for twin in stage.twins.iter().filter(|twin| account.fresh.contains(&twin.key)) {
        stage::follow_at_once(memory, twin);
    }
}

/// What is left to do when everything was brought.
pub fn finish(trainer: &mut Trainer, stage: &Stage, account: &mut Account) {
    follow(&mut trainer.memory, stage, account);
    trainer.memory.next.copy_from_slice(&trainer.memory.states);
    account.carried = trainer.carried.keys().cloned().collect();
}
