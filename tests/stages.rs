//! Whole training stages of the tiny models on the CPU executor, against the reference.

use chiasm::bench;
use chiasm::exec::cpu::Cpu;
use chiasm::exec::reference::Reference;
use chiasm::exec::{Executor, Layout, Memory, Program};
use chiasm::lower::model::{Reading, Stage};
use chiasm::pass::prepare;
use chiasm::random::Stream;
use chiasm::shape::{Batch, Kind};
use chiasm::tensor::{Tensor, Values};
use chiasm::{Options, compile};
use std::path::Path;

const ROWS: usize = 4;

fn layout(stage: &Stage) -> Layout {
    let mut layout = Layout::default();
    stage.parameters.iter().for_each(|p| layout.add_parameter(&p.path, &p.dims));
    stage.twins.iter().for_each(|t| layout.add_twin(&t.key, &t.dims));
    stage.states.iter().for_each(|s| layout.add_state(&s.name, &s.shape.dims(), s.shape.kind == Kind::Ids));
    layout
}

fn memory(layout: &Layout) -> Memory {
    let mut memory = bench::memory(layout);
    for (key, slot) in &layout.twins {
        let stream = Stream::new(4, "twins", key);
        let gain = f32::from(u8::from(key.ends_with("gain")));
        memory.twins[slot.range()]
            .iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x = gain + 0.05 * stream.normal(0, i as u32) as f32);
    }
    for (name, slot) in layout.states.iter().filter(|(_, slot)| !slot.ids) {
        let stream = Stream::new(5, "states", name);
        memory.states[slot.range()]
            .iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x = stream.normal(0, i as u32) as f32);
    }
    memory
}

/// Random tensors for what a stage reads: images in 0..1, words below 40, lengths of at least two.
fn inputs(stage: &Stage, batch: &Batch) -> Vec<(String, Tensor)> {
    let mut given = Vec::new();
    for input in &stage.inputs {
        let dims = input.shape.bind(batch).dims();
        let stream = Stream::new(6, "inputs", &input.name);
        let count = dims.iter().product::<usize>() as u32;
        let below = if matches!(input.reading, Reading::Ids) { 2 } else { 40 };
        let tensor = match input.shape.kind {
            Kind::Ids => {
                Tensor::ids(dims.clone(), (0..count).map(|i| stream.below(below, 0, i) as i32).collect())
            }
            _ => Tensor::floats(dims.clone(), (0..count).map(|i| stream.uniform(0, i)).collect()),
        };
        if let Some(lengths) = &input.lengths {
            let most = dims.get(1).copied().unwrap_or(2) as u32;
            let ids = (0..ROWS as u32).map(|i| (2 + stream.below(most - 1, 1, i)) as i32).collect();
            given.push((lengths.clone(), Tensor::ids([ROWS], ids)));
        }
        given.push((input.name.clone(), tensor));
    }
    given
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    match &tensor.values {
        Values::Floats(numbers) => numbers.clone(),
        Values::Ids(ids) => ids.iter().map(|id| *id as f32).collect(),
    }
}

/// Outputs and gradients that differ by more than the tolerance, relative to the largest of their kind.
fn faults(stage: &Stage) -> Vec<String> {
    let batch = Batch::of(&stage.feeds[0].symbol, ROWS);
    let graph = prepare::training(stage, &batch, prepare::Backward::Graph).expect("a graph");
    let layout = layout(stage);
    let mut memory = memory(&layout);
    let given = inputs(stage, &batch);
    let given: Vec<(&str, &Tensor)> = given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut reference = Reference.program(&graph, &layout).expect("a program");
    reference.run(&mut memory.clone(), &given, &bench::context(3)).expect("a run");
    let mut program = Cpu::new(2).prepare(&graph, &layout).expect("a program");
    program.run(&mut memory, &given, &bench::context(3)).expect("a run");
    let gradients = graph.outputs().iter().filter(|(name, _)| name.starts_with("grad/"));
    let largest = gradients
        .filter_map(|(name, _)| reference.array(name))
        .flat_map(|a| &a.data)
        .fold(0.0_f64, |m, x| m.max(x.abs()));
    let mut faults = Vec::new();
    for (name, _) in graph.outputs() {
        let expected = reference.array(name).expect("a value");
        let (found, floor, tolerance) = if let Some(path) = name.strip_prefix("grad/") {
            (memory.gradients[layout.parameters[path].range()].to_vec(), 1e-3 * largest, 1e-4)
        } else if let Some(state) = name.strip_prefix("next/") {
            let slot = &layout.states[state];
            let number = |word: &f32| if slot.ids { word.to_bits() as i32 as f32 } else { *word };
            (memory.next[slot.range()].iter().map(number).collect(), 1e-3, 1e-5)
        } else {
            (floats(&program.output(name).expect("a value")), 1e-3, 1e-5)
        };
        let scale = expected.data.iter().fold(floor, |m, x| m.max(x.abs()));
        let error = found
            .iter()
            .zip(&expected.data)
            .map(|(a, b)| (f64::from(*a) - b).abs() / scale)
            .fold(0.0, f64::max);
        if error.is_nan() || error > tolerance || found.len() != expected.data.len() {
            faults.push(format!("{}: {name} is off by {error:.1e}", stage.name));
        }
    }
    faults
}

fn check(model: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny").join(model);
    let model = compile(&path, &Options::default()).expect("a model");
    let faults: Vec<String> = model.stages.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn clip() {
    check("clip.chi");
}

#[test]
fn albef() {
    check("albef.chi");
}
