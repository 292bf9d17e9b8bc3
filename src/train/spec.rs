//! What a stage depends on, as one number: a checkpoint is known again by it.

use crate::lower::model::{Model, Stage, Start};
use crate::random::hash;
use std::fmt::Write;

/// The hash of everything that changes a stage's numbers, other stages it starts from included.
pub fn of(model: &Model, stage: &Stage, seed: u64, steps: Option<u64>) -> String {
    let mut text = String::new();
    describe(model, stage, &mut text, 0);
    format!("{:016x}", hash(&format!("{text}{seed}{steps:?}")))
}

fn describe(model: &Model, stage: &Stage, text: &mut String, depth: usize) {
    nodes(stage, text);
    let parts = (&stage.parameters, &stage.twins, &stage.states, &stage.inputs);
    let recipe =
        (&stage.feeds, stage.accumulate, &stage.rates, &stage.optimiser, stage.clip, stage.precision);
    // Writing to a string cannot fail.
    let _ = write!(text, "{}{parts:?}{recipe:?}{:?}{:?}", stage.name, stage.length, stage.start);
    for start in &stage.start {
        let (Start::Stage(name) | Start::Moved { stage: name, .. }) = start else { continue };
        let found = model.stages.iter().find(|s| s.name == *name);
        if let Some(found) = found.filter(|_| depth < model.stages.len()) {
            describe(model, found, text, depth + 1);
        }
    }
}

/// Ops and wiring, without the places they come from: moving a line changes no number.
fn nodes(stage: &Stage, text: &mut String) {
    for value in stage.graph.values() {
        let _ = write!(text, "{:?}{:?}", stage.graph.node(value).op, stage.graph.operands(value));
    }
    let _ = write!(text, "{:?}", stage.graph.outputs());
}
