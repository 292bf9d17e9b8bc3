//! What a stage depends on, as one number: a checkpoint is known again by it.

use crate::graph::Graph;
use crate::lower::model::{Condition, Model, Stage, Start, Task};
use crate::random::hash;
use crate::recipe::Rows;
use std::fmt::Write;

/// The hash of everything that changes a stage's numbers, other stages that it starts from or that derive its data included.
pub fn of(model: &Model, stage: &Stage, seed: u64, steps: Option<u64>) -> String {
    let mut text = String::new();
    describe(model, stage, &mut text, 0);
    format!("{:016x}", hash(&format!("{text}{seed}{steps:?}")))
}

fn describe(model: &Model, stage: &Stage, text: &mut String, depth: usize) {
    nodes(&stage.graph, text);
    let parts = (&stage.parameters, &stage.twins, &stage.states, &stage.inputs);
    let recipe =
        (&stage.feeds, stage.accumulate, &stage.rates, &stage.optimiser, stage.clip, stage.precision);
    // Writing to a string cannot fail.
    let _ = write!(text, "{}{parts:?}{recipe:?}{:?}{:?}", stage.name, stage.length, stage.start);
    let mut others: Vec<&str> = Vec::new();
    for start in &stage.start {
        if let Start::Stage(name) | Start::Moved { stage: name, .. } = start {
            others.push(name);
        }
    }
    for rows in stage.feeds.iter().flat_map(|feed| feed.data.rows.derived()) {
        text.push_str(&request(model, rows));
        others.extend(rows.maker());
    }
    for name in others {
        let found = model.stages.iter().find(|s| s.name == name);
        if let Some(found) = found.filter(|_| depth < model.stages.len()) {
            describe(model, found, text, depth + 1);
        }
    }
}

/// The hash of what is asked of the stage that derives rows: of a condition its graph, of a task all that decides what it writes.
pub fn request(model: &Model, rows: &Rows) -> String {
    let mut text = String::new();
    match rows {
        Rows::Sets { .. } | Rows::Mixed(_) => {}
        Rows::Kept { condition, on, .. } => {
            if let Some(Condition { values, .. }) = model.condition(condition, on) {
                nodes(&values.graph, &mut text);
            }
        }
        Rows::Recaptioned { by, .. } => {
            if let Some(Task { graph, inputs, answer, seed, .. }) = model.tasks.iter().find(|t| t.name == *by)
            {
                nodes(graph, &mut text);
                let _ = write!(text, "{inputs:?}{answer:?}{seed}");
            }
        }
    }
    format!("{:016x}", hash(&text))
}

/// Ops and wiring, without the places they come from: moving a line changes no number.
fn nodes(graph: &Graph, text: &mut String) {
    for value in graph.values() {
        let _ = write!(text, "{:?}{:?}", graph.node(value).op, graph.operands(value));
    }
    let _ = write!(text, "{:?}", graph.outputs());
}
