//! Given texts by likelihood, as ALBEF answers questions: of a list of answers the one that the model would most likely write.
//!
//! ```text
//! question, picture ─▶ log p(first token) of every answer ─the best `top`─▶ + log p of all its tokens ─▶ the best answer
//! ```
//!
//! 1. What depends on the subject alone is computed once a subject and kept ([`partition`]).
//! 2. The first token of every answer is scored by the logits behind the first token of the vocabulary; the `top` best go on.
//! 3. Those are scored whole, end included. The first token counts in both, as in ALBEF's code, so it counts twice.
//!
//! Invariant: with `top` at least as large as the list, the answer is the one that scoring every text by itself would choose. Of equal
//! ones the first of the list is chosen.

use super::captions::{self, Answered};
use super::gallery::Rows;
use super::generate::hypotheses::log_softmax;
use super::generate::writer::{refuse_draws, written};
use super::report::{Caption, Scores};
use super::side::Side;
use super::subjects::Subjects;
use super::{TaskError, context};
use crate::data::Vocabulary;
use crate::exec::{Executor, Layout, Memory};
use crate::graph::{Graph, Origin};
use crate::lower::model::{Answer, Task};
use crate::op::{Before, Context, CrossEntropy, Input, Op, Slice, Value};
use crate::pass::partition::partition;
use crate::pass::{narrow, prepare};
use crate::shape::{Batch, Kind, Shape, Size};
use crate::tensor::Tensor;

/// The output with the logits of the first token.
const FIRST: &str = "first";
/// The output with the sum of `-log p` over all tokens of a text but that which begins every text.
const WHOLE: &str = "whole";
/// The input that says how many tokens are foretold: all but the first.
const FORETOLD: &str = "rank/foretold";

/// Runs the task: the answer to every subject, and what these are worth.
///
/// # Errors
/// No answers to choose from, one that does not fit, broken data, metrics without references.
pub fn run(
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    subjects: &mut dyn Subjects,
) -> Result<(Scores, Vec<Caption>), TaskError> {
    let given = (subjects.vocabulary(), subjects.candidates());
    let mut ranker = Ranker::new(task, executor, &memory.layout.clone(), given)?;
    let mut chosen = Vec::with_capacity(subjects.count());
    for start in (0..subjects.count()).step_by(task.batch.max(1)) {
        let rows = start..(start + task.batch).min(subjects.count());
        let inputs = subjects.read(rows.clone())?;
        chosen.extend(ranker.choose(inputs, rows.len(), memory)?);
    }
    let answered = |(row, (place, _)): (usize, &(usize, f64))| Answered {
        text: ranker.list[*place].text.clone(),
        references: subjects.references(row),
    };
    let answers: Vec<Answered> = chosen.iter().enumerate().map(answered).collect();
    let scores = captions::scores(task, &answers, subjects.vocabulary())?;
    let rows = answers.into_iter().zip(chosen).enumerate();
    let caption = |(row, (answer, (_, score))): (usize, (Answered, (usize, f64)))| Caption {
        row,
        text: answer.text,
        score,
        references: answer.references.into_iter().map(|reference| reference.text).collect(),
    };
    Ok((Scores { rows: subjects.count(), scores }, rows.map(caption).collect()))
}

/// A text to choose from.
struct Candidate {
    text: String,
    /// The first token of the vocabulary, words, end.
    tokens: Vec<i32>,
}

/// The prepared parts of a task, and its list.
struct Ranker {
    list: Vec<Candidate>,
    top: usize,
    subject: Side,
    first: Side,
    whole: Side,
    token: String,
    lengths: Option<String>,
    places: usize,
    batch: usize,
    context: Context,
}

impl Ranker {
    fn new(
        task: &Task,
        executor: &dyn Executor,
        layout: &Layout,
        (vocabulary, texts): (&Vocabulary, &[String]),
    ) -> Result<Self, TaskError> {
        let Answer::Rank { token, top, .. } = &task.answer else {
            return Err(TaskError::Later { task: task.name.clone(), protocol: task.answer.name().into() });
        };
        let (input, places) = written(task, token)?;
        let list = list(task, texts, vocabulary, places)?;
        let graph = scored(&task.graph.bind(&Batch::of(&task.symbol, task.batch))?, task, token)?;
        let own = |name: &str| name == token || name == FORETOLD || input.lengths.as_deref() == Some(name);
        let inputs = prepare::inputs(&graph);
        let subject: Vec<&str> = inputs.iter().map(String::as_str).filter(|name| !own(name)).collect();
        let parts = partition(&graph, &subject, &[])?;
        let side = |graph, name| Side::new(graph, name, task.batch, executor, layout);
        Ok(Self {
            top: top.unwrap_or(list.len()).clamp(1, list.len()),
            list,
            subject: side(parts.image, "subject")?,
            first: side(parts.pair.keep(&[FIRST]), FIRST)?,
            whole: side(parts.pair.keep(&[WHOLE]), WHOLE)?,
            token: token.clone(),
            lengths: input.lengths.clone(),
            places,
            batch: task.batch,
            context: context(task),
        })
    }

    /// For each of `rows` subjects, at most a batch of them, whose inputs are given: the place of its text in the list, and its score.
    fn choose(
        &mut self,
        inputs: Vec<(String, Tensor)>,
        rows: usize,
        memory: &mut Memory,
    ) -> Result<Vec<(usize, f64)>, TaskError> {
        let kept = self.subject.run(inputs, rows, memory, &self.context)?;
        let mut pairs = self.likely(&kept, rows, memory)?;
        let places: Vec<(usize, usize)> = pairs.iter().map(|(row, place, _)| (*row, *place)).collect();
        for (part, scores) in places.chunks(self.batch.max(1)).zip(pairs.chunks_mut(self.batch.max(1))) {
            let texts: Vec<&[i32]> =
                part.iter().map(|(_, place)| self.list[*place].tokens.as_slice()).collect();
            let mut inputs = kept.gather(&part.iter().map(|(row, _)| *row).collect::<Vec<_>>());
            inputs.extend(self.tokens(&texts));
            let found = self.whole.run(inputs, part.len(), memory, &self.context)?;
            for ((_, _, score), unlikely) in scores.iter_mut().zip(found.floats(WHOLE)) {
                *score -= f64::from(*unlikely);
            }
        }
        let best = |row: usize| {
            let own =
                pairs.iter().filter(|(other, ..)| *other == row).map(|(_, place, score)| (*place, *score));
            let better = |a: (usize, f64), b: (usize, f64)| {
                if b.1 > a.1 || (b.1 == a.1 && b.0 < a.0) { b } else { a }
            };
            own.reduce(better).unwrap_or((0, f64::NAN))
        };
        Ok((0..rows).map(best).collect())
    }

    /// Subjects with the texts that begin likeliest, and the log-probability of the beginning.
    fn likely(
        &mut self,
        kept: &Rows,
        rows: usize,
        memory: &mut Memory,
    ) -> Result<Vec<(usize, usize, f64)>, TaskError> {
        let start = [self.list[0].tokens[0], self.list[0].tokens[1]];
        let mut inputs = kept.gather(&(0..rows).collect::<Vec<_>>());
        inputs.extend(self.tokens(&vec![start.as_slice(); rows]));
        let found = self.first.run(inputs, rows, memory, &self.context)?;
        let logits = found.floats(FIRST);
        let mut pairs = Vec::with_capacity(rows * self.top);
        for (row, logits) in logits.chunks((logits.len() / rows.max(1)).max(1)).enumerate() {
            let next = log_softmax(logits);
            let begins = |candidate: &Candidate| next.get(candidate.tokens[1] as usize).copied();
            let scores: Vec<f64> =
                self.list.iter().map(|candidate| begins(candidate).unwrap_or(f64::NEG_INFINITY)).collect();
            let mut order: Vec<usize> = (0..scores.len()).collect();
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            pairs.extend(order.into_iter().take(self.top).map(|place| (row, place, scores[place])));
        }
        Ok(pairs)
    }

    /// Texts as inputs, with how many of their tokens are foretold.
    fn tokens(&self, texts: &[&[i32]]) -> Vec<(String, Tensor)> {
        let row = |text: &&[i32]| {
            let text = text.to_vec();
            (0..self.places).map(move |place| text.get(place).copied().unwrap_or(0))
        };
        let ids = Tensor::ids([texts.len(), self.places], texts.iter().flat_map(row).collect());
        let count = |less: usize| {
            Tensor::ids([texts.len()], texts.iter().map(|text| (text.len() - less) as i32).collect())
        };
        let lengths = self.lengths.iter().map(|name| (name.clone(), count(0)));
        lengths.chain([(self.token.clone(), ids), (FORETOLD.to_string(), count(1))]).collect()
    }
}

/// The texts as tokens; all must fit into the places of the input.
fn list(
    task: &Task,
    texts: &[String],
    vocabulary: &Vocabulary,
    places: usize,
) -> Result<Vec<Candidate>, TaskError> {
    let limits = |reason: String| TaskError::Limits { task: task.name.clone(), reason };
    let candidate = |text: &String| {
        let tokens = vocabulary.tokens(text, usize::MAX);
        match tokens.len() <= places {
            true => Ok(Candidate { text: text.clone(), tokens }),
            false => Err(limits(format!(
                "the answer `{text}` has {} tokens, which do not fit into {places}",
                tokens.len()
            ))),
        }
    };
    let list: Vec<Candidate> = texts.iter().map(candidate).collect::<Result<_, _>>()?;
    if list.is_empty() { Err(limits("its list of candidates is empty".into())) } else { Ok(list) }
}

/// The graph with the logits of the first token, and with what a whole text costs.
fn scored(graph: &Graph, task: &Task, token: &str) -> Result<Graph, TaskError> {
    let mut graph = graph.keep(&["logits"]);
    let ids = graph.values().find(|v| matches!(&graph.node(*v).op, Op::Input(input) if input.name == token));
    let (Some(logits), Some(ids)) = (graph.output("logits"), ids) else {
        return Err(TaskError::Data(format!(
            "the logits of task `{}` do not depend on `{token}`",
            task.name
        )));
    };
    refuse_draws(&graph, task)?;
    let (origin, shape) = (Origin::default(), Shape::float([task.batch]).with_kind(Kind::Ids));
    let foretold = graph.add(Input { name: FORETOLD.into(), shape }, &[], &origin)?;
    let place = |value: Value| graph.shape(value).sizes.get(1).cloned();
    let (Some(all), Some(places)) = (place(logits), place(ids)) else {
        return Err(TaskError::Data(format!("the logits of task `{}` have no places", task.name)));
    };
    let last = places.clone() - Size::from(1_i64);

    let mask = graph.add(Before { n: all }, &[foretold], &origin)?;
    let first = narrow(&mut graph, logits, mask)?;
    graph.name(FIRST, first);

    let cut = |start: i64, end: &Size| Slice { axis: 1, start: Size::from(start), end: end.clone() };
    let said = graph.add(cut(0, &last), &[logits], &origin)?;
    let meant = graph.add(cut(1, &places), &[ids], &origin)?;
    let counts = graph.add(Before { n: last }, &[foretold], &origin)?;
    let costs = CrossEntropy { smooth: 0.0, per_row: true, only: true };
    let whole: Value = graph.add(costs, &[said, meant, counts], &origin)?;
    graph.name(WHOLE, whole);
    Ok(graph.keep(&[FIRST, WHOLE]))
}
