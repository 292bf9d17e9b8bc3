//! An accumulated batch: cut into pieces of as many rows, which are run one after the other and make one step.
//!
//! Losses and gradients of the pieces, averaged, are those of the batch up to rounding, and every row draws what it would draw
//! there (`pass::accumulate`). States are read by all pieces as they were before the step.

use super::TrainError;
use super::step::Row;
use crate::exec::{Executor, Memory, Program};
use crate::lower::model::{Reading, Stage};
use crate::op::Context;
use crate::pass::prepare;
use crate::shape::Batch;
use crate::tensor::{Tensor, Values};
use std::collections::BTreeSet;

/// The inputs of one piece.
type Inputs = Vec<(String, Tensor)>;

/// How a stage cuts its batches.
pub(super) struct Pieces {
    /// How many there are, above 1.
    number: usize,
    /// Rows of one.
    rows: usize,
    /// Inputs that have a row for each of the batch.
    by_row: BTreeSet<String>,
    /// What is needed of all pieces before the first.
    counts: Option<Box<dyn Program>>,
    /// The sum of the gradients of the pieces.
    gradients: Vec<f32>,
}

/// The batch symbols of a piece.
pub(super) fn rows(stage: &Stage) -> Batch {
    stage.rows_at(stage.batch() / stage.accumulate.max(1))
}

impl Pieces {
    /// None for a stage whose batches stay whole.
    ///
    /// # Errors
    /// A graph that the executor cannot run.
    pub fn of(stage: &Stage, executor: &dyn Executor, memory: &Memory) -> Result<Option<Self>, TrainError> {
        if stage.accumulate == 1 {
            return Ok(None);
        }
        let counts = prepare::counts(stage, &rows(stage))?;
        let counts = counts.map(|graph| executor.prepare(&graph, &memory.layout)).transpose()?;
        let read = stage.inputs.iter().filter(|input| !matches!(input.reading, Reading::WordMarks { .. }));
        let by_row = read.flat_map(|input| [Some(input.name.clone()), input.lengths.clone()]);
        Ok(Some(Self {
            number: stage.accumulate,
            rows: stage.batch() / stage.accumulate,
            by_row: by_row.flatten().collect(),
            counts,
            gradients: vec![0.0; memory.gradients.len()],
        }))
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        4 * self.gradients.len() + self.counts.as_ref().map_or(0, |counts| counts.peak_bytes())
    }

    /// Runs a batch; `run` runs one piece and tells its numbers. Leaves the gradient of the batch in memory.
    ///
    /// # Errors
    /// What `run` says.
    pub fn run(
        &mut self,
        memory: &mut Memory,
        batch: &[(&str, &Tensor)],
        context: &Context,
        run: &mut dyn FnMut(&mut Memory, &[(&str, &Tensor)], &Context) -> Result<Row, TrainError>,
    ) -> Result<Row, TrainError> {
        let mut pieces: Vec<Inputs> = (0..self.number).map(|at| self.piece(batch, at)).collect();
        let counted = self.count(memory, &pieces, context)?;
        self.gradients.fill(0.0);
        let mut mean = Row::default();
        for (at, piece) in pieces.iter_mut().enumerate() {
            piece.extend(counted.iter().cloned());
            let row = run(memory, &borrowed(piece), &self.context(context, at))?;
            add(&mut mean, &row, self.number as f64);
            self.gradients.iter_mut().zip(&memory.gradients).for_each(|(sum, g)| *sum += g);
        }
        let share = 1.0 / self.number as f32;
        memory.gradients.iter_mut().zip(&self.gradients).for_each(|(g, sum)| *g = share * sum);
        Ok(mean)
    }

    fn context(&self, context: &Context, piece: usize) -> Context {
        Context { first_row: (piece * self.rows) as u32, ..context.clone() }
    }

    fn piece(&self, batch: &[(&str, &Tensor)], at: usize) -> Inputs {
        let part = |(name, tensor): &(&str, &Tensor)| {
            let part =
                if self.by_row.contains(*name) { part(tensor, at, self.number) } else { (*tensor).clone() };
            ((*name).to_string(), part)
        };
        batch.iter().map(part).collect()
    }

    /// The counts of all pieces, added up.
    fn count(
        &mut self,
        memory: &mut Memory,
        pieces: &[Inputs],
        context: &Context,
    ) -> Result<Inputs, TrainError> {
        let mut sums: Inputs = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let context = self.context(context, at);
            let Some(program) = &mut self.counts else { return Ok(sums) };
            program.run(memory, &borrowed(piece), &context)?;
            let names = (0..).map(|count| format!("count/{count}"));
            let found = names.map_while(|name| Some((program.output(&name)?, name)));
            for (count, (value, name)) in found.enumerate() {
                match sums.get_mut(count) {
                    Some((_, sum)) => add_tensor(sum, &value),
                    None => sums.push((name, value)),
                }
            }
        }
        Ok(sums)
    }
}

fn borrowed(inputs: &Inputs) -> Vec<(&str, &Tensor)> {
    inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
}

/// The rows of a piece.
fn part(tensor: &Tensor, at: usize, of: usize) -> Tensor {
    let mut dims = tensor.dims.clone();
    let rows = dims.first().copied().unwrap_or(0) / of;
    let width: usize = dims.iter().skip(1).product();
    dims.iter_mut().take(1).for_each(|first| *first = rows);
    let range = at * rows * width..(at + 1) * rows * width;
    let values = match &tensor.values {
        Values::Floats(values) => Values::Floats(values[range].to_vec()),
        Values::Ids(values) => Values::Ids(values[range].to_vec()),
    };
    Tensor { dims, values }
}

fn add_tensor(sum: &mut Tensor, more: &Tensor) {
    if let (Values::Floats(sum), Values::Floats(more)) = (&mut sum.values, &more.values) {
        sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }
}

/// Adds the share of one piece of `of` to a mean.
fn add(mean: &mut Row, row: &Row, of: f64) {
    mean.loss += row.loss / of;
    for (all, more) in [(&mut mean.losses, &row.losses), (&mut mean.watch, &row.watch)] {
        for (name, value) in more {
            *all.entry(name.clone()).or_insert(0.0) += value / of;
        }
    }
}
