//! A recorded case and what says how to read it: `tests/parity/NAME.chi` is the model, `NAME.json` which recorded tensor
//! is which of ours.
//!
//! ```json
//! {
//!   "stage": "pretrain",
//!   "sets": { "width": "width", "head": "width / heads" },
//!   "inputs": { "image": "pixel_values", "text.lengths": { "ones": "attention_mask" } },
//!   "values": { "image_feat": "image_embeds", "loss/con": "loss.contrastive", "objective": "loss.total" }
//! }
//! ```

use chiasm::lower::model::{Model, Stage, Task};
use chiasm::weights::archive::Archive;
use chiasm::{Options, compile};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a case is read.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spec {
    /// The case whose weights and inputs it takes.
    pub base: Option<String>,
    /// The stage that is the recorded step.
    pub stage: String,
    /// `set`s: a hyperparameter, a number or an axis of a recorded input (`text#1`), or two with ` / `, ` - ` or ` + ` between.
    pub sets: BTreeMap<String, String>,
    /// Inputs of ours, and recorded ones.
    pub inputs: BTreeMap<String, Given>,
    /// Values, losses and `objective` of ours, and recorded outputs.
    pub values: BTreeMap<String, Wanted>,
    /// States of ours that begin as a recorded input and not as a weight.
    pub begin: BTreeMap<String, String>,
    /// States of ours, and what they are after the step.
    pub after: BTreeMap<String, After>,
    /// Whether `after.safetensors` has the slow copies.
    pub twins: bool,
    /// Pieces of the names of weights that gradients have otherwise.
    pub renamed: BTreeMap<String, String>,
    /// Whether `after_step.safetensors` has the parameters after the optimiser's step.
    pub steps: bool,
}

/// A recorded input.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum Given {
    /// As it is.
    Plain(String),
    /// Made of it.
    Made(Made),
}

/// What is made of a recorded input.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// How many ones are in each row.
    Ones(String),
    /// How many zeros are in each row.
    Zeros(String),
    /// The place after the largest number of each row.
    Largest(String),
    /// 1 where a label is not negative.
    Labelled(String),
    /// Labels at the places, in order, where the second input is not 0; 0 elsewhere.
    Placed([String; 2]),
}

/// A recorded output.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// All of it.
    Whole(String),
    /// Some of it.
    Part {
        /// The recorded output.
        of: String,
        /// Lengths by which the second axis counts, as an input of ours.
        valid: Option<String>,
        /// Whether these places are the last of the axis; those before them all count.
        #[serde(default)]
        last: bool,
        /// An input of ours: the recorded rows are those of ours where it is not 0.
        picked: Option<String>,
    },
}

impl Wanted {
    /// The name of the recorded output.
    pub fn name(&self) -> &str {
        match self {
            Self::Whole(name) | Self::Part { of: name, .. } => name,
        }
    }
}

/// A recorded state.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum After {
    /// As it is.
    Plain(String),
    /// Columns of a queue, whose oldest is where the recorded pointer stood. If that is not the last batch of columns, the model
    /// turns it before it pushes, as in `blip.chi`.
    Queue {
        /// The recorded state.
        queue: String,
    },
}

/// A case: its folder, how it is read, its hyperparameters.
pub struct Case {
    pub name: String,
    pub spec: Spec,
    folder: PathBuf,
    pub config: serde_json::Value,
}

/// The names of all cases that have a model here, in alphabetical order.
pub fn names() -> Vec<String> {
    let files = std::fs::read_dir("tests/parity").expect("a folder").flatten().map(|file| file.path());
    let specs = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let stem = |path: PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = specs.filter_map(stem).collect();
    names.sort();
    names
}

impl Case {
    /// Opens a case of a folder, if it has one of this name.
    pub fn open(folder: &Path, name: &str) -> Option<Self> {
        let folder = folder.join(name);
        let config = std::fs::read_to_string(folder.join("config.json")).ok()?;
        let spec = std::fs::read_to_string(format!("tests/parity/{name}.json")).expect("a specification");
        let spec = serde_json::from_str(&spec).unwrap_or_else(|e| panic!("{name}.json: {e}"));
        let config = serde_json::from_str(&config).expect("a config");
        Some(Self { name: name.to_string(), spec, folder, config })
    }

    /// A hyperparameter; a truth value is 0 or 1.
    pub fn number(&self, name: &str) -> f64 {
        let value = &self.config["hyperparameters"][name];
        let number = value.as_f64().or_else(|| value.as_bool().map(f64::from));
        number.unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    /// A file of the case, if it has it.
    pub fn file(&self, name: &str) -> Option<Archive> {
        Archive::open(&self.folder.join(format!("{name}.safetensors"))).ok()
    }

    /// The file of the case it builds on, or its own.
    pub fn base(&self, name: &str) -> Archive {
        let folder = self.folder.parent().expect("a folder");
        let folder = self.spec.base.as_ref().map_or(self.folder.clone(), |base| folder.join(base));
        Archive::open(&folder.join(format!("{name}.safetensors"))).expect("a file of the case")
    }

    /// The first name of a tensor that has several.
    pub fn first_name(&self, name: &str) -> String {
        let pairs = self.config["tied_parameters"].as_array().into_iter().flatten();
        let first = |pair: &serde_json::Value| {
            (pair[1].as_str() == Some(name)).then(|| pair[0].as_str().unwrap_or_default().to_string())
        };
        pairs.filter_map(first).next().unwrap_or_else(|| name.to_string())
    }

    /// Whether the recorded step has no gradient for a tensor.
    pub fn is_idle(&self, name: &str) -> bool {
        let idle = self.config["trainable_without_gradient"].as_array().into_iter().flatten();
        { idle }.any(|idle| idle.as_str() == Some(name))
    }

    /// The `set`s of the recorded model.
    pub fn sets(&self) -> Vec<(String, String)> {
        // `name#axis`: how long an axis of a recorded input is.
        let length = |text: &str| {
            let (name, axis) = text.split_once('#')?;
            Some(self.base("inputs").dims(name)?[axis.parse::<usize>().ok()?] as f64)
        };
        let value =
            |text: &str| text.parse().ok().or_else(|| length(text)).unwrap_or_else(|| self.number(text));
        let number = |text: &str| match text.split(' ').collect::<Vec<_>>()[..] {
            [a, "/", b] => value(a) / value(b),
            [a, "-", b] => value(a) - value(b),
            [a, "+", b] => value(a) + value(b),
            _ => value(text),
        };
        self.spec.sets.iter().map(|(name, text)| (name.clone(), number(text).to_string())).collect()
    }

    fn model(&self) -> Model {
        let named = |name: &&String| !name.contains('/') && *name != "objective";
        let values = self.spec.values.keys().filter(named).cloned().collect();
        let options = Options { sets: self.sets(), values, given: true };
        let path = format!("tests/parity/{}.chi", self.name);
        compile(path.as_ref(), &options).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The recorded step as a stage, with the values that are compared.
    pub fn stage(&self) -> Stage {
        let mut stages = self.model().stages.into_iter();
        let mut stage = stages.find(|stage| stage.name == self.spec.stage).expect("the stage");
        stage.feeds.iter_mut().for_each(|feed| feed.batch = self.number("batch") as usize);
        stage
    }

    /// A task on the recorded weights.
    pub fn task(&self, name: &str) -> Task {
        self.model().tasks.into_iter().find(|task| task.name == name).expect("the task")
    }
}
