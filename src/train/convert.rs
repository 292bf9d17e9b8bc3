//! Public files into run folders, and checkpoints into public files, by a weight map.
//!
//! In: a run folder in which a stage is done, after no step of its own, so that tasks and later stages find it. Out: one file
//! under the names of the map. Invariant: what has no place on the other side is listed.

use super::checkpoint::{self, State};
use super::folder::{self, RunFolder};
use super::start::{self, Account};
use super::{TrainError, spec, stage as trainer};
use crate::exec::Memory;
use crate::lower::model::{Beginning, Load, Model, Stage};
use crate::weights::invert::invert;
use crate::weights::write::{Elements, Entry, save};
use crate::weights::{Archive, WeightsError};
use rustc_hash::FxHasher;
use safetensors::tensor::Dtype;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// A stage and what a map says about it.
#[derive(Debug)]
pub struct Mapped<'m> {
    /// The model.
    pub model: &'m Model,
    /// One of its stages.
    pub stage: &'m Stage,
    /// The rules, one a key.
    pub loads: Vec<Load>,
}

/// What became of a checkpoint's tensors.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// Tensors under public names, made of the model's.
    pub made: BTreeSet<String>,
    /// Tensors copied from the file like it.
    pub copied: BTreeSet<String>,
    /// Keys of the checkpoint that no rule speaks of.
    pub left: BTreeSet<String>,
}

impl Mapped<'_> {
    /// A public file as a run folder; gives the new checkpoint.
    ///
    /// # Errors
    /// A tensor that is not there or does not fit, a state that only data can begin, a folder that is used already.
    pub fn import(
        &self,
        archive: &mut Archive,
        folder: &Path,
        seed: u64,
    ) -> Result<(PathBuf, Account), TrainError> {
        let (memory, account) = self.memory(archive, seed)?;
        let run = RunFolder::hold(folder)?;
        if run.is_used() {
            return Err(TrainError::Occupied { folder: run.path.display().to_string() });
        }
        let checkpoints = run.stage(&self.stage.name)?.join("checkpoints");
        let path = write(&checkpoints, &memory, &self.state(seed))?;
        folder::replace(&run.path.join("spec.lock"), self.model.merged(&[]).as_bytes())?;
        Ok((path, account))
    }

    /// Initial values, and over them what the map brings.
    fn memory(&self, archive: &mut Archive, seed: u64) -> Result<(Memory, Account), TrainError> {
        let Stage { parameters, twins, states, .. } = self.stage;
        let mut memory = Memory::for_evaluation(&trainer::layout(parameters, twins, states));
        trainer::fill(&mut memory, parameters, twins, states, seed);
        let mut account = Account::new(&memory.layout);
        start::apply(&mut memory, self.stage, archive, &self.loads, &mut account)?;
        start::follow(&mut memory, self.stage, &account);
        let computed = states.iter().filter(|state| matches!(state.start, Beginning::Computed(_)));
        match computed.map(|state| format!("state/{}", state.name)).find(|key| account.fresh.contains(key)) {
            Some(key) => Err(TrainError::Later {
                what: format!("`{key}`, which begins as a value of its first batch,"),
                instead: "write a rule for it into the map".into(),
            }),
            None => Ok((memory, account)),
        }
    }

    fn state(&self, seed: u64) -> State {
        State {
            version: env!("CARGO_PKG_VERSION").into(),
            stage: self.stage.name.clone(),
            spec: spec::of(self.model, self.stage, seed, None),
            step: 0,
            length: 0,
            seed,
            position: serde_json::Value::Null,
        }
    }

    /// A checkpoint as a public file. Axes that the map leaves open, and tensors that the model does not own, are those of `like`.
    ///
    /// # Errors
    /// A key that the checkpoint does not have, a map that does not go back (the tensor is named), a full disk.
    pub fn export(
        &self,
        mine: &mut Archive,
        mut like: Option<&mut Archive>,
        to: &Path,
    ) -> Result<Written, TrainError> {
        let public = invert(&self.loads, mine, like.as_deref_mut())?;
        let copied = match like {
            Some(like) => others(like, &public.keys().map(String::as_str).collect())?,
            None => Raw::new(),
        };
        let made = public.iter().map(|(name, tensor)| Entry {
            name: name.clone(),
            dims: &tensor.dims,
            elements: Elements::of(&tensor.values),
        });
        let others = copied.iter().map(|(name, (dims, dtype, bytes))| Entry {
            name: name.clone(),
            dims,
            elements: Elements::Bytes(*dtype, bytes),
        });
        let entries: Vec<Entry<'_>> = made.chain(others).collect();
        replace(to, &entries)?;
        let known: BTreeSet<&str> = self.loads.iter().map(|load| load.key.as_str()).collect();
        let left = mine.names().filter(|name| !known.contains(name)).map(str::to_string).collect();
        Ok(Written { made: public.into_keys().collect(), copied: copied.into_keys().collect(), left })
    }
}

/// Tensors as they lie in a file: axes, type, bytes.
type Raw = BTreeMap<String, (Vec<usize>, Dtype, Vec<u8>)>;

/// The tensors of a file besides the known ones. One that equals a known one is taken to be tied to it: copied, it would bring
/// old values back.
fn others(like: &mut Archive, known: &BTreeSet<&str>) -> Result<Raw, WeightsError> {
    let names: Vec<String> = like.names().map(str::to_string).collect();
    let (mut owned, mut others) = (BTreeMap::new(), Raw::new());
    for name in names {
        let (info, bytes) = like.raw(&name)?;
        if !known.contains(name.as_str()) {
            others.insert(name, (info.shape, info.dtype, bytes));
        } else if varied(&bytes) {
            owned.insert((info.shape, hash(&bytes)), name);
        }
    }
    let tied = others
        .iter()
        .find_map(|(name, (dims, _, bytes))| Some((name, owned.get(&(dims.clone(), hash(bytes)))?)));
    match tied {
        None => Ok(others),
        Some((name, first)) => Err(WeightsError::Inverse {
            name: name.clone(),
            reason: format!(
                "it equals `{first}`, which the model owns, so a copy of it would be old; name both in the map, \
                 as a list: [\"{first}\", \"{name}\"]"
            ),
        }),
    }
}

/// Tensors of all zeros or ones are alike without being tied.
fn varied(bytes: &[u8]) -> bool {
    let words = bytes.chunks(4);
    words.clone().zip(words.skip(1)).any(|(a, b)| a != b && a.len() == b.len())
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Writes a file beside its place and renames it: nobody sees half of it. Other programs ask for the note.
fn replace(to: &Path, entries: &[Entry<'_>]) -> Result<(), TrainError> {
    let beside = to.with_extension("new");
    let notes = BTreeMap::from([("format".to_string(), "pt".to_string())]);
    save(&beside, entries, &notes)?;
    std::fs::rename(&beside, to).map_err(TrainError::file("write", to))
}

/// `step-0`, whole or not there. It has no moments: the stage is done.
fn write(checkpoints: &Path, memory: &Memory, state: &State) -> Result<PathBuf, TrainError> {
    let (path, beside) = (checkpoints.join("step-0"), checkpoints.join(".new"));
    std::fs::create_dir_all(&beside).map_err(TrainError::file("make", &beside))?;
    let nothing = BTreeMap::new();
    let entries = checkpoint::tensors(memory, &nothing);
    save(&beside.join("model.safetensors"), &entries, &checkpoint::notes(&state.version))?;
    let json = serde_json::to_vec_pretty(state).unwrap_or_default();
    folder::replace(&beside.join("state.json"), &json)?;
    let renamed = std::fs::rename(&beside, &path).and_then(|()| folder::sync(checkpoints));
    renamed.map_err(TrainError::file("write", &path))?;
    Ok(path)
}
