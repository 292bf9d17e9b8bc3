//! Checkpoints: a folder `step-N` that is either whole or not there.
//!
//! ```text
//! step-2000/model.safetensors       parameters by path, slow/…, state/…, and what is carried for later stages
//! step-2000/optimiser.safetensors   optimiser/first/<path>, optimiser/second/<path>, as far as the optimiser has them
//! step-2000/state.json              step, stage, seed, spec, position of the loader
//! ```
//!
//! Written under another name, synced, renamed; the older ones go only then. The last two are kept.

use super::{TrainError, folder, stage::Trainer};
use crate::exec::{Layout, Memory, Slot};
use crate::random::hash_of;
use crate::tensor::Tensor;
use crate::weights::WeightsError;
use crate::weights::archive::Archive;
use crate::weights::write::{self, Elements, Entry};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many are kept.
const KEPT: usize = 2;
/// What stands before the path of a parameter's moments.
const FIRST: &str = "optimiser/first/";
const SECOND: &str = "optimiser/second/";

/// What a checkpoint knows besides tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Of the program that wrote it.
    pub version: String,
    /// The stage.
    pub stage: String,
    /// Hash of everything the stage depends on.
    pub spec: String,
    /// Steps made.
    pub step: u64,
    /// Steps of the whole stage.
    pub length: u64,
    /// The seed.
    pub seed: u64,
    /// Where the loader stood.
    pub position: serde_json::Value,
}

impl State {
    /// Whether the stage was trained to its end.
    pub fn finished(&self) -> bool {
        self.step >= self.length
    }
}

/// A checkpoint on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// Its state.json.
    pub state: State,
}

/// Writes one file of tensors.
type Save = fn(&Path, &[Entry<'_>], &BTreeMap<String, String>) -> Result<(), WeightsError>;

/// Saves a trainer below `folder` and drops what is too old.
///
/// # Errors
/// The disk refuses; the checkpoints before are then untouched.
pub fn save(folder: &Path, trainer: &Trainer, state: &State) -> Result<PathBuf, TrainError> {
    save_by(write::save, folder, trainer, state)
}

fn save_by(save: Save, folder: &Path, trainer: &Trainer, state: &State) -> Result<PathBuf, TrainError> {
    let (path, beside) = (folder.join(format!("step-{}", state.step)), folder.join(".new"));
    clear(&beside)?;
    let written = write(save, &beside, trainer, state);
    if written.is_err() {
        clear(&beside)?;
    }
    written?;
    clear(&path)?;
    let renamed = std::fs::rename(&beside, &path).and_then(|()| folder::sync(folder));
    renamed.map_err(TrainError::file("write", &path))?;
    prune(folder)?;
    Ok(path)
}

fn write(save: Save, folder: &Path, trainer: &Trainer, state: &State) -> Result<(), TrainError> {
    std::fs::create_dir_all(folder).map_err(TrainError::file("make", folder))?;
    let notes = notes(&state.version);
    save(&folder.join("model.safetensors"), &tensors(&trainer.memory, &trainer.carried), &notes)?;
    save(&folder.join("optimiser.safetensors"), &moments(&trainer.memory), &notes)?;
    let json = serde_json::to_vec_pretty(state).unwrap_or_default();
    folder::replace(&folder.join("state.json"), &json)?;
    folder::sync(folder).map_err(TrainError::file("write", folder))
}

fn clear(folder: &Path) -> Result<(), TrainError> {
    if !folder.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(folder).map_err(TrainError::file("remove", folder))
}

fn prune(folder: &Path) -> Result<(), TrainError> {
    let steps = steps(folder);
    let old = steps.len().saturating_sub(KEPT);
    steps[..old].iter().try_for_each(|step| clear(&folder.join(format!("step-{step}"))))
}

/// The steps that have a checkpoint, ascending.
pub fn steps(folder: &Path) -> Vec<u64> {
    let names = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| e.ok()?.file_name().into_string().ok());
    let mut steps: Vec<u64> = names.filter_map(|name| name.strip_prefix("step-")?.parse().ok()).collect();
    steps.sort_unstable();
    steps
}

fn entry<'a>(name: String, slot: &'a Slot, values: &'a [f32]) -> Entry<'a> {
    let values = &values[slot.range()];
    let elements = if slot.ids { Elements::IdBits(values) } else { Elements::Floats(values) };
    Entry { name, dims: &slot.dims, elements }
}

/// What a file of this program's own names says of itself.
pub fn notes(version: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("format".to_string(), format!("chiasm {version}"))])
}

/// Everything that model.safetensors holds, by key.
pub fn tensors<'a>(memory: &'a Memory, carried: &'a BTreeMap<String, Tensor>) -> Vec<Entry<'a>> {
    let Memory { layout, parameters, twins, states, .. } = memory;
    let parameters = layout.parameters.iter().map(|(path, slot)| entry(path.clone(), slot, parameters));
    let twins = layout.twins.iter().map(|(key, slot)| entry(key.clone(), slot, twins));
    let states = layout.states.iter().map(|(name, slot)| entry(format!("state/{name}"), slot, states));
    let carried = carried.iter().map(|(name, tensor)| Entry {
        name: name.clone(),
        dims: &tensor.dims,
        elements: Elements::of(&tensor.values),
    });
    parameters.chain(twins).chain(states).chain(carried).collect()
}

/// The moments that the optimiser keeps.
fn moments(memory: &Memory) -> Vec<Entry<'_>> {
    let kept =
        [(FIRST, &memory.first), (SECOND, &memory.second)].into_iter().filter(|(_, kept)| !kept.is_empty());
    kept.flat_map(|(prefix, kept)| {
        let slots = memory.layout.parameters.iter();
        slots.map(move |(path, slot)| entry(format!("{prefix}{path}"), slot, kept))
    })
    .collect()
}

/// The last checkpoint below a folder that has a readable state.
///
/// # Errors
/// Its state.json is damaged.
pub fn latest(folder: &Path) -> Result<Option<Checkpoint>, TrainError> {
    let last = steps(folder).pop();
    last.map(|step| Checkpoint::open(&folder.join(format!("step-{step}")))).transpose()
}

impl Checkpoint {
    /// Reads state.json.
    ///
    /// # Errors
    /// It is not there or damaged.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let name = path.join("state.json");
        let text = std::fs::read(&name).map_err(TrainError::file("read", &name))?;
        let damaged = |e: serde_json::Error| TrainError::State {
            path: name.display().to_string(),
            reason: e.to_string(),
        };
        Ok(Self { path: path.to_path_buf(), state: serde_json::from_slice(&text).map_err(damaged)? })
    }

    /// A hash of its numbers.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn fingerprint(&self) -> Result<String, TrainError> {
        let path = self.path.join("model.safetensors");
        let bytes = std::fs::read(&path).map_err(TrainError::file("read", &path))?;
        Ok(format!("{:016x}", hash_of([bytes.as_slice()])))
    }

    /// Its tensors.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn model(&self) -> Result<Archive, TrainError> {
        Ok(Archive::open(&self.path.join("model.safetensors"))?)
    }

    /// Puts a trainer where this checkpoint was made.
    ///
    /// # Errors
    /// It belongs to another stage or model, or is damaged.
    pub fn restore(&self, trainer: &mut Trainer, spec: &str) -> Result<(), TrainError> {
        self.belongs("stage", &self.state.stage, &trainer.context.stage)?;
        self.belongs("seed", &self.state.seed.to_string(), &trainer.context.seed.to_string())?;
        self.belongs("model or recipe", &self.state.spec, spec)?;
        let mut archive = self.model()?;
        read_model(&mut archive, &mut trainer.memory)?;
        trainer.carried = rest(&mut archive, &trainer.memory.layout)?;
        let mut moments = Archive::open(&self.path.join("optimiser.safetensors"))?;
        read_moments(&mut moments, &mut trainer.memory)?;
        trainer.context.step = self.state.step;
        Ok(())
    }

    fn belongs(&self, what: &'static str, found: &str, expected: &str) -> Result<(), TrainError> {
        if found == expected {
            return Ok(());
        }
        let path = self.path.display().to_string();
        Err(TrainError::Foreign { path, what, found: found.into(), expected: expected.into() })
    }
}

/// Parameters, twins and states, all of them, with the shapes of the layout.
///
/// # Errors
/// One is missing, has another shape, or holds a NaN.
pub fn read_model(archive: &mut Archive, memory: &mut Memory) -> Result<(), TrainError> {
    let Memory { layout, parameters, twins, states, next, .. } = memory;
    for (path, slot) in &layout.parameters {
        parameters[slot.range()].copy_from_slice(&archive.floats(path, &slot.dims)?);
    }
    for (key, slot) in &layout.twins {
        twins[slot.range()].copy_from_slice(&archive.floats(key, &slot.dims)?);
    }
    for (name, slot) in &layout.states {
        read_state(archive, &format!("state/{name}"), slot, states)?;
    }
    next.copy_from_slice(states);
    Ok(())
}

/// One state, numbers or ids.
///
/// # Errors
/// It is missing, or has another shape.
pub fn read_state(
    archive: &mut Archive,
    key: &str,
    slot: &Slot,
    states: &mut [f32],
) -> Result<(), TrainError> {
    if slot.ids {
        let ids = archive.ids(key, &slot.dims)?;
        slot.write_ids(states, &ids);
    } else {
        states[slot.range()].copy_from_slice(&archive.floats(key, &slot.dims)?);
    }
    Ok(())
}

/// What the layout has no place for.
pub(super) fn rest(archive: &mut Archive, layout: &Layout) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let states: BTreeSet<String> = layout.states.keys().map(|name| format!("state/{name}")).collect();
    let known =
        |n: &str| layout.parameters.contains_key(n) || layout.twins.contains_key(n) || states.contains(n);
    let names: Vec<String> = archive.names().filter(|n| !known(n)).map(str::to_string).collect();
    names.into_iter().map(|name| Ok((name.clone(), archive.read(&name)?))).collect()
}

fn read_moments(archive: &mut Archive, memory: &mut Memory) -> Result<(), TrainError> {
    let Memory { layout, first, second, .. } = memory;
    let (slots, mut kept) = (&layout.parameters, [(FIRST, first), (SECOND, second)]);
    let known = |name: &str| {
        let kept = kept.iter().filter(|(_, kept)| !kept.is_empty());
        kept.into_iter()
            .any(|(prefix, _)| name.strip_prefix(prefix).is_some_and(|path| slots.contains_key(path)))
    };
    if let Some(name) = archive.names().find(|name| !known(name)) {
        return Err(WeightsError::Extra { path: archive.path().to_string(), name: name.to_string() }.into());
    }
    for (prefix, kept) in kept.iter_mut().filter(|(_, kept)| !kept.is_empty()) {
        for (path, slot) in slots {
            kept[slot.range()].copy_from_slice(&archive.floats(&format!("{prefix}{path}"), &slot.dims)?);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
