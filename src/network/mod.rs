//! A model with numbers: named values run on given inputs, parameters read by path. The face for Rust programs.
//!
//! ```
//! use chiasm::{Host, Network, Options, compile};
//! let model = compile("models/tiny/clip.chi".as_ref(), &Options::default())?;
//! let mut network = Network::fresh(&model, "pretrain", 0, &Host::default())?;
//!
//! let texts = ["a red circle", "two blue squares"];
//! let features = network.run("text_feat", &[("text", texts.into())])?;
//! assert_eq!(features.dims, [2, 128]);
//!
//! let weight = network.parameter("to_image.w")?;
//! assert_eq!((weight.dims, weight.values.len()), ([128, 128].as_slice(), 128 * 128));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Network::trained`] takes the numbers of a run folder. Dropout is off; other draws come from seed 0, and time stands at
//! the end of the stage. Invariant: the same values, inputs and numbers give the same output, with any number of threads.

mod error;
mod input;
mod plans;

pub use error::NetworkError;
pub use input::Input;

use crate::data::{Library, Vocabulary};
use crate::exec::{Executor, Layout, Memory, Slot};
use crate::lower::model::{self, Model, Stage, Values};
use crate::op::Context;
use crate::recipe::Timeline;
use crate::shape::Kind;
use crate::tensor::Tensor;
use crate::train::checkpoint::{self, Checkpoint};
use crate::train::run::Supply;
use crate::train::{Host, TrainError, plan, stage};
use crate::weights::Archive;
use chiasm_dsl::diagnostic::nearest;
use plans::{Plan, Wanted};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// A stage of a model with values for its parameters, twins and states.
pub struct Network {
    model: Model,
    stage: Stage,
    pub(crate) memory: Memory,
    numbers: Numbers,
    executor: Box<dyn Executor>,
    library: Library,
    vocabularies: HashMap<model::Vocabulary, Arc<Vocabulary>>,
    pub(crate) context: Context,
    pub(crate) wanted: Vec<Wanted>,
    plans: Vec<Plan>,
}

/// Where numbers come from.
enum Numbers {
    Fresh(u64),
    Saved(Archive),
}

/// A parameter or twin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stored<'a> {
    /// `fusion[3].attn.q.w`, or `slow/` and a path for a twin.
    pub path: &'a str,
    /// Lengths of the axes, outermost first; `[in, out]` for a matrix, empty for a single number.
    pub dims: &'a [usize],
    /// Row by row.
    pub values: &'a [f32],
}

impl Network {
    /// Initial values, as a training with this seed begins with (before its `start`).
    ///
    /// # Errors
    /// An unknown stage, or no such executor.
    pub fn fresh(model: &Model, stage: &str, seed: u64, host: &Host) -> Result<Self, NetworkError> {
        let time = Timeline { length: 0, epoch: 1 };
        Self::new(model, stage, Numbers::Fresh(seed), time, host)
    }

    /// The newest values of a stage in a run folder, or those of one checkpoint (`…/checkpoints/step-700`).
    ///
    /// # Errors
    /// An unknown stage, a folder without a checkpoint of it, a damaged file, a parameter of another shape.
    pub fn trained(model: &Model, stage: &str, folder: &Path, host: &Host) -> Result<Self, NetworkError> {
        let checkpoints = folder.join(stage).join("checkpoints");
        let untrained =
            || TrainError::Untrained { stage: stage.to_string(), folder: folder.display().to_string() };
        let found = match folder.join("state.json").is_file() {
            true => Checkpoint::open(folder)?,
            false => checkpoint::latest(&checkpoints)?.ok_or_else(untrained)?,
        };
        let time = Timeline { length: found.state.length, epoch: 1 };
        Self::new(model, stage, Numbers::Saved(found.model()?), time, host)
    }

    /// The values of one safetensors file under the names of the model, such as `embed` and checkpoints write; of a file with
    /// official names `chiasm weights convert` makes one. Time stands at the beginning of the stage.
    ///
    /// # Errors
    /// An unknown stage, a damaged file, a parameter that is missing or of another shape.
    pub fn saved(model: &Model, stage: &str, file: &Path, host: &Host) -> Result<Self, NetworkError> {
        let time = Timeline { length: 0, epoch: 1 };
        Self::new(model, stage, Numbers::Saved(Archive::open(file)?), time, host)
    }

    fn new(
        model: &Model,
        stage: &str,
        numbers: Numbers,
        time: Timeline,
        host: &Host,
    ) -> Result<Self, NetworkError> {
        let stage = plan::stage(model, stage)?.clone();
        let mut network = Self {
            model: model.clone(),
            memory: Memory::default(),
            numbers,
            executor: host.executor()?,
            library: host.library(),
            vocabularies: HashMap::new(),
            context: Context { seed: 0, stage: stage.name.clone(), step: time.length, time, first_row: 0 },
            wanted: Vec::new(),
            plans: Vec::new(),
            stage: stage.clone(),
        };
        network.hold(&stage.parameters, &stage.twins, &stage.states)?;
        Ok(network)
    }

    /// Makes room for what is not held yet, and brings its numbers.
    fn hold(
        &mut self,
        parameters: &[model::Parameter],
        twins: &[model::Twin],
        states: &[model::State],
    ) -> Result<(), NetworkError> {
        let held = &self.memory.layout;
        let parameters: Vec<_> =
            parameters.iter().filter(|p| !held.parameters.contains_key(&p.path)).cloned().collect();
        let twins: Vec<_> = twins.iter().filter(|t| !held.twins.contains_key(&t.key)).cloned().collect();
        let states: Vec<_> = states.iter().filter(|s| !held.states.contains_key(&s.name)).cloned().collect();
        if parameters.is_empty() && twins.is_empty() && states.is_empty() {
            return Ok(());
        }
        let mut layout = held.clone();
        parameters.iter().for_each(|p| layout.add_parameter(&p.path, &p.dims));
        twins.iter().for_each(|t| layout.add_twin(&t.key, &t.dims));
        states.iter().for_each(|s| layout.add_state(&s.name, &s.shape.dims(), s.shape.kind == Kind::Ids));
        let mut memory = Memory::for_evaluation(&layout);
        plan::share(&self.memory, &mut memory);
        match &mut self.numbers {
            Numbers::Fresh(seed) => stage::fill(&mut memory, &parameters, &twins, &states, *seed),
            Numbers::Saved(archive) => read(archive, &mut memory, held)?,
        }
        // Places have moved.
        self.plans.clear();
        self.memory = memory;
        Ok(())
    }

    /// A named value on some rows: `run("image_feat", &[("image", pixels.into())])`. What may be named: values and losses
    /// of the file, its states and `Param`s, and `slow.name` for a slow copy. The first axis of an input is its rows; any
    /// number of them will do, and the plan for a number of rows is made once. Inputs of the file that the value does not
    /// need are ignored.
    ///
    /// # Errors
    /// An unknown name or input (with the nearest), a missing input, one of another shape (with both shapes), inputs with
    /// different numbers of rows, a parameter that the checkpoint does not have.
    pub fn run(&mut self, name: &str, inputs: &[(&str, Input)]) -> Result<Tensor, NetworkError> {
        let mut found = self.run_all(&[name], inputs)?;
        Ok(found.swap_remove(0))
    }

    /// Several values in one go; what they share is computed once.
    ///
    /// # Errors
    /// As [`Network::run`].
    pub fn run_all(&mut self, names: &[&str], inputs: &[(&str, Input)]) -> Result<Vec<Tensor>, NetworkError> {
        let at = self.want(names)?;
        let given = self.read_inputs(at, inputs)?;
        let batch = self.batch(at, &given)?;
        let plan = self.plan(at, batch)?;
        let program = &mut self.plans[plan].program;
        let given: Vec<(&str, &Tensor)> =
            given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        program.run(&mut self.memory, &given, &self.context)?;
        let output = |name: &&str| {
            program.output(name).ok_or_else(|| NetworkError::NoOutput { value: name.to_string() })
        };
        names.iter().map(output).collect()
    }

    /// What a value reads: names, shapes and how columns are read.
    ///
    /// # Errors
    /// An unknown name.
    pub fn inputs(&mut self, name: &str) -> Result<&[model::Input], NetworkError> {
        let at = self.want(&[name])?;
        Ok(&self.wanted[at].values.inputs)
    }

    /// All parameters, by path.
    pub fn parameters(&self) -> impl Iterator<Item = Stored<'_>> {
        stored(&self.memory.layout.parameters, &self.memory.parameters)
    }

    /// One parameter by its path.
    ///
    /// # Errors
    /// There is none; the nearest.
    pub fn parameter(&self, path: &str) -> Result<Stored<'_>, NetworkError> {
        let unknown = || {
            let near = nearest(path, self.memory.layout.parameters.keys().map(String::as_str));
            NetworkError::UnknownParameter { path: path.to_string(), near: near.map(str::to_string) }
        };
        let found = self.memory.layout.parameters.get_key_value(path).ok_or_else(unknown)?;
        Ok(one(found, &self.memory.parameters))
    }

    /// All parameters of slow copies, by key: `slow/vision.norm.gain`.
    pub fn twins(&self) -> impl Iterator<Item = Stored<'_>> {
        stored(&self.memory.layout.twins, &self.memory.twins)
    }

    /// All states by name, with their current values.
    pub fn states(&self) -> impl Iterator<Item = (&str, Tensor)> {
        self.memory.layout.states.iter().map(|(name, slot)| {
            let words = &self.memory.states[slot.range()];
            let tensor = match slot.ids {
                true => Tensor::ids(&*slot.dims, words.iter().map(|word| word.to_bits() as i32).collect()),
                false => Tensor::floats(&*slot.dims, words.to_vec()),
            };
            (name.as_str(), tensor)
        })
    }
}

fn stored<'a>(slots: &'a BTreeMap<String, Slot>, values: &'a [f32]) -> impl Iterator<Item = Stored<'a>> {
    slots.iter().map(|slot| one(slot, values))
}

fn one<'a>((path, slot): (&'a String, &'a Slot), values: &'a [f32]) -> Stored<'a> {
    Stored { path, dims: &slot.dims, values: &values[slot.range()] }
}

/// From a checkpoint what was not held before.
fn read(archive: &mut Archive, memory: &mut Memory, held: &Layout) -> Result<(), NetworkError> {
    let Memory { layout, parameters, twins, states, next, .. } = memory;
    for (path, slot) in layout.parameters.iter().filter(|(path, _)| !held.parameters.contains_key(*path)) {
        parameters[slot.range()].copy_from_slice(&archive.floats(path, &slot.dims)?);
    }
    for (key, slot) in layout.twins.iter().filter(|(key, _)| !held.twins.contains_key(*key)) {
        twins[slot.range()].copy_from_slice(&archive.floats(key, &slot.dims)?);
    }
    for (name, slot) in layout.states.iter().filter(|(name, _)| !held.states.contains_key(*name)) {
        checkpoint::read_state(archive, &format!("state/{name}"), slot, states)?;
    }
    next.copy_from_slice(states);
    Ok(())
}
