//! Convolutional towers against the same written plainly in `f64`: values and running statistics in training and out of it, and
//! every gradient against differences of the plain one. No outside code is needed.

#[path = "convolution/naive.rs"]
mod naive;

use chiasm::exec::Executor;
use chiasm::exec::cpu::Cpu;
use chiasm::exec::reference::Reference;
use chiasm::lower::model::{Model, Source, Stage, Start};
use chiasm::random::Stream;
use chiasm::recipe::Timeline;
use chiasm::tensor::Tensor;
use chiasm::train::stage::Trainer;
use chiasm::{Options, compile};
use naive::{Maps, Numbers, Tower};
use std::collections::BTreeMap;

const ROWS: usize = 3;
const EXECUTORS: [fn() -> Box<dyn Executor>; 2] = [|| Box::new(Reference), || Box::new(Cpu::new(2))];

fn model() -> Model {
    let options = Options { given: true, ..Options::default() };
    compile("tests/convolution/tower.chi".as_ref(), &options).unwrap_or_else(|error| panic!("{error}"))
}

fn stage(name: &str) -> Stage {
    let mut stage = model().stages.into_iter().find(|s| s.name == name).expect("the stage");
    stage.feeds.iter_mut().for_each(|feed| feed.batch = ROWS);
    stage
}

/// Numbers around 0 that `f32` holds.
fn drawn(name: &str, count: usize) -> Vec<f64> {
    let stream = Stream::new(7, "tower", name);
    (0..count).map(|i| f64::from((0.5 * stream.normal(0, i as u32)) as f32)).collect()
}

fn floats(dims: &[usize], numbers: &[f64]) -> Tensor {
    Tensor::floats(dims, numbers.iter().map(|x| *x as f32).collect())
}

fn picture(name: &str) -> Maps {
    Maps { dims: [ROWS, 3, 16, 16], data: drawn(name, ROWS * 3 * 256) }
}

fn aim() -> Vec<f64> {
    drawn("aim", ROWS * 4)
}

fn inputs(stage: &Stage) -> Vec<(String, Tensor)> {
    let picture = |name| (String::from(name), floats(&[ROWS, 3, 16, 16], &picture(name).data));
    let all = [picture("image"), picture("other"), (String::from("aim"), floats(&[ROWS, 4], &aim()))];
    all.into_iter().filter(|(name, _)| stage.inputs.iter().any(|input| input.name == *name)).collect()
}

/// A trainer whose parameters and states are drawn, and these; variances are above 0.
fn trainer(stage: &Stage, executor: Box<dyn Executor>) -> (Trainer, Numbers, Numbers) {
    let mut trainer =
        Trainer::new(stage, executor, 0, Timeline { length: 10, epoch: 10 }).expect("a trainer");
    let (mut numbers, mut kept) = (Numbers::new(), Numbers::new());
    for (path, slot) in trainer.memory.layout.parameters.clone() {
        let drawn = drawn(&path, slot.range().len());
        put(&mut trainer.memory.parameters[slot.range()], &drawn);
        numbers.insert(path, drawn);
    }
    for (path, slot) in trainer.memory.layout.twins.clone() {
        put(&mut trainer.memory.twins[slot.range()], &numbers[path.trim_start_matches("slow/")]);
    }
    for (path, slot) in trainer.memory.layout.states.clone() {
        let mut drawn = drawn(&path, slot.range().len());
        if path.ends_with("variance") {
            drawn.iter_mut().for_each(|x| *x = f64::from((1.0 + x.abs()) as f32));
        }
        put(&mut trainer.memory.states[slot.range()], &drawn);
        kept.insert(path, drawn);
    }
    (trainer, numbers, kept)
}

fn put(place: &mut [f32], numbers: &[f64]) {
    place.iter_mut().zip(numbers).for_each(|(place, x)| *place = *x as f32);
}

fn far(tower: &Tower<'_>, image: &Maps) -> f64 {
    let (out, aim) = (tower.out(image), aim());
    out.iter().zip(&aim).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / out.len() as f64
}

fn tower<'n>(numbers: &'n Numbers, kept: &'n Numbers) -> Tower<'n> {
    Tower { numbers, kept, seen: Default::default() }
}

fn close(ours: f64, theirs: f64, what: &str) {
    let apart = (ours - theirs).abs() / theirs.abs().max(1e-2);
    assert!(apart < 2e-5, "{what}: {ours} for {theirs}");
}

/// The states that a stage keeps: all of them, or none.
fn used(stage: &Stage, kept: &Numbers) -> Numbers {
    if stage.states.iter().any(|s| s.advanced) { Numbers::new() } else { kept.clone() }
}

/// The gradients of the plain tower by differences: of small parameters every element, of larger ones every third.
fn differences(stage: &Stage) -> BTreeMap<String, Vec<(usize, f64)>> {
    const STEP: f64 = 1e-5;
    let (_, mut numbers, kept) = trainer(stage, Box::new(Reference));
    let kept = used(stage, &kept);
    let image = picture("image");
    let mut all = BTreeMap::new();
    for path in stage.parameters.iter().filter(|p| p.trained).map(|p| p.path.clone()) {
        let count = numbers[&path].len();
        let mut moved = |i: usize, offset: f64| {
            let was = numbers[&path][i];
            numbers.get_mut(&path).expect("numbers")[i] = was + offset;
            let loss = far(&tower(&numbers, &kept), &image);
            numbers.get_mut(&path).expect("numbers")[i] = was;
            loss
        };
        let some = (0..count).step_by(if count > 24 { 3 } else { 1 });
        let numeric = some.map(|i| (i, (moved(i, STEP) - moved(i, -STEP)) / (2.0 * STEP))).collect();
        all.insert(path, numeric);
    }
    all
}

fn gradients_are_differences(stage: &Stage) {
    let numeric = differences(stage);
    for executor in EXECUTORS {
        let (mut trainer, numbers, kept) = trainer(stage, executor());
        let kept = used(stage, &kept);
        let row = trainer.step(&inputs(stage)).expect("a step");
        close(row.loss, far(&tower(&numbers, &kept), &picture("image")), "the loss");
        for (path, numeric) in &numeric {
            let written = &trainer.memory.gradients[trainer.memory.layout.parameters[path].range()];
            let top = numeric.iter().fold(1e-2, |top: f64, (_, x)| top.max(x.abs()));
            for (i, theirs) in numeric {
                let apart = (f64::from(written[*i]) - theirs).abs() / top;
                assert!(apart < 2e-4, "{path}[{i}]: {} for {theirs}", written[*i]);
            }
        }
    }
}

#[test]
fn gradients_through_statistics_of_the_batch() {
    gradients_are_differences(&stage("alone"));
}

#[test]
fn a_frozen_norm_uses_what_it_remembers() {
    let stage = stage("still");
    assert!(!stage.states.is_empty() && stage.states.iter().all(|state| !state.advanced));
    gradients_are_differences(&stage);
}

/// What a state becomes when these moments are seen one after the other.
fn moved(path: &str, was: &[f64], seen: &[&BTreeMap<String, (Vec<f64>, Vec<f64>)>]) -> Vec<f64> {
    let (norm, part) = path.rsplit_once('.').expect("a part of a norm");
    let rate = if norm.starts_with("same") || norm.starts_with("down") { 0.01 } else { 0.1 };
    seen.iter().fold(was.to_vec(), |was, seen| {
        let (mean, variance) = &seen[norm];
        let by = if part == "centre" { mean } else { variance };
        was.iter().zip(by).map(|(was, by)| (1.0 - rate) * was + rate * by).collect()
    })
}

fn states_move(stage: &Stage, pictures: &[&str], executor: Box<dyn Executor>) {
    let (mut trainer, numbers, kept) = trainer(stage, executor);
    trainer.step(&inputs(stage)).expect("a step");
    let none = Numbers::new();
    let towers: Vec<Tower<'_>> = pictures.iter().map(|_| tower(&numbers, &none)).collect();
    towers.iter().zip(pictures).for_each(|(tower, name)| drop(tower.out(&picture(name))));
    let seen: Vec<_> = towers.into_iter().map(|tower| tower.seen.into_inner()).collect();
    assert_eq!(stage.states.len(), 22, "eleven norms");
    for state in &stage.states {
        assert!(state.advanced, "{}", state.name);
        let slot = trainer.memory.layout.states[&state.name].clone();
        let wanted = moved(&state.name, &kept[&state.name], &seen.iter().collect::<Vec<_>>());
        for (ours, theirs) in trainer.memory.states[slot.range()].iter().zip(wanted) {
            close(f64::from(*ours), theirs, &state.name);
        }
    }
}

#[test]
fn running_statistics_follow_the_batch() {
    EXECUTORS.into_iter().for_each(|executor| states_move(&stage("alone"), &["image"], executor()));
}

#[test]
fn two_passes_move_them_one_after_the_other() {
    EXECUTORS.into_iter().for_each(|executor| states_move(&stage("twice"), &["image", "other"], executor()));
}

#[test]
fn a_slow_copy_moves_nothing() {
    EXECUTORS.into_iter().for_each(|executor| states_move(&stage("behind"), &["image"], executor()));
}

#[test]
fn outside_of_training_a_value_reads_the_states() {
    let values = model().values("alone", &["out"]).expect("the values");
    assert_eq!(values.states.len(), 22);
    assert!(values.graph.outputs().iter().all(|(name, _)| name == "out"));
}

#[test]
fn a_map_between_stages_brings_states() {
    let stage = stage("after");
    let [Start::Moved { loads, .. }] = stage.start.as_slice() else { panic!("{:?}", stage.start) };
    let found = loads.iter().find(|load| load.key == "state/twin.variance").expect("a state");
    assert_eq!(found.source, Source::Named("state/norm.variance".into()));
}
