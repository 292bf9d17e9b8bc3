//! One step, in the order of section 4.13 of the language.

use super::{TrainError, stage::Trainer};
use crate::exec::{Memory, Program};
use crate::op::Context;
use crate::tensor::Tensor;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// What is known after a step; one line of `metrics.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// Steps made, this one included.
    pub step: u64,
    /// Epochs made.
    pub epoch: f64,
    /// What was minimised.
    pub loss: f64,
    /// Each loss by name.
    pub losses: BTreeMap<String, f64>,
    /// Each watched value (its mean).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub watch: BTreeMap<String, f64>,
    /// Learning rate of this step.
    pub rate: f64,
    /// Global norm of the gradients before clipping.
    pub norm: f64,
    /// Rows of the first source a second, as an epoch counts them, without loading.
    pub samples_per_second: f64,
}

impl Trainer {
    /// One step on a batch.
    ///
    /// # Errors
    /// An input that does not fit, or a loss that is not a number; then no parameter has moved.
    pub fn step(&mut self, batch: &[(String, Tensor)]) -> Result<Row, TrainError> {
        let began = Instant::now();
        let inputs: Vec<(&str, &Tensor)> =
            batch.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        self.clamp();
        self.begin(&inputs)?;
        let follows = self.follows();
        self.executor.follow(&mut self.memory, &follows);
        let mut row = self.run(&inputs)?;
        let update = self.mover.after(self.context.step, self.context.time);
        row.rate = update.rate;
        row.norm = self.executor.update(&mut self.memory, update);
        finite(self.context.step, "the norm of the gradients", row.norm)?;
        self.memory.advance();
        self.context.step += 1;
        row.step = self.context.step;
        row.epoch = row.step as f64 / self.context.time.epoch.max(1) as f64;
        row.samples_per_second = self.batch as f64 / began.elapsed().as_secs_f64();
        Ok(row)
    }

    /// Before the first step: states that begin as a value of its batch.
    fn begin(&mut self, inputs: &[(&str, &Tensor)]) -> Result<(), TrainError> {
        if self.context.step > 0 {
            return Ok(());
        }
        self.beginnings.compute(self.executor.as_ref(), &mut self.memory, inputs, &self.context)
    }

    /// Brings clamped parameters into their ranges.
    fn clamp(&mut self) {
        for (slot, (low, high)) in &self.clamps {
            let values = &mut self.memory.parameters[slot.range()];
            values.iter_mut().for_each(|value| *value = value.clamp(*low as f32, *high as f32));
        }
    }

    /// Forward and backward of a batch, in one run or in pieces.
    fn run(&mut self, inputs: &[(&str, &Tensor)]) -> Result<Row, TrainError> {
        let Self { memory, program, context, outputs, pieces, .. } = self;
        let mut run = |memory: &mut Memory, inputs: &[(&str, &Tensor)], context: &Context| {
            program.run(memory, inputs, context)?;
            read(program.as_ref(), outputs, context.step)
        };
        match pieces {
            Some(pieces) => pieces.run(memory, inputs, context, &mut run),
            None => run(memory, inputs, context),
        }
    }
}

/// The numbers of the run just made; the parts first, so that a NaN is reported where it arose.
fn read(program: &dyn Program, outputs: &[String], step: u64) -> Result<Row, TrainError> {
    let mut row = Row::default();
    for name in outputs {
        let value = number(program, name);
        if let Some(loss) = name.strip_prefix("loss/") {
            finite(step, &format!("loss {loss}"), value)?;
            row.losses.insert(loss.to_string(), value);
        } else if let Some(watched) = name.strip_prefix("watch/") {
            row.watch.insert(watched.to_string(), value);
        }
    }
    row.loss = number(program, "objective");
    finite(step, "the objective", row.loss)?;
    Ok(row)
}

/// The mean of an output.
fn number(program: &dyn Program, name: &str) -> f64 {
    let output = program.output(name);
    let values = output.as_ref().and_then(Tensor::as_floats).unwrap_or(&[]);
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}

fn finite(step: u64, name: &str, value: f64) -> Result<(), TrainError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(TrainError::Diverged { step, name: name.to_string(), value })
}
