//! The peers' own code, recorded: forward values, every gradient and the state after a step, on both executors.
//!
//! `CHIASM_FIXTURES=DIR` runs the cases of another folder of the same layout; sizes come from its config.json files.
//! A case without a specification under tests/parity is named and skipped.

#![allow(clippy::print_stderr)]

use chiasm::exec::cpu::Cpu;
use chiasm::exec::reference::Reference;
use chiasm::exec::{Executor, Slot};
use chiasm::lower::model::{Load, Reading, Source, Stage, Start};
use chiasm::recipe::Timeline;
use chiasm::tensor::{Tensor, Values};
use chiasm::train::stage::Trainer;
use chiasm::weights::archive::Archive;
use chiasm::weights::load::load;
use chiasm::{Options, compile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FORWARD: f64 = 1e-5;
const GRADIENT: f64 = 1e-4;
const CASES: [&str; 4] = ["clip_hf", "clip_open_clip", "albef", "albef_retrieval"];

/// A case: its folder, its numbers, its tensors.
struct Case {
    name: String,
    folder: PathBuf,
    config: serde_json::Value,
}

impl Case {
    fn open(folder: &Path, name: &str) -> Option<Self> {
        let folder = folder.join(name);
        let text = std::fs::read_to_string(folder.join("config.json")).ok()?;
        let config = serde_json::from_str(&text).expect("a config");
        Some(Self { name: name.to_string(), folder, config })
    }

    fn number(&self, name: &str) -> f64 {
        self.config["hyperparameters"][name].as_f64().unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    fn file(&self, name: &str) -> Archive {
        Archive::open(&self.folder.join(format!("{name}.safetensors"))).expect("a file of the case")
    }

    /// The file of the case, or that of the case it builds on.
    fn base(&self, name: &str) -> Archive {
        if self.name == "albef_retrieval" {
            let folder = self.folder.parent().expect("a folder").join("albef");
            return Archive::open(&folder.join(format!("{name}.safetensors"))).expect("a file of albef");
        }
        self.file(name)
    }

    fn sets(&self) -> Vec<(String, String)> {
        let n = |name: &str| self.number(name);
        let pairs: Vec<(&str, f64)> = if self.name.starts_with("clip") {
            let text_width = self.config["hyperparameters"]["text_width"].as_f64().unwrap_or(n("width"));
            vec![
                ("vocab", n("vocab")),
                ("ratio", n("mlp_ratio")),
                ("size", n("image")),
                ("patch", n("patch")),
                ("width", n("width")),
                ("depth", n("layers")),
                ("words", n("text_len")),
                ("text_width", text_width),
                ("text_depth", n("layers")),
                ("head", n("width") / n("heads")),
                ("joint", n("joint")),
            ]
        } else {
            vec![
                ("vocab", n("vocab")),
                ("positions", n("max_positions")),
                ("ratio", n("mlp_ratio")),
                ("patch", n("patch")),
                ("side", n("image")),
                ("length", n("text_len")),
                ("trust", n("alpha")),
                ("keep", n("momentum")),
                ("deep", n("text_layers") - n("fusion_layer")),
                ("width", n("width")),
                ("heads", n("heads")),
                ("depth", n("layers")),
                ("half", n("fusion_layer")),
                ("joint", n("joint")),
                ("queue", n("queue")),
            ]
        };
        pairs.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn stage(&self) -> Stage {
        let values = ["image_feat", "text_feat", "slow.image_feat", "slow.text_feat", "guess", "slow.guess"];
        let guesses = if self.name == "albef" { values.len() } else { 4 };
        let values = values[..guesses].iter().map(|v| v.to_string()).collect();
        let options = Options { sets: self.sets(), values, given: true };
        let path = format!("tests/parity/{}.chi", self.name);
        let model = compile(path.as_ref(), &options).unwrap_or_else(|e| panic!("{e}"));
        let name = if self.name == "albef_retrieval" { "finetune" } else { "pretrain" };
        let mut stage = model.stages.into_iter().find(|s| s.name == name).expect("the stage");
        stage.feeds[0].batch = self.number("batch") as usize;
        stage
    }

    /// Name of a recorded tensor for one of ours.
    fn recorded(&self, value: &str) -> Option<&'static str> {
        Some(match (self.name.as_str(), value) {
            ("clip_hf", "image_feat") => "image_embeds",
            ("clip_hf", "text_feat") => "text_embeds",
            ("clip_open_clip", "image_feat") => "image_features",
            ("clip_open_clip", "text_feat") => "text_features",
            (_, "image_feat") => "image_feat",
            (_, "text_feat") => "text_feat",
            (_, "slow.image_feat") => "image_feat_m",
            (_, "slow.text_feat") => "text_feat_m",
            ("albef", "guess") => "mlm_logits",
            ("albef", "slow.guess") => "mlm_logits_m",
            (_, "loss/con") => "loss.contrastive",
            (_, "loss/itc" | "loss/itc_ids") => "loss.itc",
            (_, "loss/itm" | "loss/itm_ids") => "loss.itm",
            (_, "loss/mlm") => "loss.mlm",
            (_, "objective") => "loss.total",
            _ => return None,
        })
    }
}

fn ids(archive: &mut Archive, name: &str) -> Tensor {
    let tensor = archive.read(name).expect("ids of the case");
    match tensor.values {
        Values::Ids(_) => tensor,
        Values::Floats(values) => Tensor::ids(tensor.dims, values.iter().map(|v| *v as i32).collect()),
    }
}

/// How many places of each row count.
fn lengths(case: &Case, text: &Tensor) -> Tensor {
    let (rows, width) = (text.dims[0], text.dims[1]);
    let values = text.as_ids().expect("ids");
    let counts = if case.name.starts_with("clip") {
        let end = |row: &[i32]| {
            row.iter().enumerate().rev().max_by_key(|(_, id)| **id).map_or(1, |(i, _)| i as i32 + 1)
        };
        values.chunks(width).map(end).collect()
    } else {
        let mask = ids(&mut case.base("inputs"), "attention_mask");
        mask.as_ids().expect("ids").chunks(width).map(|row| row.iter().sum()).collect()
    };
    Tensor::ids([rows], counts)
}

/// The tensor of an input, by our name for it.
fn input(case: &Case, name: &str) -> Tensor {
    let (mut base, mut own) = (case.base("inputs"), case.file("inputs"));
    let clip = case.name.starts_with("clip");
    match name {
        "image" => base.read(if case.name == "clip_hf" { "pixel_values" } else { "image" }).expect("images"),
        "text" if clip && case.name == "clip_open_clip" => ids(&mut base, "text"),
        "text" => ids(&mut base, "input_ids"),
        "image_choice" => ids(&mut own, "draw.itm_neg_image_idx"),
        "text_choice" => ids(&mut own, "draw.itm_neg_text_idx"),
        "masked" => ids(&mut own, "draw.mlm_input_ids"),
        "chosen" => {
            let labels = ids(&mut own, "draw.mlm_labels");
            let hit = labels.as_ids().expect("ids").iter().map(|l| i32::from(*l >= 0)).collect();
            Tensor::ids(labels.dims, hit)
        }
        "image_id" => ids(&mut own, "idx"),
        other => panic!("no tensor for the input {other}"),
    }
}

fn inputs(case: &Case, stage: &Stage) -> Vec<(String, Tensor)> {
    let mut given = Vec::new();
    for wanted in &stage.inputs {
        let tensor = input(case, &wanted.name);
        if let Some(name) = &wanted.lengths {
            given.push((name.clone(), lengths(case, &tensor)));
        }
        assert!(
            !matches!(wanted.reading, Reading::Image { side } if side != tensor.dims[2]),
            "sizes of {}",
            wanted.name
        );
        given.push((wanted.name.clone(), tensor));
    }
    given
}

fn loads(stage: &Stage) -> &[Load] {
    match &stage.start[..] {
        [Start::Weights { loads, .. }] => loads,
        other => panic!("a parity stage starts from `official`, not {other:?}"),
    }
}

/// Puts the recorded weights, twins and states into memory; nothing may be left out.
fn bring(case: &Case, stage: &Stage, trainer: &mut Trainer) {
    let mut archive = case.base("weights");
    let mut brought = BTreeMap::new();
    for Load { key, source } in loads(stage) {
        let memory = &mut trainer.memory;
        let state = key.strip_prefix("state/");
        let slot = state.map_or_else(
            || memory.layout.parameters.get(key).or(memory.layout.twins.get(key)),
            |name| memory.layout.states.get(name),
        );
        let Some(slot) = slot.cloned() else { continue };
        let tensor = load(&mut archive, source).unwrap_or_else(|e| panic!("{key}: {e}")).expect("not fresh");
        assert_eq!(tensor.dims, slot.dims, "{key}");
        let place = match (state, memory.layout.parameters.contains_key(key)) {
            (Some(_), _) => &mut memory.states,
            (None, true) => &mut memory.parameters,
            (None, false) => &mut memory.twins,
        };
        place[slot.range()].copy_from_slice(tensor.as_floats().expect("numbers"));
        brought.insert(key.clone(), ());
    }
    if let Some(slot) = trainer.memory.layout.states.get("old_ids").cloned() {
        let ids = ids(&mut case.file("inputs"), "idx_queue");
        let bits = ids.as_ids().expect("ids").iter().map(|i| f32::from_bits(*i as u32));
        trainer.memory.states[slot.range()].iter_mut().zip(bits).for_each(|(to, from)| *to = from);
    }
    let layout = &trainer.memory.layout;
    let missing: Vec<&String> =
        layout.parameters.keys().chain(layout.twins.keys()).filter(|k| !brought.contains_key(*k)).collect();
    assert!(missing.is_empty(), "no recorded weights for {missing:?}");
}

/// Largest difference, relative to the largest recorded number.
fn difference(ours: &[f32], theirs: &[f32]) -> f64 {
    let top = theirs.iter().fold(0.0_f64, |top, x| top.max(f64::from(x.abs())));
    let far =
        ours.iter().zip(theirs).fold(0.0_f64, |far, (a, b)| far.max((f64::from(*a) - f64::from(*b)).abs()));
    if top == 0.0 { far } else { far / top }
}

fn compare_values(case: &Case, trainer: &Trainer, stage: &Stage, valid: &[i32], faults: &mut Vec<String>) {
    let mut outputs = case.file("outputs");
    for (name, _) in stage.graph.outputs() {
        let Some(recorded) = case.recorded(name.strip_prefix("value/").unwrap_or(name)) else { continue };
        let (Ok(theirs), Some(ours)) = (outputs.read(recorded), trainer.output(name)) else {
            faults.push(format!("{name}: nothing to compare with {recorded}"));
            continue;
        };
        let (mut a, mut b) =
            (ours.as_floats().unwrap_or(&[]).to_vec(), theirs.as_floats().unwrap_or(&[]).to_vec());
        if name.ends_with("guess") {
            // Padded places mean nothing.
            let (words, width) = (theirs.dims[1], theirs.dims[2]);
            let used = |i: usize| (i / width % words) < valid[i / width / words] as usize;
            (0..b.len()).filter(|i| !used(*i)).for_each(|i| (a[i], b[i]) = (0.0, 0.0));
        }
        let far = difference(&a, &b);
        if a.len() != b.len() || far.is_nan() || far > FORWARD {
            faults.push(format!("{name}: {far:.2e} from {recorded}"));
        }
    }
}

fn renamed(source: &Source, name: impl Fn(&str) -> String + Copy) -> Source {
    let inner = |s: &Source| Box::new(renamed(s, name));
    match source {
        Source::Fresh => Source::Fresh,
        Source::Named(text) => Source::Named(name(text)),
        Source::Transposed(s) => Source::Transposed(inner(s)),
        Source::Row(s, i) => Source::Row(inner(s), *i),
        Source::Rows(s, a, b) => Source::Rows(inner(s), *a, *b),
        Source::Chunk(s, k, n) => Source::Chunk(inner(s), *k, *n),
        Source::Rearranged(s, p) => Source::Rearranged(inner(s), p.clone()),
    }
}

fn compare_gradients(case: &Case, trainer: &Trainer, stage: &Stage, faults: &mut Vec<String>) {
    let mut grads = case.file("grads");
    let memory = &trainer.memory;
    let largest = memory.gradients.iter().fold(0.0_f32, |top, x| top.max(x.abs()));
    let shorter = case.name == "albef_retrieval";
    for Load { key, source } in loads(stage) {
        let Some(slot) = memory.layout.parameters.get(key) else { continue };
        let name = |text: &str| {
            if shorter { text.replace("text_encoder.bert.", "text_encoder.") } else { text.to_string() }
        };
        let theirs = match load(&mut grads, &renamed(source, name)) {
            Ok(Some(tensor)) => tensor,
            other => {
                faults.push(format!("no recorded gradient for {key}: {other:?}"));
                continue;
            }
        };
        let (ours, theirs) = (&memory.gradients[slot.range()], theirs.as_floats().unwrap_or(&[]).to_vec());
        let top = theirs.iter().fold(0.0_f32, |top, x| top.max(x.abs()));
        let far = difference(ours, &theirs);
        // Rounding noise and exact zeros (every key bias) are compared absolutely.
        let small = top < 1e-6 * largest || key.ends_with(".k.b");
        let wrong = if small { far * f64::from(top) > 1e-6 * f64::from(largest) } else { far > GRADIENT };
        if wrong || far.is_nan() {
            faults.push(format!("gradient of {key}: {far:.2e} (largest {top:.2e})"));
        }
    }
}

/// A recorded state rotated so that the newest rows come first, as ours are kept.
fn newest_first(case: &Case, columns: &Tensor) -> Vec<f32> {
    let (width, queue) = (columns.dims[0], columns.dims[1]);
    let pointer = case.config["hyperparameters"]["queue_ptr_initial"].as_u64().unwrap_or(0) as usize;
    let values = columns.as_floats().expect("numbers");
    let at = |row: usize, c: usize| values[c * queue + (pointer + row) % queue];
    (0..queue).flat_map(|row| (0..width).map(move |c| at(row, c))).collect()
}

fn compare_after(case: &Case, trainer: &Trainer, stage: &Stage, faults: &mut Vec<String>) {
    let memory = &trainer.memory;
    let slot_words = |slot: &Slot, all: &[f32]| all[slot.range()].to_vec();
    if case.name == "clip_hf" {
        let mut after = case.file("after_step");
        for Load { key, source } in loads(stage) {
            let Some(slot) = memory.layout.parameters.get(key) else { continue };
            let theirs = load(&mut after, source).expect("a parameter").expect("not fresh");
            let far = difference(&slot_words(slot, &memory.parameters), theirs.as_floats().unwrap_or(&[]));
            // The step of a key bias is the sign of rounding noise.
            if far > GRADIENT && !key.ends_with(".k.b") {
                faults.push(format!("after the step, {key}: {far:.2e}"));
            }
        }
    }
    if case.name == "clip_open_clip" {
        return;
    }
    let Ok(mut after) = Archive::open(&case.folder.join("after.safetensors")) else { return };
    for (name, recorded) in [("old_images", "image_queue"), ("old_texts", "text_queue")] {
        let theirs = after.read(recorded).expect("a queue");
        let far = difference(
            &slot_words(&memory.layout.states[name], &memory.states),
            &newest_first(case, &theirs),
        );
        if far > FORWARD {
            faults.push(format!("{name} after the step: {far:.2e}"));
        }
    }
    for Load { key, source } in loads(stage) {
        let Some(slot) = memory.layout.twins.get(key) else { continue };
        let Ok(Some(theirs)) = load(&mut after, source) else { continue };
        let far = difference(&slot_words(slot, &memory.twins), theirs.as_floats().unwrap_or(&[]));
        if far > FORWARD {
            faults.push(format!("twin {key} after the step: {far:.2e}"));
        }
    }
}

fn faults(case: &Case, executor: Box<dyn Executor>) -> Vec<String> {
    let stage = case.stage();
    let time = Timeline { length: 1000, epoch: 1000 };
    let mut trainer = Trainer::new(&stage, executor, 0, time).expect("a trainer");
    bring(case, &stage, &mut trainer);
    let given = inputs(case, &stage);
    trainer.step(&given).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let valid = given
        .iter()
        .find(|(name, _)| name == "text.lengths")
        .map(|(_, t)| t.as_ids().unwrap_or(&[]).to_vec());
    let mut faults = Vec::new();
    compare_values(case, &trainer, &stage, &valid.unwrap_or_default(), &mut faults);
    compare_gradients(case, &trainer, &stage, &mut faults);
    compare_after(case, &trainer, &stage, &mut faults);
    faults
}

#[test]
fn recorded_cases_are_met_on_both_executors() {
    let folder = std::env::var("CHIASM_FIXTURES").unwrap_or_else(|_| "tests/fixtures".into());
    let folder = Path::new(&folder);
    let mut report = Vec::new();
    let mut run = 0;
    for name in CASES {
        let Some(case) = Case::open(folder, name) else {
            eprintln!("skipped: there is no case {name} in {}", folder.display());
            continue;
        };
        run += 1;
        for (kind, executor) in
            [("reference", Box::new(Reference) as Box<dyn Executor>), ("cpu", Box::new(Cpu::new(2)))]
        {
            let found = faults(&case, executor);
            report.extend(found.iter().map(|fault| format!("{name} on {kind}: {fault}")));
        }
    }
    assert!(run > 0, "no case in {}", folder.display());
    assert!(report.is_empty(), "{} differences\n{}", report.len(), report.join("\n"));
}
