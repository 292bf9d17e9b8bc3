//! The two prepared parts of a `generate` task: what depends on the subject alone, and what is run again for every place.
//!
//! 1. The logits are cut down to the place that says the next token ([`narrow`]).
//! 2. The graph is cut by inputs ([`partition`]): whatever the written input does not reach is computed once a subject and kept.
//! 3. The rest runs on the text so far, padded, with its length. It does not look ahead (E0609), so running all of it for every
//!    place gives what keeping keys and values would give; this version does not keep them.
//!
//! Beams are rows: the open texts of all subjects are run together, by batches.

use super::hypotheses::{Hypotheses, Written};
use crate::exec::{Executor, Layout, Memory};
use crate::graph::{Graph, Origin};
use crate::lower::model::{Input, Reading, Task};
use crate::op::{self, Before, Class, Context};
use crate::pass::narrow;
use crate::pass::partition::partition;
use crate::shape::{Batch, Kind, Shape};
use crate::task::gallery::Rows;
use crate::task::side::Side;
use crate::task::{TaskError, context};
use crate::tensor::Tensor;

/// The output of the part that runs for every place.
const NEXT: &str = "next";
/// The input that says how many places are used, besides that of the written input.
const USED: &str = "generate/used";

/// Writes texts with a model.
pub struct Writer {
    subject: Side,
    text: Side,
    /// The written input, and that of its lengths.
    token: String,
    lengths: Option<String>,
    places: usize,
    batch: usize,
    probe: Option<i32>,
    context: Context,
}

impl Writer {
    /// Prepares the parts. `probe` is put behind the text, and the logits there say the next token; without it they are read at the
    /// last token of the text.
    ///
    /// # Errors
    /// Logits that draw at random, an op that the executor does not have.
    pub fn new(
        task: &Task,
        token: &str,
        probe: Option<i32>,
        executor: &dyn Executor,
        layout: &Layout,
    ) -> Result<Self, TaskError> {
        let (input, places) = written(task, token)?;
        let graph = next(&task.graph.bind(&Batch::of(&task.symbol, task.batch))?, task, places)?;
        let own = |name: &str| name == token || name == USED || input.lengths.as_deref() == Some(name);
        let inputs = crate::pass::prepare::inputs(&graph);
        let subject: Vec<&str> = inputs.iter().map(String::as_str).filter(|name| !own(name)).collect();
        let parts = partition(&graph, &subject, &[])?;
        let side = |graph, name| Side::new(graph, name, task.batch, executor, layout);
        Ok(Self {
            subject: side(parts.image, "subject")?,
            text: side(parts.pair, NEXT)?,
            token: token.to_string(),
            lengths: input.lengths.clone(),
            places,
            batch: task.batch,
            probe,
            context: context(task),
        })
    }

    /// How many tokens have a place.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Writes about `drafts.len()` subjects, at most a batch of them, whose inputs are given.
    ///
    /// # Errors
    /// Inputs that do not fit.
    pub fn write(
        &mut self,
        inputs: Vec<(String, Tensor)>,
        mut drafts: Vec<Box<dyn Hypotheses>>,
        memory: &mut Memory,
    ) -> Result<Vec<Written>, TaskError> {
        let kept = self.subject.run(inputs, drafts.len(), memory, &self.context)?;
        loop {
            let open: Vec<(usize, &[i32])> = { drafts.iter().enumerate() }
                .flat_map(|(row, draft)| draft.open().into_iter().map(move |text| (row, text)))
                .collect();
            if open.is_empty() {
                return Ok(drafts.iter().map(|draft| draft.best()).collect());
            }
            let logits = self.logits(&open, &kept, memory)?;
            let width = logits.len() / open.len();
            let mut rows = logits.chunks(width.max(1));
            for draft in &mut drafts {
                let own: Vec<&[f32]> = rows.by_ref().take(draft.open().len()).collect();
                draft.extend(&own);
            }
        }
    }

    /// What follows each text `(subject, tokens)`, row by row.
    fn logits(
        &mut self,
        texts: &[(usize, &[i32])],
        kept: &Rows,
        memory: &mut Memory,
    ) -> Result<Vec<f32>, TaskError> {
        let mut logits = Vec::new();
        for part in texts.chunks(self.batch.max(1)) {
            let mut inputs = kept.gather(&part.iter().map(|(row, _)| *row).collect::<Vec<_>>());
            inputs.extend(self.tokens(part));
            let found = self.text.run(inputs, part.len(), memory, &self.context)?;
            logits.extend_from_slice(found.floats(NEXT));
        }
        Ok(logits)
    }

    /// Texts as inputs: tokens with the probe, and how many places are used. What stands behind is never looked at.
    fn tokens(&self, texts: &[(usize, &[i32])]) -> Vec<(String, Tensor)> {
        let (mut ids, mut used) = (Vec::with_capacity(texts.len() * self.places), Vec::new());
        for (_, text) in texts {
            let row: Vec<i32> = text.iter().copied().chain(self.probe).take(self.places).collect();
            used.push(row.len() as i32);
            ids.extend((0..self.places).map(|place| row.get(place).copied().unwrap_or(0)));
        }
        let used = Tensor::ids([texts.len()], used);
        let lengths = self.lengths.iter().map(|name| (name.clone(), used.clone()));
        let tokens = (self.token.clone(), Tensor::ids([texts.len(), self.places], ids));
        lengths.chain([tokens, (USED.to_string(), used.clone())]).collect()
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

/// The graph of the logits at the last used place.
fn next(graph: &Graph, task: &Task, places: usize) -> Result<Graph, TaskError> {
    let mut graph = graph.keep(&["logits"]);
    let Some(logits) = graph.output("logits") else {
        return Err(TaskError::Data(format!("the task `{}` has no logits", task.name)));
    };
    refuse_draws(&graph, task)?;
    let origin = Origin::default();
    let shape = Shape::float([task.batch]).with_kind(Kind::Ids);
    let used = graph.add(op::Input { name: USED.into(), shape }, &[], &origin)?;
    let mask = graph.add(Before { n: (places as i64).into() }, &[used], &origin)?;
    let last = narrow(&mut graph, logits, mask)?;
    graph.name(NEXT, last);
    Ok(graph.keep(&[NEXT]))
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
