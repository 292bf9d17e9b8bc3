//! From a checked stage to a trainer: memory with initial values, the prepared program, the optimiser.

use super::begin::Beginnings;
use super::optimiser::Mover;
use super::pieces::{self, Pieces};
use super::{TrainError, init};
use crate::data::Library;
use crate::exec::{Executor, Follow, Layout, Memory, Program, Slot};
use crate::lower::model::{Beginning, Parameter, Stage, State, Twin};
use crate::op::Context;
use crate::pass::prepare;
use crate::recipe::{Precision, Schedule, Timeline};
use crate::shape::Kind;
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// A stage that can make steps.
pub struct Trainer {
    /// Parameters, moments, twins, states.
    pub memory: Memory,
    /// What the stage does not use but a later one may: carried from checkpoint to checkpoint, by key.
    pub carried: BTreeMap<String, Tensor>,
    /// Seed, stage, step, time.
    pub context: Context,
    pub(super) executor: Box<dyn Executor>,
    pub(super) program: Box<dyn Program>,
    pub(super) mover: Mover,
    pub(super) follows: Vec<(String, Schedule)>,
    pub(super) clamps: Vec<(Slot, (f64, f64))>,
    pub(super) outputs: Vec<String>,
    pub(super) beginnings: Beginnings,
    pub(super) pieces: Option<Pieces>,
    pub(super) batch: usize,
}

impl Trainer {
    /// A trainer at step 0 with initial values.
    ///
    /// # Errors
    /// A graph that the executor cannot run, or something that this version does not have.
    pub fn new(
        stage: &Stage,
        executor: Box<dyn Executor>,
        seed: u64,
        time: Timeline,
    ) -> Result<Self, TrainError> {
        refuse_later(stage)?;
        let layout = layout(&stage.parameters, &stage.twins, &stage.states);
        let graph = prepare::training(stage, &pieces::rows(stage), executor.backward())?;
        let program = executor.prepare(&graph, &layout)?;
        let mut memory = Memory::with_moments(&layout, stage.optimiser.method.moments());
        fill(&mut memory, &stage.parameters, &stage.twins, &stage.states, seed);
        Ok(Self {
            carried: BTreeMap::new(),
            context: Context { seed, stage: stage.name.clone(), step: 0, time, first_row: 0 },
            mover: Mover::new(stage, &layout),
            follows: follows(&stage.twins),
            clamps: clamps(stage, &layout),
            outputs: numbers(stage),
            beginnings: Beginnings::of(stage)?,
            pieces: Pieces::of(stage, executor.as_ref(), &memory)?,
            batch: stage.batch(),
            memory,
            executor,
            program,
        })
    }

    /// Bytes of everything: memory and the values of a step.
    pub fn bytes(&self) -> usize {
        let pieces = self.pieces.as_ref().map_or(0, Pieces::bytes);
        self.memory.bytes() + self.program.peak_bytes() + pieces
    }

    /// A named output of the last step.
    pub fn output(&self, name: &str) -> Option<Tensor> {
        self.program.output(name)
    }
}

/// What the language has and this version cannot train yet, said before anything runs.
pub(super) fn refuse_later(stage: &Stage) -> Result<(), TrainError> {
    let later = |what: String, instead: &str| {
        let what = format!("{what} (stage `{}`)", stage.name);
        Err(TrainError::Later { what, instead: instead.to_string() })
    };
    if stage.accumulate != 1 && stage.feeds.iter().any(|feed| feed.batch != stage.batch()) {
        return later("accumulate over sources of different batches".into(), "give all sources one batch");
    }
    for feed in &stage.feeds {
        Library::reads(&feed.data)
            .map_err(|error| TrainError::Data(format!("{error} (stage `{}`)", stage.name)))?;
    }
    if stage.precision != Precision::F32 {
        return later("a precision other than f32".into(), "leave `precision` out");
    }
    Ok(())
}

/// Where things lie; tasks use it too.
pub fn layout(parameters: &[Parameter], twins: &[Twin], states: &[State]) -> Layout {
    let mut layout = Layout::default();
    parameters.iter().for_each(|p| layout.add_parameter(&p.path, &p.dims));
    twins.iter().for_each(|t| layout.add_twin(&t.key, &t.dims));
    states.iter().for_each(|s| layout.add_state(&s.name, &s.shape.dims(), s.shape.kind == Kind::Ids));
    layout
}

/// Initial values of everything given; twins begin equal to their originals. All of it must have a place in the layout.
pub fn fill(memory: &mut Memory, parameters: &[Parameter], twins: &[Twin], states: &[State], seed: u64) {
    let Memory { layout, parameters: numbers, states: kept, .. } = &mut *memory;
    for parameter in parameters {
        let place = layout.parameters[&parameter.path].range();
        init::fill(&mut numbers[place], &parameter.dims, &parameter.init, seed, &parameter.path);
    }
    for state in states {
        let slot = &layout.states[&state.name];
        match (&state.start, slot.ids) {
            (Beginning::Drawn(init), true) => init::fill_ids(&mut kept[slot.range()], init),
            (Beginning::Drawn(init), false) => {
                init::fill(&mut kept[slot.range()], &slot.dims, init, seed, &state.name);
            }
            // The first step computes it.
            (Beginning::Computed(_), _) => {}
        }
    }
    memory.next.copy_from_slice(&memory.states);
    twins.iter().for_each(|twin| follow_at_once(memory, twin));
}

/// Makes a twin equal to its original.
pub(super) fn follow_at_once(memory: &mut Memory, twin: &Twin) {
    let slots = (memory.layout.twins.get(&twin.key), memory.layout.parameters.get(&twin.of));
    if let (Some(twin), Some(original)) = slots {
        memory.twins[twin.range()].copy_from_slice(&memory.parameters[original.range()]);
    }
}

/// One rate a momentum definition: keys of a definition share what stands before the first slash.
fn follows(twins: &[Twin]) -> Vec<(String, Schedule)> {
    let mut follows: Vec<(String, Schedule)> = Vec::new();
    for twin in twins {
        let end = twin.key.find('/').map_or(twin.key.len(), |at| at + 1);
        if follows.iter().all(|(prefix, _)| *prefix != twin.key[..end]) {
            follows.push((twin.key[..end].to_string(), twin.rate));
        }
    }
    follows
}

fn clamps(stage: &Stage, layout: &Layout) -> Vec<(Slot, (f64, f64))> {
    let clamped = stage.parameters.iter().filter_map(|p| Some((layout.parameters.get(&p.path)?, p.clamp?)));
    clamped.map(|(slot, range)| (slot.clone(), range)).collect()
}

/// The outputs that are logged.
fn numbers(stage: &Stage) -> Vec<String> {
    let names = stage.graph.outputs().iter().map(|(name, _)| name);
    names.filter(|n| n.starts_with("loss/") || n.starts_with("watch/")).cloned().collect()
}

impl Trainer {
    /// How twins move at this step.
    pub(super) fn follows(&self) -> Vec<Follow> {
        let Context { step, time, .. } = self.context;
        let at = |(prefix, rate): &(String, Schedule)| Follow {
            prefix: prefix.clone(),
            rate: rate.at(step, time),
        };
        self.follows.iter().map(at).collect()
    }
}
