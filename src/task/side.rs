//! One part of a cut graph, run over many rows by batches of a fixed size.

use super::TaskError;
use super::gallery::{Rows, choose};
use crate::exec::{Executor, Layout, Memory, Program};
use crate::graph::Graph;
use crate::lower::model::TABLE;
use crate::op::Context;
use crate::pass::prepare;
use crate::tensor::Tensor;
use std::ops::Range;

/// A prepared part; without outputs it is not run.
pub struct Side {
    program: Option<Box<dyn Program>>,
    outputs: Vec<String>,
    inputs: Vec<String>,
    batch: usize,
}

impl Side {
    /// Prepares a part whose batch is bound.
    ///
    /// # Errors
    /// An op that the executor does not have.
    pub fn new(
        graph: Graph,
        name: &str,
        batch: usize,
        executor: &dyn Executor,
        layout: &Layout,
    ) -> Result<Self, TaskError> {
        let outputs: Vec<String> = graph.outputs().iter().map(|(name, _)| name.clone()).collect();
        let inputs = prepare::inputs(&graph);
        let program = if outputs.is_empty() {
            None
        } else {
            Some(executor.prepare(&prepare::evaluation(name, &graph)?, layout)?)
        };
        Ok(Self { program, outputs, inputs, batch })
    }

    /// The outputs of `count` rows.
    ///
    /// # Errors
    /// The rows cannot be read or run.
    pub fn collect(
        &mut self,
        count: usize,
        mut read: impl FnMut(Range<usize>) -> Result<Vec<(String, Tensor)>, TaskError>,
        memory: &mut Memory,
        context: &Context,
    ) -> Result<Rows, TaskError> {
        let mut all = Rows::default();
        if self.program.is_none() {
            return Ok(all);
        }
        for start in (0..count).step_by(self.batch.max(1)) {
            let rows = start..(start + self.batch).min(count);
            all.append(self.run(read(rows.clone())?, rows.len(), memory, context)?);
        }
        Ok(all)
    }

    /// The outputs of one full batch, as they are.
    ///
    /// # Errors
    /// Inputs that do not fit.
    pub fn whole(
        &mut self,
        inputs: Vec<(String, Tensor)>,
        memory: &mut Memory,
        context: &Context,
    ) -> Result<Rows, TaskError> {
        let Some(program) = &mut self.program else { return Ok(Rows::default()) };
        let wanted = inputs.iter().filter(|(name, _)| self.inputs.contains(name));
        let given: Vec<(&str, &Tensor)> = wanted.map(|(name, t)| (name.as_str(), t)).collect();
        program.run(memory, &given, context)?;
        let output = |name: &String| Some((name.clone(), program.output(name)?));
        Ok(Rows(self.outputs.iter().filter_map(output).collect()))
    }

    /// The outputs of one batch of at most `self.batch` rows; a short one is filled up with its last row.
    ///
    /// # Errors
    /// Inputs that do not fit.
    pub fn run(
        &mut self,
        inputs: Vec<(String, Tensor)>,
        rows: usize,
        memory: &mut Memory,
        context: &Context,
    ) -> Result<Rows, TaskError> {
        let Some(program) = &mut self.program else { return Ok(Rows::default()) };
        let full: Vec<usize> = (0..self.batch).map(|row| row.min(rows.saturating_sub(1))).collect();
        let wanted = inputs.into_iter().filter(|(name, _)| self.inputs.contains(name));
        let pad = |(name, t): (String, Tensor)| {
            let padded = if name.starts_with(TABLE) { t } else { choose(&t, &full) };
            (name, padded)
        };
        let padded: Vec<(String, Tensor)> = wanted.map(pad).collect();
        let given: Vec<(&str, &Tensor)> = padded.iter().map(|(name, t)| (name.as_str(), t)).collect();
        program.run(memory, &given, context)?;
        let real: Vec<usize> = (0..rows).collect();
        let output = |name: &String| Some((name.clone(), choose(&program.output(name)?, &real)));
        Ok(Rows(self.outputs.iter().filter_map(output).collect()))
    }
}
