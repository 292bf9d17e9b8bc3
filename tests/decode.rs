//! Texts written from kept keys and values are those that running all of the text writes, for every family that writes.
//!
//! The models are those that ship, at the size of a test, with random weights.

#[path = "generate/first.rs"]
mod first;

use chiasm::exec::cpu::Cpu;
use chiasm::exec::reference::Reference;
use chiasm::exec::{Executor, Memory};
use chiasm::lower::model::{Answer, Model, Task};
use chiasm::task::generate::{Texts, run, run_whole};
use chiasm::train::run::Supply;
use chiasm::train::stage::{fill, layout};
use chiasm::{Host, Options, compile};
use first::First;
use std::path::Path;

fn model(name: &str) -> Model {
    let path = format!("tests/decode/{name}.chi");
    compile(Path::new(&path), &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn task(model: &Model, name: &str, batch: usize) -> Task {
    let found = model.tasks.iter().find(|task| task.name == name).cloned();
    Task { batch, ..found.expect("the task") }
}

/// Initial values, stretched: otherwise pictures make no difference.
fn memory(task: &Task) -> Memory {
    let mut memory = Memory::for_evaluation(&layout(&task.parameters, &task.twins, &task.states));
    fill(&mut memory, &task.parameters, &task.twins, &task.states, 7);
    for (path, slot) in memory.layout.parameters.clone() {
        let stretch = if path.ends_with(".gain") { 1.0 } else { 8.0 };
        let numbers = &mut memory.parameters[slot.range()];
        numbers.iter_mut().for_each(|x| *x *= stretch);
        // What begins as zeros, as biases do, would hide a mistake.
        if numbers.iter().all(|x| *x == 0.0) {
            numbers.iter_mut().enumerate().for_each(|(i, x)| *x = 0.4 * (i as f32).sin());
        }
    }
    memory
}

fn texts(task: &Task, executor: &dyn Executor, count: usize, whole: bool) -> Texts {
    let all = Host::default().subjects(task, "runs".as_ref());
    let mut subjects = First(all.unwrap_or_else(|e| panic!("{e}")), count);
    let mut memory = memory(task);
    let before = (memory.layout.clone(), memory.states.len());
    let way = if whole { run_whole } else { run };
    let texts =
        way(task, executor, &mut memory, &mut subjects).unwrap_or_else(|e| panic!("{}: {e}", task.name));
    assert_eq!((memory.layout, memory.states.len()), before, "the memory is as it was");
    texts
}

/// The same tokens, the same scores.
fn alike(name: &str, cached: &Texts, whole: &Texts) {
    assert_eq!((cached.way.as_str(), whole.way.as_str()), ("cached", "whole"), "{name}");
    assert_eq!(cached.captions.len(), whole.captions.len());
    for (ours, theirs) in cached.captions.iter().zip(&whole.captions) {
        assert_eq!(ours.text, theirs.text, "{name}");
        let far = (ours.score - theirs.score).abs() / theirs.score.abs().max(1.0);
        assert!(far < 1e-5, "{name}: {} for {}", ours.score, theirs.score);
    }
}

fn family_writes_alike(name: &str) {
    let (model, cpu) = (model(name), Cpu::new(2));
    let mut different = std::collections::BTreeSet::new();
    for way in ["greedy", "describe", "drawn"] {
        let whole = texts(&task(&model, way, 4), &cpu, 6, true);
        for batch in [4, 1] {
            let cached = texts(&task(&model, way, batch), &cpu, 6, false);
            alike(&format!("{name}, {way}, batch {batch}"), &cached, &whole);
        }
        different.extend(whole.captions.into_iter().map(|caption| caption.text));
    }
    assert!(different.len() > 6, "{name} writes too few different texts: {different:?}");
    let described = task(&model, "describe", 2);
    let [cached, whole] = [false, true].map(|whole| texts(&described, &Reference, 2, whole));
    alike(&format!("{name} on the reference"), &cached, &whole);
}

#[test]
fn text_beside_a_picture() {
    family_writes_alike("blip");
}

#[test]
fn text_before_a_mark() {
    family_writes_alike("coca");
}

#[test]
fn text_with_hidden_keys() {
    family_writes_alike("coca_open_clip");
}

#[test]
fn text_in_one_sequence_with_a_picture() {
    family_writes_alike("beit3");
}

#[test]
fn an_answer_to_a_question() {
    family_writes_alike("albef");
}

#[test]
fn text_before_a_picture_with_relative_places() {
    family_writes_alike("vlmo");
}

#[test]
fn text_behind_a_prefix_that_is_read_both_ways() {
    family_writes_alike("simvlm");
}

#[test]
fn what_cannot_be_kept_is_run_whole_and_told() {
    let (model, cpu) = (model("ahead"), Cpu::new(1));
    let told = texts(&task(&model, "describe", 4), &cpu, 4, false);
    let why = "whole, because `attend` in `encoder[0]";
    assert!(
        told.way.starts_with(why) && told.way.ends_with("looks at later places of the text"),
        "{}",
        told.way
    );
    let whole = texts(&task(&model, "describe", 4), &cpu, 4, true);
    assert_eq!(told.captions, whole.captions);
}

/// Captions a second, both ways in alternation; programs are made anew each time, weights are not.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr)]
fn captions_a_second() {
    let threads = std::env::var("CHIASM_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let cpu = Cpu::new(threads);
    for (name, count, rounds) in [("tiny_beit3", 32, 3), ("tiny_blip", 32, 3), ("base_blip", 2, 2)] {
        let model = model(name);
        let asked = task(&model, "describe", count.min(16));
        let mut memory = memory(&asked);
        for _ in 0..rounds {
            for way in [run_whole, run] {
                let subjects =
                    Host::default().subjects(&asked, "runs".as_ref()).unwrap_or_else(|e| panic!("{e}"));
                let start = std::time::Instant::now();
                let found = way(&asked, &cpu, &mut memory, &mut First(subjects, count));
                let found = found.unwrap_or_else(|e| panic!("{e}"));
                let second = count as f64 / start.elapsed().as_secs_f64();
                eprintln!("{name:<12} {:<8} {second:8.3} captions/s", found.way);
            }
        }
    }
}

#[test]
fn prompts_of_other_lengths_are_gone_on_from() {
    let (model, cpu) = (model("blip"), Cpu::new(2));
    for prompt in ["a", "a picture of the", "a large red circle to the left of"] {
        let mut asked = task(&model, "describe", 3);
        let Answer::Generate { prompt: own, .. } = &mut asked.answer else { panic!("{:?}", asked.answer) };
        *own = Some(prompt.to_string());
        let [cached, whole] = [false, true].map(|whole| texts(&asked, &cpu, 5, whole));
        alike(prompt, &cached, &whole);
    }
}
