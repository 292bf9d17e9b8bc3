//! Texts written by a model from left to right, about pictures or questions, and what they are worth ([`captions`](super::captions)).
//!
//! ```text
//! prompt ─tokens─▶ drafts ([`single`]: greedy, nucleus; [`beam`]) ◀─next token─ [`writer`] ◀─ inputs of a batch of subjects
//!                    │                                              ([`cached`], or [`whole`])
//!                    └─ended─▶ text without prompt and marks ─▶ cider, bleu(n), rouge_l, exact, vqa_score
//! ```
//!
//! Invariant: what is written about a subject depends on the model, the subject and the seed alone: not on the batch size, on what
//! else is in the batch, or on the number of threads (as far as the executor's rows do not).

pub mod beam;
mod cached;
pub mod hypotheses;
mod kept;
pub mod single;
mod whole;
pub mod writer;

use super::TaskError;
use super::captions::{self, Answered};
use super::report::{Caption, Scores};
use super::subjects::Subjects;
use crate::data::Vocabulary;
use crate::exec::{Executor, Layout, Memory};
use crate::lower::model::{Answer, Search, Task};
use crate::random::Stream;
use beam::Beam;
use hypotheses::{Hypotheses, Rules, Written};
use single::{Choice, Single};
use std::ops::Range;
use writer::{Plan, Writer};

/// What a task wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    /// What it is worth.
    pub scores: Scores,
    /// A text a subject.
    pub captions: Vec<Caption>,
    /// `cached`, or `whole` and why: see [`Writer::way`].
    pub way: String,
}

/// Runs the task: what was written, and its scores.
///
/// # Errors
/// A prompt or limits that do not fit the written input, broken data, a graph that cannot be run, metrics without references.
pub fn run(
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    subjects: &mut dyn Subjects,
) -> Result<Texts, TaskError> {
    run_by(&Writer::new, task, executor, memory, subjects)
}

/// As [`run`], but all of the text is run for every place: what [`run`] is measured against.
///
/// # Errors
/// As [`run`].
pub fn run_whole(
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    subjects: &mut dyn Subjects,
) -> Result<Texts, TaskError> {
    let whole: &Make<'_> = &|plan, _, executor, layout| Writer::whole(plan, executor, layout);
    run_by(whole, task, executor, memory, subjects)
}

/// Makes a writer of a plan, and of what texts begin with and how many of a subject are open.
type Make<'m> = dyn Fn(&Plan<'_>, (&[i32], usize), &dyn Executor, &Layout) -> Result<Writer, TaskError> + 'm;

fn run_by(
    make: &Make<'_>,
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    subjects: &mut dyn Subjects,
) -> Result<Texts, TaskError> {
    let Pages { pen, written, way } = pages(make, task, executor, memory, subjects, &mut |_| true)?;
    let answered = |(row, written): (usize, &Written)| Answered {
        text: pen.text(written, subjects.vocabulary()),
        references: subjects.references(row),
    };
    let answers: Vec<Answered> = written.iter().enumerate().map(answered).collect();
    let scores = captions::scores(task, &answers, subjects.vocabulary())?;
    let rows = answers.into_iter().zip(written).enumerate();
    let caption = |(row, (answer, written)): (usize, (Answered, Written))| Caption {
        row,
        text: answer.text,
        score: written.score,
        references: answer.references.into_iter().map(|reference| reference.text).collect(),
    };
    let scores = Scores { rows: subjects.count(), scores };
    Ok(Texts { scores, captions: rows.map(caption).collect(), way })
}

/// The texts about all subjects, in order; nothing if it was stopped. `told` hears how many are written and says whether to go on.
///
/// # Errors
/// As [`run`], but for metrics.
pub fn texts(
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    subjects: &mut dyn Subjects,
    told: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Vec<String>>, TaskError> {
    let Pages { pen, written, .. } = pages(&Writer::new, task, executor, memory, subjects, told)?;
    let texts = written.iter().map(|written| pen.text(written, subjects.vocabulary())).collect();
    Ok(Some(texts).filter(|_| written.len() == subjects.count()))
}

/// What was written, by whom and how.
struct Pages {
    pen: Pen,
    written: Vec<Written>,
    way: String,
}

/// What is written about the subjects, batch by batch, until somebody says to stop.
fn pages(
    make: &Make<'_>,
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    subjects: &mut dyn Subjects,
    told: &mut dyn FnMut(usize) -> bool,
) -> Result<Pages, TaskError> {
    let Answer::Generate { token, probe, .. } = &task.answer else {
        let protocol = task.answer.name().to_string();
        return Err(TaskError::Later { task: task.name.clone(), protocol });
    };
    let plan = Plan::new(task, token, probe.map(|id| id as i32))?;
    let pen = Pen::new(task, subjects.vocabulary(), plan.places)?;
    let mut writer = make(&plan, (&pen.start, pen.beams()), executor, &memory.layout.clone())?;
    let mut written = Vec::with_capacity(subjects.count());
    for start in (0..subjects.count()).step_by(task.batch.max(1)) {
        let rows = start..(start + task.batch).min(subjects.count());
        let inputs = subjects.read(rows.clone())?;
        written.extend(writer.write(inputs, pen.drafts(rows), memory)?);
        if !told(written.len()) {
            break;
        }
    }
    Ok(Pages { pen, written, way: writer.way() })
}

/// How a task writes.
struct Pen {
    rules: Rules,
    search: Search,
    /// First token and prompt.
    start: Vec<i32>,
    draws: Stream,
}

impl Pen {
    fn new(task: &Task, vocabulary: &Vocabulary, places: usize) -> Result<Self, TaskError> {
        let Answer::Generate { prompt, search, min, max, length_penalty, .. } = &task.answer else {
            return Err(TaskError::Later { task: task.name.clone(), protocol: task.answer.name().into() });
        };
        let mut start = vocabulary.tokens(prompt.as_deref().unwrap_or_default(), usize::MAX);
        start.pop();
        let max = max.map_or(places, |max| max.min(places));
        let limits = |reason: String| Err(TaskError::Limits { task: task.name.clone(), reason });
        if start.len() + 1 >= max {
            let prompt = start.len();
            return limits(format!(
                "first token and prompt are {prompt} tokens, so no word has a place within {max}"
            ));
        }
        if *min >= max {
            return limits(format!("{min} tokens before the end do not fit into {max}"));
        }
        let rules = Rules { end: vocabulary.sep(), min: *min, max, length_penalty: *length_penalty };
        let draws = Stream::new(task.seed, &task.name, "generate");
        Ok(Self { rules, search: *search, start, draws })
    }

    /// Most texts of a subject that are open together.
    fn beams(&self) -> usize {
        match self.search {
            Search::Beam(width) => width.max(1),
            Search::Greedy | Search::Nucleus(_) => 1,
        }
    }

    fn drafts(&self, rows: Range<usize>) -> Vec<Box<dyn Hypotheses>> {
        rows.map(|row| self.draft(row as u32)).collect()
    }

    fn draft(&self, row: u32) -> Box<dyn Hypotheses> {
        match self.search {
            Search::Greedy => Box::new(Single::new(self.rules, Choice::Greedy, &self.start)),
            Search::Beam(width) => Box::new(Beam::new(self.rules, width, &self.start)),
            Search::Nucleus(share) => {
                let choice = Choice::Nucleus { share, draws: self.draws, row };
                Box::new(Single::new(self.rules, choice, &self.start))
            }
        }
    }

    /// The words behind the prompt, without the end.
    fn text(&self, written: &Written, vocabulary: &Vocabulary) -> String {
        let end = written.tokens.len().saturating_sub(1);
        vocabulary.decode(written.tokens.get(self.start.len()..end).unwrap_or_default())
    }
}
