//! What a step gave, beside what the peers' code gave.

use crate::case::{After, Case, Wanted};
use crate::given::loads;
use chiasm::exec::Slot;
use chiasm::lower::model::{Load, Source, Stage};
use chiasm::tensor::{Tensor, Values};
use chiasm::train::stage::Trainer;
use chiasm::weights::load::load;
use std::collections::BTreeSet;

const FORWARD: f64 = 1e-5;
const GRADIENT: f64 = 1e-4;

/// Largest difference, relative to the largest recorded number.
fn difference(ours: &[f32], theirs: &[f32]) -> f64 {
    if ours.len() != theirs.len() {
        return f64::NAN;
    }
    let top = theirs.iter().fold(0.0_f64, |top, x| top.max(f64::from(x.abs())));
    let pairs = ours.iter().zip(theirs).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs());
    // A NaN must not get lost in a maximum.
    let far = pairs.fold(0.0_f64, |far, one| if one.is_nan() { one } else { far.max(one) });
    if top == 0.0 { far } else { far / top }
}

fn is_far(far: f64, bound: f64) -> bool {
    far.is_nan() || far > bound
}

fn given<'g>(all: &'g [(String, Tensor)], name: &str) -> &'g [i32] {
    let found = all.iter().find(|(known, _)| known == name).and_then(|(_, tensor)| tensor.as_ids());
    found.unwrap_or_else(|| panic!("there is no input {name} of whole numbers"))
}

/// Whole numbers as numbers: so small that nothing is lost.
fn numbers(tensor: &Tensor) -> Vec<f32> {
    match &tensor.values {
        Values::Floats(numbers) => numbers.clone(),
        Values::Ids(ids) => ids.iter().map(|id| *id as f32).collect(),
    }
}

/// Ours and theirs with what means nothing left out.
fn alike(wanted: &Wanted, inputs: &[(String, Tensor)], ours: &Tensor, theirs: &Tensor) -> [Vec<f32>; 2] {
    let (mut a, mut b) = (numbers(ours), numbers(theirs));
    let Wanted::Part { valid, last, picked, .. } = wanted else { return [a, b] };
    if let Some(name) = picked {
        let hit = given(inputs, name);
        let width = a.len() / hit.len();
        let rows = a.chunks(width).zip(hit).filter(|(_, hit)| **hit != 0);
        a = rows.flat_map(|(row, _)| row.to_vec()).collect();
    }
    if let Some(name) = valid {
        let lengths = given(inputs, name);
        let (tokens, width) = (theirs.dims[1], theirs.dims[2..].iter().product::<usize>());
        let places = given(inputs, name.trim_end_matches(".lengths")).len() / lengths.len();
        let first = if *last { tokens - places } else { 0 };
        let used = |i: usize| (i / width % tokens) < first + lengths[i / width / tokens] as usize;
        let padded = (0..b.len().min(a.len())).filter(|i| !used(*i));
        padded.for_each(|i| (a[i], b[i]) = (0.0, 0.0));
    }
    [a, b]
}

/// Values and losses.
pub fn values(case: &Case, trainer: &Trainer, inputs: &[(String, Tensor)], faults: &mut Vec<String>) {
    let mut outputs = case.file("outputs").expect("outputs");
    for (name, wanted) in &case.spec.values {
        let recorded = wanted.name();
        let ours = trainer.output(name).or_else(|| trainer.output(&format!("value/{name}")));
        let (Ok(theirs), Some(ours)) = (outputs.read(recorded), ours) else {
            faults.push(format!("{name}: nothing to compare with {recorded}"));
            continue;
        };
        let [a, b] = alike(wanted, inputs, &ours, &theirs);
        let far = difference(&a, &b);
        if is_far(far, FORWARD) {
            faults.push(format!("{name}: {far:.2e} from {recorded}, {} and {} numbers", a.len(), b.len()));
        }
    }
}

/// The source with its tensor under another name; of tied ones the first.
fn renamed(source: &Source, name: &dyn Fn(&str) -> String) -> Source {
    let inner = |s: &Source| Box::new(renamed(s, name));
    match source {
        Source::Fresh => Source::Fresh,
        Source::Named(text) => Source::Named(name(text)),
        Source::Transposed(s) => Source::Transposed(inner(s)),
        Source::Row(s, i) => Source::Row(inner(s), *i),
        Source::Rows(s, a, b) => Source::Rows(inner(s), *a, *b),
        Source::Chunk(s, k, n) => Source::Chunk(inner(s), *k, *n),
        Source::Rearranged(s, p, sizes) => Source::Rearranged(inner(s), p.clone(), sizes.clone()),
        Source::Tied(all) => renamed(&all[0], name),
    }
}

/// Every recorded gradient, and none that was not recorded.
pub fn gradients(case: &Case, trainer: &Trainer, stage: &Stage, faults: &mut Vec<String>) {
    let mut grads = case.file("grads").expect("gradients");
    let memory = &trainer.memory;
    let largest = memory.gradients.iter().fold(0.0_f32, |top, x| top.max(x.abs()));
    let name = |text: &str| {
        let first = case.first_name(text);
        case.spec.renamed.iter().fold(first, |name, (from, to)| name.replace(from, to))
    };
    let mut left: BTreeSet<String> = grads.names().map(str::to_string).collect();
    for Load { key, source } in loads(stage) {
        let Some(slot) = memory.layout.parameters.get(key) else { continue };
        let source = renamed(source, &name);
        let Some(tensor) = source.name() else { continue };
        left.remove(tensor);
        let ours = &memory.gradients[slot.range()];
        if case.is_idle(tensor) {
            if ours.iter().any(|x| *x != 0.0) {
                faults.push(format!("{key} has a gradient, {tensor} has none"));
            }
            continue;
        }
        let theirs = match load(&mut grads, &source) {
            Ok(Some(tensor)) => tensor.as_floats().unwrap_or(&[]).to_vec(),
            other => {
                faults.push(format!("no recorded gradient for {key}: {other:?}"));
                continue;
            }
        };
        let top = theirs.iter().fold(0.0_f32, |top, x| top.max(x.abs()));
        let far = difference(ours, &theirs);
        // Rounding noise and exact zeros (every key bias) are compared absolutely.
        let small = top < 1e-6 * largest || key.ends_with(".k.b");
        let noise = far * f64::from(if top == 0.0 { 1.0 } else { top }) / f64::from(largest);
        if is_far(if small { noise } else { far }, if small { 1e-6 } else { GRADIENT }) {
            faults.push(format!("gradient of {key}: {far:.2e} (largest {top:.2e})"));
        }
    }
    faults.extend(left.iter().map(|name| format!("nothing of ours has the gradient of {name}")));
}

/// A recorded state rotated so that the newest rows come first, as ours are kept.
fn newest_first(case: &Case, columns: &Tensor) -> Vec<f32> {
    let (width, queue) = (columns.dims[0], columns.dims[1]);
    let pointer = case.config["hyperparameters"]["queue_ptr_initial"].as_u64().unwrap_or(0) as usize;
    let values = columns.as_floats().expect("numbers");
    let at = |row: usize, c: usize| values[c * queue + (pointer + row) % queue];
    (0..queue).flat_map(|row| (0..width).map(move |c| at(row, c))).collect()
}

/// States, slow copies and parameters after the step.
pub fn after(case: &Case, trainer: &Trainer, stage: &Stage, faults: &mut Vec<String>) {
    let memory = &trainer.memory;
    let of = |slot: &Slot, all: &[f32]| all[slot.range()].to_vec();
    let mut check = |what: String, ours: &[f32], theirs: &[f32], bound: f64| {
        let far = difference(ours, theirs);
        if is_far(far, bound) {
            faults.push(format!("{what} after the step: {far:.2e}"));
        }
    };
    for (name, theirs) in &case.spec.after {
        let mut recorded = case.file("after").expect("what is after the step");
        let theirs = match theirs {
            After::Plain(theirs) => {
                let tensor = recorded.read(theirs).expect("a state");
                tensor.as_floats().expect("numbers").to_vec()
            }
            After::Queue { queue } => newest_first(case, &recorded.read(queue).expect("a queue")),
        };
        check(name.clone(), &of(&memory.layout.states[name], &memory.states), &theirs, FORWARD);
    }
    let mut twins = 0;
    for Load { key, source } in loads(stage).iter().filter(|_| case.spec.twins) {
        let Some(slot) = memory.layout.twins.get(key) else { continue };
        let mut recorded = case.file("after").expect("what is after the step");
        // Some layers stand for all of them.
        let Ok(Some(theirs)) = load(&mut recorded, source) else { continue };
        twins += 1;
        check(key.clone(), &of(slot, &memory.twins), theirs.as_floats().unwrap_or(&[]), FORWARD);
    }
    assert!(twins > 0 || !case.spec.twins, "{}: no slow copy was recorded", case.name);
    for Load { key, source } in loads(stage).iter().filter(|_| case.spec.steps) {
        // The step of a key bias is the sign of rounding noise.
        let Some(slot) = memory.layout.parameters.get(key).filter(|_| !key.ends_with(".k.b")) else {
            continue;
        };
        let mut recorded = case.file("after_step").expect("parameters after the step");
        let theirs = load(&mut recorded, source).expect("a parameter").expect("not fresh");
        check(key.clone(), &of(slot, &memory.parameters), theirs.as_floats().unwrap_or(&[]), GRADIENT);
    }
}
