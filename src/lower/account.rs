//! What a stage moves and what it begins with, read off the checked model.
//!
//! A parameter moves if it trains in the stage and a gradient comes to it; it is *fresh* if nothing that the stage starts
//! from brings it. Invariant: both follow from the model alone; no data and no checkpoint is opened.
//!
//! ```
//! use chiasm::lower::account::{fresh, moved};
//! let file = std::path::Path::new("models/tiny/clip.chi");
//! let model = chiasm::compile(file, &chiasm::Options::default())?;
//! let stage = &model.stages[0];
//! assert!(moved(stage, "objective").iter().any(|path| path.starts_with("to_image.")));
//! assert_eq!(fresh(&model.stages, stage).len(), stage.parameters.len()); // it starts from nothing
//! # Ok::<(), chiasm::Failure>(())
//! ```

use super::model::{Load, Source, Stage, Start};
use super::trains::moved_by;
use crate::op::Op;
use rustc_hash::FxHashSet;
use std::borrow::Cow;

/// The parameters that an output of the stage's graph changes, by path: they train here, and a gradient comes to them.
pub fn moved<'s>(stage: &'s Stage, output: &str) -> FxHashSet<&'s str> {
    let Some(root) = stage.graph.output(output) else { return FxHashSet::default() };
    let trained: FxHashSet<&str> =
        stage.parameters.iter().filter(|p| p.trained).map(|p| p.path.as_str()).collect();
    let parameter = |value| match &stage.graph.node(value).op {
        Op::Parameter(p) => trained.get(p.path.as_str()).copied(),
        _ => None,
    };
    moved_by(&stage.graph, root).into_iter().filter_map(parameter).collect()
}

/// Keys of what a stage does not get from what it starts from: parameters by path, `state/` and a name.
pub fn fresh<'s>(stages: &'s [Stage], stage: &'s Stage) -> FxHashSet<Cow<'s, str>> {
    let brought = brought(stages, stage);
    keys(stage).filter(|key| !brought.contains(key)).collect()
}

/// Keys of what a stage gets from what it starts from.
pub fn brought<'s>(stages: &'s [Stage], stage: &'s Stage) -> FxHashSet<Cow<'s, str>> {
    stage.start.iter().flat_map(|start| brought_by(stages, start)).collect()
}

/// Keys of one thing that a stage starts from.
pub fn brought_by<'s>(stages: &'s [Stage], start: &'s Start) -> FxHashSet<Cow<'s, str>> {
    let mut found = FxHashSet::default();
    bring(stages, start, &mut FxHashSet::default(), &mut found);
    found
}

/// The definition in front of a path.
pub fn root(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// Parameters and states of a stage as a checkpoint calls them.
pub fn keys(stage: &Stage) -> impl Iterator<Item = Cow<'_, str>> {
    let states = stage.states.iter().map(|state| format!("state/{}", state.name).into());
    stage.parameters.iter().map(|p| p.path.as_str().into()).chain(states)
}

/// A stage brings what it has and what it carries along; one of the extended file is taken to have what it has here.
fn bring<'s>(
    stages: &'s [Stage],
    start: &'s Start,
    seen: &mut FxHashSet<&'s str>,
    found: &mut FxHashSet<Cow<'s, str>>,
) {
    match start {
        Start::Stage(name) | Start::Base(name) => {
            let Some(stage) = stages.iter().find(|s| s.name == *name) else { return };
            if seen.insert(name) {
                found.extend(keys(stage).chain(stage.twins.iter().map(|t| t.key.as_str().into())));
                stage.start.iter().for_each(|start| bring(stages, start, seen, found));
            }
        }
        Start::Weights { loads, .. } | Start::Moved { loads, .. } => {
            let loaded = |load: &&Load| load.source != Source::Fresh;
            found.extend(loads.iter().filter(loaded).map(|load| Cow::from(load.key.as_str())));
        }
    }
}
