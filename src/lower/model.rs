//! What lowering makes of a file: checked stages and tasks, each with its graph and everything training needs to know.

pub use super::derived::Condition;
pub use super::marks::{Mark, MarkKind, Outline, Pass, Read};
use super::program::Program;
pub use super::source::{Load, Source};
use crate::graph::Graph;
use crate::recipe::{Data, Duration, Init, Optimiser, Precision, Resize, Schedule};
use crate::shape::{Batch, Shape};
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::{Sources, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A checked file.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The file's name without folder and ending.
    pub name: String,
    /// All texts, for messages.
    pub sources: Sources,
    /// Warnings (errors make no model).
    pub warnings: Vec<Diagnostic>,
    /// What no stage and no task uses.
    pub unused: Unused,
    /// In file order.
    pub stages: Vec<Stage>,
    /// In file order.
    pub tasks: Vec<Task>,
    /// What `keep` asks of the stages that its data names.
    pub conditions: Vec<Condition>,
    /// All definitions, for what is asked later.
    pub(crate) program: Arc<Program>,
    /// `--set name=value`, in order.
    pub(crate) sets: Vec<(String, String)>,
    /// Every definition, and every field of a stage (`stage pretrain: batch`) or task, as it is written, on one line.
    pub texts: BTreeMap<String, String>,
}

/// What a file or one that it extends holds, and no stage and no task uses; by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Unused {
    /// Of an extended file: modules, values, losses, functions, parameters.
    pub definitions: Vec<String>,
    /// Inputs that nothing reads.
    pub inputs: Vec<String>,
    /// Weight maps from which nothing starts.
    pub weights: Vec<String>,
}

/// Named values of a file as a graph of their own, without dropout.
#[derive(Clone, Debug)]
pub struct Values {
    /// One output a value, called as it was asked for.
    pub graph: Graph,
    /// What the graph reads.
    pub inputs: Vec<Input>,
    /// What the graph reads, and the originals of its twins.
    pub parameters: Vec<Parameter>,
    /// What the graph reads.
    pub twins: Vec<Twin>,
    /// What the graph reads.
    pub states: Vec<State>,
}

/// A training stage.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// The name in the file.
    pub span: Span,
    /// Forward graph with batch symbols. Outputs: `objective`, `loss/<name>`, `watch/<name>`, `next/<state>`.
    pub graph: Graph,
    /// Its static parameters with their values, as text.
    pub sets: BTreeMap<String, String>,
    /// What the data must bring.
    pub inputs: Vec<Input>,
    /// In order of first use.
    pub parameters: Vec<Parameter>,
    /// Slow copies.
    pub twins: Vec<Twin>,
    /// What is remembered from step to step.
    pub states: Vec<State>,
    /// Where rows come from, side by side; an epoch is one of the first.
    pub feeds: Vec<Feed>,
    /// Pieces a batch is cut into.
    pub accumulate: usize,
    /// Names of stages and weight maps, left to right.
    pub start: Vec<Start>,
    /// Rate factors by path, the last one that fits counts.
    pub rates: Vec<(String, f64)>,
    /// How parameters move.
    pub optimiser: Optimiser,
    /// Largest global norm of the gradients.
    pub clip: Option<f64>,
    /// The numbers it computes with.
    pub precision: Precision,
    /// How long.
    pub length: Duration,
    /// Seed, if the stage says one.
    pub seed: Option<u64>,
    /// Paths in `freeze` and `train` that lead to no parameter here, with their places.
    pub idle: Vec<(String, Span)>,
    /// Its parts as its author named them.
    pub outline: Outline,
    /// Tasks to run at the end, and how often besides.
    pub evaluate: Vec<(String, Option<Duration>)>,
}

impl Stage {
    /// Rows a step of the first source.
    pub fn batch(&self) -> usize {
        self.feeds.first().map_or(1, |feed| feed.batch)
    }

    /// Whether its checkpoints have a key: a parameter by path, a twin by its key, `state/` and a name.
    pub fn holds(&self, key: &str) -> bool {
        let state = |name: &str| self.states.iter().any(|s| s.name == name);
        self.parameters.iter().any(|p| p.path == key)
            || self.twins.iter().any(|t| t.key == key)
            || key.strip_prefix("state/").is_some_and(state)
    }

    /// What the batch symbols are in a step.
    pub fn rows(&self) -> Batch {
        self.feeds.iter().fold(Batch::default(), |batch, feed| batch.and(&feed.symbol, feed.batch))
    }
}

impl Stage {
    /// The same with so many rows a step of the first source, and of the others in proportion.
    pub fn rows_at(&self, batch: usize) -> Batch {
        let first = self.batch().max(1);
        let rows = |feed: &Feed| (feed.batch * batch / first).max(1);
        self.feeds.iter().fold(Batch::default(), |all, feed| all.and(&feed.symbol, rows(feed)))
    }

    /// Which source has the column of an input.
    pub fn source_of(&self, input: &str) -> usize {
        let has = |feed: &Feed| feed.data.columns.iter().any(|column| column.name == input);
        self.feeds.iter().position(has).unwrap_or(0)
    }
}

/// One source of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Where they come from.
    pub data: Data,
    /// The batch symbol of the inputs it feeds.
    pub symbol: String,
    /// Rows a step.
    pub batch: usize,
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Another stage of the file.
    Stage(String),
    /// A weight map: its name and the checkpoint it reads.
    Weights {
        /// The map.
        map: String,
        /// `from "…"`.
        checkpoint: String,
        /// Where every parameter below the map comes from.
        loads: Vec<Load>,
    },
    /// A weight map from a stage of the file: names of its sources are paths in that stage.
    Moved {
        /// The map.
        map: String,
        /// `from stage`.
        stage: String,
        /// Where every parameter below the map comes from.
        loads: Vec<Load>,
    },
    /// A stage of the extended file, as it was trained there.
    Base(String),
}

/// An input of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name, also that of the data's column.
    pub name: String,
    /// Its shape with batch symbols.
    pub shape: Shape,
    /// How the column is read.
    pub reading: Reading,
    /// Name of the graph input `[B]` that holds how many places of each row are used, for padded inputs.
    pub lengths: Option<String>,
}

/// How a column becomes an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Decoded and made `side` by `side`, numbers in 0..1.
    Image {
        /// In pixels.
        side: usize,
    },
    /// Tokenised and cut to `length`.
    Text {
        /// Which tokens.
        vocabulary: Vocabulary,
        /// At most.
        length: usize,
    },
    /// Whole numbers, one a row.
    Ids,
    /// Numbers: one or several a row.
    Numbers,
    /// No column: for every id of a vocabulary, whether it begins a word (byte pairs: whether it ends one).
    WordMarks {
        /// Which tokens.
        vocabulary: Vocabulary,
    },
}

/// With this begin the names of inputs that are tables over a vocabulary: they have no rows of a batch.
pub const TABLE: &str = "vocabulary/";

/// A vocabulary as the file names it (6.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Vocabulary {
    /// How text is cut.
    pub kind: VocabularyKind,
    /// `bert-base-uncased`
    pub name: String,
    /// Tokens after all others.
    pub extra: Vec<String>,
    /// Ids without the extra ones, if the file says it: vocabularies that the compiler does not know.
    pub size: Option<usize>,
    /// Ids of `pad`, `cls`, `sep`, `mask` and `unk`, if the file says them; -1 where there is no such token.
    pub special: Option<[i64; 5]>,
}

/// How text is cut into tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VocabularyKind {
    /// BERT's.
    WordPiece,
    /// CLIP's byte pairs.
    Bpe,
    /// Sentencepiece's.
    SentencePiece,
}

/// A parameter of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `fusion[3].attn.q.w`
    pub path: String,
    /// Its sizes.
    pub dims: Vec<usize>,
    /// Initial values.
    pub init: Init,
    /// Range it is kept in.
    pub clamp: Option<(f64, f64)>,
    /// What to do when a checkpoint has another shape.
    pub resize: Option<Resize>,
    /// Whether it moves in this stage.
    pub trained: bool,
    /// Times the learning rate, by `layer_decay`.
    pub factor: f64,
    /// The module that owns it, outermost last: (path of the module, its constructor), for weight maps.
    pub owners: Arc<[(Arc<str>, Arc<str>)]>,
}

impl Parameter {
    /// How many numbers.
    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }
}

/// A slow copy of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Twin {
    /// `slow/vision.norm.gain`
    pub key: String,
    /// Path of the original.
    pub of: String,
    /// Its sizes.
    pub dims: Vec<usize>,
    /// `twin = rate * twin + (1 - rate) * original`
    pub rate: Schedule,
}

impl Twin {
    /// How many numbers.
    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }
}

/// A remembered value.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Its sizes and elements.
    pub shape: Shape,
    /// What it is before the first step.
    pub start: Beginning,
    /// Whether the stage advances it.
    pub advanced: bool,
}

/// What a state is before the first step.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// Initial values.
    Drawn(Init),
    /// The output `start` of a graph, computed once from the first batch.
    Computed(Box<Graph>),
}

impl PartialEq for Beginning {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Drawn(a), Self::Drawn(b)) => a == b,
            (Self::Computed(a), Self::Computed(b)) => a.to_string() == b.to_string(),
            _ => false,
        }
    }
}

/// A way to measure a stage.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The name in the file.
    pub span: Span,
    /// The stage whose parameters it uses.
    pub stage: String,
    /// Outputs named by the protocol's arguments (`image`, `text`, `rerank`), without dropout.
    pub graph: Graph,
    /// What the graph reads.
    pub inputs: Vec<Input>,
    /// What the graph reads.
    pub parameters: Vec<Parameter>,
    /// What the graph reads.
    pub twins: Vec<Twin>,
    /// What the graph reads.
    pub states: Vec<State>,
    /// What is asked.
    pub answer: Answer,
    /// Where rows come from; may be given on the command line instead.
    pub data: Option<Data>,
    /// Cut-offs of `recall(1, 5, 10)`, or another metric.
    pub report: Vec<Metric>,
    /// The batch symbol of the data.
    pub symbol: String,
    /// Rows at once.
    pub batch: usize,
    /// Seed of draws.
    pub seed: u64,
}

/// The protocols.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// All images against all texts.
    Retrieval {
        /// Whether the graph has `image`.
        image: bool,
        /// Whether the graph has `text`.
        text: bool,
        /// How many of the best are scored again by the output `rerank`, if it is there.
        rerank: Option<usize>,
    },
    /// Class names in prompts feed the text; the image's feature is compared with their means.
    ZeroShot {
        /// `"a photo of a {}."`
        prompts: Vec<String>,
    },
    /// The best of the output `logits` against the output `truth`: ids, or scores of every class.
    Classify,
    /// Writes an input from left to right by the output `logits`.
    Generate {
        /// The input.
        token: String,
        /// What it begins with.
        prompt: Option<String>,
        /// How the next token is chosen.
        search: Search,
        /// Fewest tokens.
        min: usize,
        /// Most tokens.
        max: Option<usize>,
        /// A token put behind what is written, at which the logits are read.
        probe: Option<i64>,
        /// Scores are divided by length to this power.
        length_penalty: f64,
    },
    /// Scores given texts as an input by the likelihood that the output `logits` gives them.
    Rank {
        /// The input.
        token: String,
        /// The list of texts.
        candidates: String,
        /// How many are scored fully, after their first token.
        top: Option<usize>,
    },
    /// The means of the outputs of these names.
    Measure(Vec<String>),
}

impl Answer {
    /// Its name in the language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retrieval { .. } => "retrieval",
            Self::ZeroShot { .. } => "zero_shot",
            Self::Classify => "classify",
            Self::Generate { .. } => "generate",
            Self::Rank { .. } => "rank",
            Self::Measure(_) => "measure",
        }
    }
}

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Search {
    /// The likeliest.
    Greedy,
    /// The likeliest continuations of so many texts.
    Beam(usize),
    /// Drawn from the likeliest tokens that hold this share of the probability.
    Nucleus(f64),
}

/// The metrics.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// `recall(1, 5, 10)`
    Recall(Vec<usize>),
    /// Share of right answers.
    Accuracy,
    /// Share of the votes an answer has.
    VqaScore,
    /// CIDEr of captions.
    Cider,
    /// BLEU over so many words.
    Bleu(usize),
    /// Share of answers equal to the given one.
    Exact,
    /// Means.
    Average,
}
