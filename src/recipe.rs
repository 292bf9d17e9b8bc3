//! What a file asks for besides numbers: initial values, schedules, optimisers, data. Plain values, no behaviour but time.
//!
//! Lowering writes them, data and training read them. Section numbers are those of `dsl/GRAMMAR.md`.
//!
//! ```
//! use chiasm::recipe::{Duration, Schedule, Timeline};
//! let rate = Schedule::Cosine { value: 1.0, to: 0.0, warmup: Duration::Steps(10), from: 0.0 };
//! let time = Timeline { length: 110, epoch: 50 };
//! assert_eq!(rate.at(5, time), 0.5);
//! assert_eq!(rate.at(60, time), 0.5);
//! ```

use serde::{Deserialize, Serialize};

/// Initial values of a parameter or state (6.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Init {
    /// Every element the same.
    Fill(f64),
    /// Normal with this deviation.
    Normal(f64),
    /// Normal, redrawn beyond `cut` deviations.
    Truncated {
        /// The deviation.
        deviation: f64,
        /// In deviations.
        cut: f64,
    },
    /// Even in ±1/sqrt(inputs): the first axis of a matrix, all but the first of a convolution.
    FanIn,
    /// Rows of length one.
    Sphere,
}

/// What to do when a checkpoint has another shape (6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resize {
    /// Extra rows, then a square grid, resampled bicubically.
    Grid,
    /// Relative offsets, then `extra` rows.
    OffsetGrid {
        /// Rows kept as they are.
        extra: usize,
    },
    /// The first rows that both have.
    Crop,
}

/// A length of time (4.9).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Duration {
    /// `steps(n)`
    Steps(u64),
    /// `epochs(n)`: full batches of the first data source.
    Epochs(f64),
}

/// What turns epochs into steps and knows the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// Steps of the whole stage.
    pub length: u64,
    /// Steps of one epoch.
    pub epoch: u64,
}

impl Duration {
    /// In steps.
    pub fn steps(self, epoch: u64) -> u64 {
        match self {
            Self::Steps(n) => n,
            Self::Epochs(n) => (n * epoch as f64).round() as u64,
        }
    }
}

/// A number that changes with the step (6.4).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// `from + (to - from) min(1, s / over)`
    Ramp {
        /// At the start.
        from: f64,
        /// At the end and after it.
        to: f64,
        /// How long.
        over: Duration,
    },
    /// Warm-up, then straight to `to` at the end.
    Linear {
        /// After the warm-up.
        value: f64,
        /// At the end.
        to: f64,
        /// How long.
        warmup: Duration,
        /// Before the warm-up.
        from: f64,
    },
    /// Warm-up, then half a cosine to `to` at the end.
    Cosine {
        /// After the warm-up.
        value: f64,
        /// At the end.
        to: f64,
        /// How long.
        warmup: Duration,
        /// Before the warm-up.
        from: f64,
    },
    /// Warm-up, then `max(least, value by^floor(s / every))`.
    Decay {
        /// After the warm-up.
        value: f64,
        /// The factor.
        by: f64,
        /// How often.
        every: Duration,
        /// Never below.
        least: f64,
        /// How long.
        warmup: Duration,
    },
}

impl Schedule {
    /// The value at a step, counted from 0.
    pub fn at(self, step: u64, time: Timeline) -> f64 {
        match self {
            Self::Constant(value) => value,
            Self::Ramp { from, to, over } => {
                let over = over.steps(time.epoch);
                if over == 0 { to } else { from + (to - from) * (step as f64 / over as f64).min(1.0) }
            }
            Self::Linear { value, to, warmup, from } => {
                descend(step, time, (value, to), (warmup, from), |part| 1.0 - part)
            }
            Self::Cosine { value, to, warmup, from } => {
                descend(step, time, (value, to), (warmup, from), |part| {
                    (1.0 + (std::f64::consts::PI * part).cos()) / 2.0
                })
            }
            Self::Decay { value, by, every, least, warmup } => {
                let warmup = warmup.steps(time.epoch);
                if step < warmup {
                    return value * step as f64 / warmup as f64;
                }
                let times = step / every.steps(time.epoch).max(1);
                (value * by.powi(times.min(1 << 20) as i32)).max(least)
            }
        }
    }
}

fn descend(
    step: u64,
    time: Timeline,
    (value, to): (f64, f64),
    (warmup, from): (Duration, f64),
    shape: impl Fn(f64) -> f64,
) -> f64 {
    let warmup = warmup.steps(time.epoch);
    if step < warmup {
        return from + (value - from) * step as f64 / warmup as f64;
    }
    let rest = time.length.saturating_sub(warmup).max(1);
    let part = ((step - warmup) as f64 / rest as f64).min(1.0);
    to + (value - to) * shape(part)
}

/// What weight decay spares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Spared {
    /// Parameters with one axis.
    Vectors,
    /// Parameters without axes.
    Scalars,
    /// Everything at and below a path.
    Below(String),
    /// Whole paths, `*` for anything.
    Pattern(String),
}

/// How parameters move (6.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Optimiser {
    /// AdamW (Loshchilov & Hutter, 2019).
    AdamW(AdamW),
}

/// The settings of AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamW {
    /// Learning rate.
    pub rate: Schedule,
    /// Decoupled weight decay: `p (1 - rate decay)`, then the step.
    pub decay: f64,
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Spared from decay.
    pub no_decay: Vec<Spared>,
}

/// Where rows come from (7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// What columns it has.
    pub kind: DataKind,
    /// Names of data sets, read as one; `"coco/train"` is a split, without one `train` is meant.
    pub names: Vec<String>,
    /// What is done to its images, left to right.
    pub transforms: Vec<Transform>,
}

/// The kinds of source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DataKind {
    /// `image text image_id`
    Pairs {
        /// `"a picture of {}"`
        prompt: Option<String>,
    },
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
    /// RandAugment (reference of ALBEF, BLIP and VLMo: ten operations that spare colour).
    RandAugment {
        /// Operations an image.
        count: usize,
        /// 0 to 10.
        magnitude: f64,
    },
    /// Shorter side to the size, then the middle.
    Center,
}
