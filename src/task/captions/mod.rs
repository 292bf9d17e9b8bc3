//! What written texts are worth beside those that people wrote.
//!
//! | metric | compares | reported |
//! |---|---|---|
//! | [`cider`](mod@cider) | runs of words, weighted by how rare they are | mean, in percent |
//! | [`bleu`](mod@bleu) | runs of words, over all captions | in percent |
//! | [`rouge`] | the longest common subsequence | mean, in percent |
//! | [`answers`] | whole answers: exact, and by votes (`vqa_score`) | shares in percent |
//!
//! Everything here is pure: words in, numbers out. Invariant: equal to pycocoevalcap 1.2 on equal words; [`tokens`] makes the words.
//!
//! ```
//! use chiasm::task::captions::{Pair, bleu::bleu, cider::cider};
//! let pair = |said: &str, meant: &str| Pair::new(said, [meant]);
//! let pairs = [pair("a red star", "a red star"), pair("a dog", "two blue cats")];
//! assert!((bleu(&pairs[..1], 2) - 1.0).abs() < 1e-6);
//! assert_eq!(cider(&pairs)[1], 0.0);
//! ```

pub mod answers;
pub mod bleu;
pub mod cider;
pub mod ngrams;
pub mod rouge;
pub mod tokens;

use super::TaskError;
use super::subjects::Reference;
use crate::data::Vocabulary;
use crate::lower::model::{Answer, Metric, Task};
use std::collections::BTreeMap;
use tokens::tokens;

/// A caption and its references, as words.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// What was written.
    pub candidate: Vec<String>,
    /// What people wrote.
    pub references: Vec<Vec<String>>,
}

impl Pair {
    /// The words of texts.
    pub fn new<'a>(candidate: &str, references: impl IntoIterator<Item = &'a str>) -> Self {
        Self { candidate: tokens(candidate), references: references.into_iter().map(tokens).collect() }
    }
}

/// A text and what people wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What was written.
    pub text: String,
    /// What people wrote.
    pub references: Vec<Reference>,
}

/// The metrics of a task by name; all that there are if it asks for none.
///
/// # Errors
/// Metrics are asked for, and a text has nothing to be compared with.
pub fn scores(
    task: &Task,
    answers: &[Answered],
    vocabulary: &Vocabulary,
) -> Result<BTreeMap<String, f64>, TaskError> {
    if answers.iter().any(|answer| answer.references.is_empty()) {
        return match task.report.first() {
            None => Ok(BTreeMap::new()),
            Some(metric) => Err(nothing_to_compare(task, metric)),
        };
    }
    let pairs: Vec<Pair> = answers.iter().map(pair).collect();
    let spelt: Vec<Answered> = answers.iter().map(|answer| spelt(answer, vocabulary)).collect();
    let chosen = matches!(task.answer, Answer::Rank { .. });
    let whole = match chosen {
        true => [Metric::VqaScore, Metric::Accuracy, Metric::Exact],
        false => [Metric::Cider, Metric::Bleu(4), Metric::Exact],
    };
    let asked: &[Metric] = if task.report.is_empty() { &whole } else { &task.report };
    let measured = asked.iter().filter_map(|metric| Some((name(metric), measure(metric, &pairs, &spelt)?)));
    let mut scores: BTreeMap<String, f64> = measured.collect();
    if task.report.is_empty() && !chosen {
        scores.insert("rouge_l".into(), 100.0 * mean(&rouge::rouge_l(&pairs)));
    }
    Ok(scores)
}

fn nothing_to_compare(task: &Task, metric: &Metric) -> TaskError {
    let column = match &task.answer {
        Answer::Generate { token, .. } | Answer::Rank { token, .. } => token.clone(),
        _ => "text".into(),
    };
    TaskError::NoReferences { task: task.name.clone(), metric: name(metric), column }
}

fn pair(answer: &Answered) -> Pair {
    Pair::new(&answer.text, answer.references.iter().map(|reference| reference.text.as_str()))
}

/// References as the vocabulary can write them, so that "t-shirt" equals "t - shirt" where its decoder says that.
fn spelt(answer: &Answered, vocabulary: &Vocabulary) -> Answered {
    let again = |text: &str| vocabulary.decode(&vocabulary.tokens(text, usize::MAX));
    let reference = |known: &Reference| Reference { text: again(&known.text), share: known.share };
    Answered { text: answer.text.clone(), references: answer.references.iter().map(reference).collect() }
}

/// As the language writes it.
fn name(metric: &Metric) -> String {
    match metric {
        Metric::Cider => "cider".into(),
        Metric::Bleu(n) => format!("bleu({n})"),
        Metric::Exact => "exact".into(),
        Metric::VqaScore => "vqa_score".into(),
        Metric::Accuracy => "accuracy".into(),
        Metric::Recall(_) => "recall".into(),
        Metric::Average => "average".into(),
    }
}

/// A metric of written texts, in percent.
fn measure(metric: &Metric, pairs: &[Pair], answers: &[Answered]) -> Option<f64> {
    let of_answers = |worth: &dyn Fn(&Answered) -> f64| mean(&answers.iter().map(worth).collect::<Vec<_>>());
    let share = match metric {
        Metric::Cider => mean(&cider::cider(pairs)),
        Metric::Bleu(n) => bleu::bleu(pairs, *n),
        Metric::Exact => of_answers(&|answer| f64::from(u8::from(answers::is_exact(answer)))),
        Metric::VqaScore => of_answers(&answers::worth),
        Metric::Accuracy => of_answers(&|answer| f64::from(u8::from(answers::is_commonest(answer)))),
        Metric::Recall(_) | Metric::Average => return None,
    };
    Some(100.0 * share)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
