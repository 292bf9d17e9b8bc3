//! What tasks find, as report.json and metrics.jsonl keep it.
//!
//! ```
//! use chiasm::task::report::{Found, Report, Scores};
//! let scores = Scores { rows: 250, scores: [("accuracy".to_string(), 61.2)].into() };
//! let report = Report { task: "flowers".into(), found: Found::Scores(scores), problems: vec![] };
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
    /// By the name of the metric; accuracies and VQA scores in percent.
    pub scores: BTreeMap<String, f64>,
}
