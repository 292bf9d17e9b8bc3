//! Where a stage or a task gets its rows: sources, columns, what is done to images.
//!
//! Example: `pairs("coco/train") -> crop(0.5, 1.0)` is `Data` with the rows of one set and one transform.

use crate::random::hash;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where rows come from (7): a source, what its columns are called, what is done to its images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// The source.
    pub rows: Rows,
    /// Its columns by the names that inputs have.
    pub columns: Vec<Column>,
    /// What is done to its images, left to right.
    pub transforms: Vec<Transform>,
}

impl Data {
    /// Data sets read as one, with the columns of their kind.
    pub fn sets(kind: DataKind, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let column = |name: &&str| Column { name: name.to_string(), from: name.to_string(), other: false };
        let columns = kind.columns().iter().map(column).collect();
        let rows = Rows::Sets { kind, names: names.into_iter().map(Into::into).collect() };
        Self { rows, columns, transforms: Vec::new() }
    }

    /// Image-text pairs.
    pub fn pairs(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::sets(DataKind::Pairs { prompt: None, wrong: 0.0 }, names)
    }

    /// The data sets it reads.
    pub fn names(&self) -> Vec<&str> {
        match &self.rows {
            Rows::Sets { names, .. } => names.iter().map(String::as_str).collect(),
            Rows::Mixed(all) => all.iter().flat_map(Data::names).collect(),
            Rows::Recaptioned { data, .. } | Rows::Kept { data, .. } => data.names(),
        }
    }
}

/// The sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rows {
    /// Data sets read as one.
    Sets {
        /// What columns they have.
        kind: DataKind,
        /// `"coco/train"` is a split, without one `train` is meant.
        names: Vec<String>,
    },
    /// `a + b`: several sources in proportion to their sizes.
    Mixed(Vec<Data>),
    /// `recaption(D, by: task)`: texts replaced by what a task writes.
    Recaptioned {
        /// The rows.
        data: Box<Data>,
        /// The task.
        by: String,
        /// The stage of the task.
        on: String,
    },
    /// `keep(D, condition, on: stage)`: rows for which a value `[B]` holds.
    Kept {
        /// The rows.
        data: Box<Data>,
        /// The value as it is written.
        condition: String,
        /// The stage that computes it.
        on: String,
    },
}

impl Rows {
    /// The stage whose model makes derived rows.
    pub fn maker(&self) -> Option<&str> {
        match self {
            Self::Sets { .. } | Self::Mixed(_) => None,
            Self::Recaptioned { on, .. } | Self::Kept { on, .. } => Some(on),
        }
    }

    /// Where derived rows lie in a run folder: with the stage that makes them, under a name that depends on what is asked.
    pub fn derived_in(&self, run: &Path) -> Option<PathBuf> {
        let what = match self {
            Self::Sets { .. } | Self::Mixed(_) => return None,
            Self::Recaptioned { .. } => "recaption",
            Self::Kept { .. } => "keep",
        };
        let name = format!("{what}-{:08x}.jsonl", hash(&format!("{self:?}")) as u32);
        Some(run.join(self.maker()?).join(name))
    }

    /// The derived rows among these, each after those that it is made of.
    pub fn derived(&self) -> Vec<&Rows> {
        match self {
            Self::Sets { .. } => Vec::new(),
            Self::Mixed(all) => all.iter().flat_map(|data| data.rows.derived()).collect(),
            Self::Recaptioned { data, .. } | Self::Kept { data, .. } => {
                data.rows.derived().into_iter().chain([self]).collect()
            }
        }
    }
}

/// As the language writes it, without arguments of sources.
impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sets { kind, names } => write!(f, "{}(\"{}\")", kind.name(), names.join("\", \"")),
            Self::Mixed(all) => {
                f.write_str(&all.iter().map(|data| data.rows.to_string()).collect::<Vec<_>>().join(" + "))
            }
            Self::Recaptioned { data, by, .. } => write!(f, "recaption({}, by: {by})", data.rows),
            Self::Kept { data, condition, on } => write!(f, "keep({}, {condition}, on: {on})", data.rows),
        }
    }
}

/// A column of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The input it feeds.
    pub name: String,
    /// Its name in the source.
    pub from: String,
    /// Whether it is that of another, random row.
    pub other: bool,
}

/// The kinds of data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DataKind {
    /// `image text image_id`
    Pairs {
        /// `"a picture of {}"`
        prompt: Option<String>,
        /// The share of captions that are those of another picture, for drawn scenes; 0 for none.
        wrong: f64,
    },
    /// The same, labels made into text.
    Captioned {
        /// `"a photo of a {}."`
        template: String,
    },
    /// `image`
    Images,
    /// `text`
    Texts,
    /// `image label`, and the class names.
    Labelled,
    /// `image text question answer weight scores`
    Vqa {
        /// How many of the commonest answers `scores` is over.
        answers: Option<usize>,
    },
    /// `left right text truth`
    Nlvr,
    /// `image text verdict`
    Entail,
}

impl DataKind {
    /// Its name in the language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pairs { .. } => "pairs",
            Self::Captioned { .. } => "captioned",
            Self::Images => "images",
            Self::Texts => "texts",
            Self::Labelled => "labelled",
            Self::Vqa { .. } => "vqa",
            Self::Nlvr => "nlvr",
            Self::Entail => "entail",
        }
    }

    /// Its columns.
    pub fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::Pairs { .. } | Self::Captioned { .. } => &["image", "text", "image_id"],
            Self::Images => &["image"],
            Self::Texts => &["text"],
            Self::Labelled => &["image", "label"],
            Self::Vqa { answers: None } => &["image", "text", "question", "answer", "weight"],
            Self::Vqa { answers: Some(_) } => &["image", "text", "question", "answer", "weight", "scores"],
            Self::Nlvr => &["left", "right", "text", "truth"],
            Self::Entail => &["image", "text", "verdict"],
        }
    }
}

/// What is done to images between decoding and the batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Transform {
    /// Random resized crop: share of the area in `low..high`, aspect 3/4 to 4/3, bicubic.
    Crop {
        /// Smallest share.
        low: f64,
        /// Largest share.
        high: f64,
    },
    /// Mirrored with probability 1/2.
    Flip,
    /// RandAugment.
    RandAugment {
        /// Operations an image.
        count: usize,
        /// Their strength, on the scale of the set.
        magnitude: f64,
        /// Which operations.
        set: AugmentSet,
    },
    /// Brightness, contrast and saturation changed by up to this share.
    Jitter(f64),
    /// Shorter side to the size, then the middle.
    Center,
    /// Proportions kept: the shorter side to `short`, the longer at most `long`, both then cut down to whole `step`s; the rest of
    /// the square is uncovered, -1.
    Fit {
        /// The shorter side, in pixels.
        short: usize,
        /// The longest that the longer side may be.
        long: usize,
        /// Sides are multiples of it.
        step: usize,
    },
}

/// The operations that RandAugment draws from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AugmentSet {
    /// Ten operations that spare colour, 0 to 10: ALBEF, BLIP, VLMo.
    #[default]
    Albef,
    /// Fourteen operations, 0 to 30: ViLT.
    Vilt,
    /// Those of timm, 0 to 10: BEiT.
    Timm,
}
