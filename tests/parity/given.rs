//! Recorded inputs and weights become ours.

use crate::case::{Case, Given, Made};
use chiasm::lower::model::{Load, Reading, Stage, Start};
use chiasm::tensor::{Tensor, Values};
use chiasm::train::stage::Trainer;
use chiasm::weights::archive::Archive;
use chiasm::weights::load::load;
use std::collections::BTreeSet;

/// Reads whole numbers, however they are kept.
pub fn ids(archive: &mut Archive, name: &str) -> Option<Tensor> {
    let tensor = archive.read(name).ok()?;
    Some(match tensor.values {
        Values::Ids(_) => tensor,
        Values::Floats(values) => Tensor::ids(tensor.dims, values.iter().map(|v| *v as i32).collect()),
    })
}

/// A recorded input, its own or that of the case it builds on.
fn recorded(case: &Case, name: &str, whole: bool) -> Tensor {
    let own = case.file("inputs");
    let found = own.into_iter().chain([case.base("inputs")]).find_map(|mut archive| match whole {
        true => ids(&mut archive, name),
        false => archive.read(name).ok(),
    });
    found.unwrap_or_else(|| panic!("{} has no input {name}", case.name))
}

fn rows(tensor: &Tensor, of_row: impl Fn(&[i32]) -> i32) -> Tensor {
    let (count, width) = (tensor.dims[0], tensor.dims[1]);
    let values = tensor.as_ids().expect("whole numbers");
    Tensor::ids([count], values.chunks(width).map(of_row).collect())
}

fn largest(row: &[i32]) -> i32 {
    row.iter().enumerate().rev().max_by_key(|(_, id)| **id).map_or(1, |(place, _)| place as i32 + 1)
}

fn made(case: &Case, made: &Made) -> Tensor {
    match made {
        Made::Ones(name) => rows(&recorded(case, name, true), |row| row.iter().sum()),
        Made::Zeros(name) => rows(&recorded(case, name, true), |row| row.iter().map(|x| 1 - x).sum()),
        Made::Largest(name) => rows(&recorded(case, name, true), largest),
        Made::Labelled(name) => {
            let labels = recorded(case, name, true);
            let hit = labels.as_ids().expect("labels").iter().map(|l| i32::from(*l >= 0)).collect();
            Tensor::ids(labels.dims, hit)
        }
        Made::Placed([labels, at]) => placed(&recorded(case, labels, true), recorded(case, at, true)),
    }
}

/// Labels in order, each at a place that is not 0.
fn placed(labels: &Tensor, at: Tensor) -> Tensor {
    let mut labels = labels.as_ids().expect("labels").iter();
    let put = |at: &i32| if *at == 0 { 0 } else { *labels.next().expect("a label for every place") };
    let values = at.as_ids().expect("places").iter().map(put).collect();
    assert!(labels.next().is_none(), "a place for every label");
    Tensor::ids(at.dims, values)
}

fn input(case: &Case, name: &str, whole: bool) -> Tensor {
    match case.spec.inputs.get(name) {
        Some(Given::Plain(theirs)) => recorded(case, theirs, whole),
        Some(Given::Made(how)) => made(case, how),
        None => panic!("{}.json says nothing of the input {name}", case.name),
    }
}

/// Everything that the stage reads, by our names.
pub fn inputs(case: &Case, stage: &Stage) -> Vec<(String, Tensor)> {
    let mut given = Vec::new();
    for wanted in &stage.inputs {
        let whole = wanted.shape.kind != chiasm::shape::Kind::Float;
        let tensor = input(case, &wanted.name, whole);
        if let Some(name) = &wanted.lengths {
            given.push((name.clone(), input(case, name, true)));
        }
        let other = matches!(wanted.reading, Reading::Image { side } if side != tensor.dims[2]);
        assert!(!other, "sizes of {}", wanted.name);
        given.push((wanted.name.clone(), tensor));
    }
    given
}

/// What the stage loads.
pub fn loads(stage: &Stage) -> &[Load] {
    match &stage.start[..] {
        [Start::Weights { loads, .. }] => loads,
        other => panic!("a parity stage starts from `official`, not {other:?}"),
    }
}

/// Puts the recorded weights, twins and states into memory; nothing may be left out.
pub fn bring(case: &Case, stage: &Stage, trainer: &mut Trainer) {
    let mut archive = case.base("weights");
    let mut brought = BTreeSet::new();
    for Load { key, source } in loads(stage) {
        let memory = &mut trainer.memory;
        let state = key.strip_prefix("state/");
        let slot = state.map_or_else(
            || memory.layout.parameters.get(key).or(memory.layout.twins.get(key)),
            |name| memory.layout.states.get(name),
        );
        let Some(slot) = slot.cloned() else { continue };
        let Some(tensor) = load(&mut archive, source).unwrap_or_else(|e| panic!("{key}: {e}")) else {
            continue;
        };
        assert_eq!(tensor.dims, slot.dims, "{key}");
        let place = match (state, memory.layout.parameters.contains_key(key)) {
            (Some(_), _) => &mut memory.states,
            (None, true) => &mut memory.parameters,
            (None, false) => &mut memory.twins,
        };
        place[slot.range()].copy_from_slice(tensor.as_floats().expect("numbers"));
        brought.insert(key.clone());
    }
    begin(case, trainer);
    let layout = &trainer.memory.layout;
    let missing: Vec<&String> =
        layout.parameters.keys().chain(layout.twins.keys()).filter(|key| !brought.contains(*key)).collect();
    assert!(missing.is_empty(), "no recorded weights for {missing:?}");
}

/// States that are recorded as inputs; whole numbers are kept by their bits.
fn begin(case: &Case, trainer: &mut Trainer) {
    for (state, theirs) in &case.spec.begin {
        let Some(slot) = trainer.memory.layout.states.get(state).cloned() else { continue };
        let bits: Vec<f32> = match recorded(case, theirs, false).values {
            Values::Ids(ids) => ids.iter().map(|id| f32::from_bits(*id as u32)).collect(),
            Values::Floats(numbers) => numbers,
        };
        trainer.memory.states[slot.range()].copy_from_slice(&bits);
    }
}
