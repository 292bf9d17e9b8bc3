//! Writing from kept keys and values: once the beginning of all texts, then for every place only the newest token.
//!
//! ```text
//! subjects ─first─▶ next tokens, kept/… (a row a subject), cache/… ─copied to every beam─▶ states
//! newest token of every text ─step─▶ next tokens; the new keys lie in the states
//! ```
//! The text `beams * subject + i` is the open text `i` of a subject; when texts go on from other texts, their kept places are copied
//! ([`kept`](super::kept)). Invariant: before a step at place `t` the states of an open text hold its places before `t`.

use super::hypotheses::{Hypotheses, Written};
use super::kept::Kept;
use super::writer::Plan;
use crate::exec::{Executor, Layout, Memory, Program};
use crate::op::Context;
use crate::pass::decode::{Decoded, NEXT, Refusal, Request, decode};
use crate::pass::{fuse, prepare};
use crate::task::gallery::choose;
use crate::task::{TaskError, context};
use crate::tensor::Tensor;

/// Both graphs, prepared, and what they keep.
pub struct Cached {
    first: Box<dyn Program>,
    step: Box<dyn Program>,
    /// Inputs of `first`.
    inputs: Vec<String>,
    /// Inputs of the step that say where it is, and what is added to the place.
    places: Vec<(String, isize)>,
    kept: Kept,
    token: String,
    start: Vec<i32>,
    probe: Option<i32>,
    batch: usize,
    beams: usize,
    context: Context,
}

impl Cached {
    /// Prepares both graphs for texts that begin with `start`, or says why there are none.
    ///
    /// # Errors
    /// An op that the executor does not have.
    pub fn new(
        plan: &Plan<'_>,
        (start, beams): (&[i32], usize),
        executor: &dyn Executor,
        layout: &Layout,
    ) -> Result<Result<Self, Refusal>, TaskError> {
        let Plan { task, input, places, probe } = *plan;
        let beams = beams.max(1);
        let request = Request {
            token: &input.name,
            lengths: input.lengths.as_deref(),
            places,
            given: start.len(),
            probe: probe.is_some(),
            symbol: &task.symbol,
            batch: task.batch,
            beams,
        };
        let decoded = match decode(&fuse(&task.graph.keep(&["logits"])), &request) {
            Ok(decoded) => decoded,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let kept = Kept::new(&decoded, layout, &request);
        let Decoded { first, step, places, .. } = decoded;
        let inputs = prepare::inputs(&first);
        Ok(Ok(Self {
            first: executor.prepare(&prepare::evaluation("first", &first)?, layout)?,
            step: executor.prepare(&prepare::evaluation("step", &step)?, kept.layout())?,
            inputs,
            places,
            kept,
            token: input.name.clone(),
            start: start.to_vec(),
            probe,
            batch: task.batch,
            beams,
            context: context(task),
        }))
    }

    /// Writes about `drafts.len()` subjects, at most a batch of them, whose inputs are given.
    ///
    /// # Errors
    /// Inputs that do not fit; drafts that begin otherwise than the writer was made for.
    pub fn write(
        &mut self,
        inputs: Vec<(String, Tensor)>,
        mut drafts: Vec<Box<dyn Hypotheses>>,
        memory: &mut Memory,
    ) -> Result<Vec<Written>, TaskError> {
        if drafts.iter().any(|draft| draft.open().iter().any(|text| *text != self.start)) {
            return Err(TaskError::Data("a text begins otherwise than all others of its task".to_string()));
        }
        self.begin(inputs, &mut drafts, memory)?;
        self.kept.swap(memory);
        let done = self.go_on(&mut drafts, memory);
        self.kept.swap(memory);
        done.map(|()| drafts.iter().map(|draft| draft.best()).collect())
    }

    /// What all texts begin with: the first tokens that follow, and all that is kept.
    fn begin(
        &mut self,
        mut inputs: Vec<(String, Tensor)>,
        drafts: &mut [Box<dyn Hypotheses>],
        memory: &mut Memory,
    ) -> Result<(), TaskError> {
        let text: Vec<i32> = self.start.iter().copied().chain(self.probe).collect();
        inputs.push((self.token.clone(), Tensor::ids([1, text.len()], text)));
        let last = drafts.len().saturating_sub(1);
        let rows: Vec<usize> = (0..self.batch).map(|row| row.min(last)).collect();
        let wanted = inputs.into_iter().filter(|(name, _)| self.inputs.contains(name));
        let all = |name: &str| if name == self.token { vec![0; self.batch] } else { rows.clone() };
        let full: Vec<(String, Tensor)> =
            wanted.map(|(name, t)| (name.clone(), choose(&t, &all(&name)))).collect();
        let given: Vec<(&str, &Tensor)> = full.iter().map(|(name, t)| (name.as_str(), t)).collect();
        self.first.run(memory, &given, &self.context)?;
        self.kept.fill(self.first.as_ref());
        let next = self.first.output(NEXT).map(Tensor::into_floats).unwrap_or_default();
        let width = next.len() / self.batch.max(1);
        for (draft, logits) in drafts.iter_mut().zip(next.chunks(width.max(1))) {
            if !draft.open().is_empty() {
                draft.extend(&[logits]);
            }
        }
        Ok(())
    }

    /// One place after the other, until no text is open.
    fn go_on(&mut self, drafts: &mut [Box<dyn Hypotheses>], memory: &mut Memory) -> Result<(), TaskError> {
        // All texts are equally long: they begin alike, and every step adds a token to each.
        while let Some(place) = drafts.iter().find_map(|draft| Some(draft.open().first()?.len() - 1)) {
            for (subject, draft) in drafts.iter().enumerate() {
                // The texts that were begun are the same for all beams.
                if place > self.start.len() {
                    let written = place - self.start.len();
                    self.kept.reorder(memory, subject, &draft.parents(), written);
                }
            }
            let next = self.next(drafts, place, memory)?;
            let width = (next.len() / (self.batch * self.beams).max(1)).max(1);
            for (draft, rows) in drafts.iter_mut().zip(next.chunks(width * self.beams)) {
                let open = draft.open().len();
                if open > 0 {
                    let rows: Vec<&[f32]> = rows.chunks(width).take(open).collect();
                    draft.extend(&rows);
                }
            }
        }
        Ok(())
    }

    /// What follows every text whose newest token stands at a place.
    fn next(
        &mut self,
        drafts: &[Box<dyn Hypotheses>],
        place: usize,
        memory: &mut Memory,
    ) -> Result<Vec<f32>, TaskError> {
        let window = 1 + usize::from(self.probe.is_some());
        let mut ids = vec![0; self.batch * self.beams * window];
        for (draft, ids) in drafts.iter().zip(ids.chunks_mut(self.beams * window)) {
            for (text, ids) in draft.open().iter().zip(ids.chunks_mut(window)) {
                let newest = text.last().copied().into_iter().chain(self.probe);
                ids.iter_mut().zip(newest).for_each(|(id, token)| *id = token);
            }
        }
        let mut inputs = vec![(self.token.clone(), Tensor::ids([self.batch * self.beams, window], ids))];
        for (name, offset) in &self.places {
            let at = (0..window).map(|w| (*offset + (place + w) as isize) as i32).collect();
            inputs.push((name.clone(), Tensor::ids([window], at)));
        }
        let given: Vec<(&str, &Tensor)> = inputs.iter().map(|(name, t)| (name.as_str(), t)).collect();
        self.step.run(memory, &given, &self.context)?;
        Ok(self.step.output(NEXT).map(Tensor::into_floats).unwrap_or_default())
    }
}
