//! What tasks find, as report.json and metrics.jsonl keep it.
//!
//! ```
//! use chiasm::task::report::{Found, Report, Scores};
//! let scores = Scores { rows: 250, scores: [("accuracy".to_string(), 61.2)].into() };
//! let report = Report::new("flowers", Found::Scores(scores), vec![]);
//! let text = serde_json::to_string(&report)?;
//! assert_eq!(text, r#"{"task":"flowers","rows":250,"scores":{"accuracy":61.2},"problems":[]}"#);
//! assert_eq!(serde_json::from_str::<Report>(&text)?, report);
//! # Ok::<(), serde_json::Error>(())
//! ```

use super::recall::BothWays;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a task found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The task.
    pub task: String,
    /// What it found.
    #[serde(flatten)]
    pub found: Found,
    /// What was wrong with the data: counts and first names. A picture that cannot be read counts as a grey one.
    pub problems: Vec<String>,
    /// How texts were written: `cached`, from kept keys and values, or `whole` and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// What was written; kept in a file of its own.
    #[serde(skip)]
    pub captions: Vec<Caption>,
}

impl Report {
    /// A report without texts.
    pub fn new(task: &str, found: Found, problems: Vec<String>) -> Self {
        Self { task: task.to_string(), found, problems, way: None, captions: Vec::new() }
    }
}

/// A text that a model wrote; a line of `captions-TASK.jsonl` in the stage's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// The number of the picture or question, from 0.
    pub row: usize,
    /// The text, without prompt.
    pub text: String,
    /// Its log-probability, divided by length to the power of the length penalty.
    pub score: f64,
    /// What people wrote.
    pub references: Vec<String>,
}

/// The result of a protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Found {
    /// Of `retrieval`.
    Retrieval(Retrieval),
    /// Of every other protocol.
    Scores(Scores),
}

impl Found {
    /// The result of a retrieval.
    pub fn retrieval(&self) -> Option<&Retrieval> {
        match self {
            Self::Retrieval(found) => Some(found),
            Self::Scores(_) => None,
        }
    }
}

/// How often the right text or picture is among the best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retrieval {
    /// Pictures.
    pub images: usize,
    /// Texts.
    pub texts: usize,
    /// How many of the best were scored again.
    pub reranked: Option<usize>,
    /// The result.
    pub recall: BothWays,
}

/// One number a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Rows that were looked at.
    pub rows: usize,
    /// By the name of the metric; CIDEr, BLEU and all shares in percent.
    pub scores: BTreeMap<String, f64>,
}
