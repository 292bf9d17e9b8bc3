//! How texts are written: from kept keys and values, or by running all of the text for every place.
//!
//! A task whose logits [`decode`](crate::pass::decode) can derive a step from is [`Cached`]; another is written [`Whole`], and the
//! report says why. Both write the same tokens.

use super::cached::Cached;
use super::hypotheses::{Hypotheses, Written};
use super::whole::Whole;
use crate::exec::{Executor, Layout, Memory};
use crate::graph::Graph;
use crate::lower::model::{Input, Reading, Task};
use crate::op::{self, Class};
use crate::pass::decode::Refusal;
use crate::shape::Shape;
use crate::task::TaskError;
use crate::tensor::Tensor;

/// What a writer is made for.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The task.
    pub task: &'a Task,
    /// The input that is written.
    pub input: &'a Input,
    /// How many tokens have a place.
    pub places: usize,
    /// Put behind the text: the logits there say the next token. Without it they are read at the last token of the text.
    pub probe: Option<i32>,
}

impl<'a> Plan<'a> {
    /// Of the input called `token`.
    ///
    /// # Errors
    /// Logits that do not depend on it, or draw at random.
    pub fn new(task: &'a Task, token: &str, probe: Option<i32>) -> Result<Self, TaskError> {
        refuse_draws(&task.graph.keep(&["logits"]), task)?;
        let (input, places) = written(task, token)?;
        Ok(Self { task, input, places, probe })
    }
}

/// Writes texts with a model.
pub struct Writer {
    way: Way,
}

enum Way {
    Cached(Box<Cached>),
    Whole(Box<Whole>, Option<Refusal>),
}

impl Writer {
    /// Prepares what the plan asks for; all texts begin with `start`, and at most `beams` of a subject are open.
    ///
    /// # Errors
    /// An op that the executor does not have.
    pub fn new(
        plan: &Plan<'_>,
        (start, beams): (&[i32], usize),
        executor: &dyn Executor,
        layout: &Layout,
    ) -> Result<Self, TaskError> {
        let way = match Cached::new(plan, (start, beams), executor, layout)? {
            Ok(cached) => Way::Cached(Box::new(cached)),
            Err(refusal) => Way::Whole(Box::new(Whole::new(plan, executor, layout)?), Some(refusal)),
        };
        Ok(Self { way })
    }

    /// Prepares to write without kept keys, whether or not they could be kept.
    ///
    /// # Errors
    /// As [`Writer::new`].
    pub fn whole(plan: &Plan<'_>, executor: &dyn Executor, layout: &Layout) -> Result<Self, TaskError> {
        Ok(Self { way: Way::Whole(Box::new(Whole::new(plan, executor, layout)?), None) })
    }

    /// How it writes, for a report.
    pub fn way(&self) -> String {
        match &self.way {
            Way::Cached(_) => "cached".to_string(),
            Way::Whole(_, None) => "whole".to_string(),
            Way::Whole(_, Some(refusal)) => format!("whole, because {refusal}"),
        }
    }

    /// Writes about `drafts.len()` subjects, at most a batch of them, whose inputs are given.
    ///
    /// # Errors
    /// Inputs that do not fit.
    pub fn write(
        &mut self,
        inputs: Vec<(String, Tensor)>,
        drafts: Vec<Box<dyn Hypotheses>>,
        memory: &mut Memory,
    ) -> Result<Vec<Written>, TaskError> {
        match &mut self.way {
            Way::Cached(cached) => cached.write(inputs, drafts, memory),
            Way::Whole(whole, _) => whole.write(inputs, drafts, memory),
        }
    }
}

/// The input that is written, and how many places it has.
pub(in crate::task) fn written<'t>(task: &'t Task, token: &str) -> Result<(&'t Input, usize), TaskError> {
    let found = task.inputs.iter().find(|input| input.name == token);
    match found.map(|input| (input, &input.reading)) {
        Some((input, Reading::Text { length, .. })) => Ok((input, *length)),
        _ => Err(TaskError::Data(format!(
            "the logits of task `{}` do not depend on `{token}`, which it writes",
            task.name
        ))),
    }
}

/// Logits that draw at random say nothing about a text.
pub(in crate::task) fn refuse_draws(graph: &Graph, task: &Task) -> Result<(), TaskError> {
    let Some(draw) = graph.values().find(|v| is_draw(graph, *v)) else { return Ok(()) };
    let path = graph.node(draw).origin.path.to_string();
    Err(TaskError::Draws { task: task.name.clone(), path })
}

fn is_draw(graph: &Graph, value: op::Value) -> bool {
    let node = graph.node(value);
    let operands = graph.operands(value);
    let shapes: Vec<&Shape> = operands.iter().map(|v| graph.shape(*v)).collect();
    node.op.facts(&shapes, &node.shape).class == Class::Random
}
