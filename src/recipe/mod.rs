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

mod data;
pub use data::{AugmentSet, Column, Data, DataKind, Rows, Transform};

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
    /// How long it warms up, if it does.
    pub fn warmup(self) -> Option<Duration> {
        match self {
            Self::Constant(_) | Self::Ramp { .. } => None,
            Self::Linear { warmup, .. } | Self::Cosine { warmup, .. } | Self::Decay { warmup, .. } => {
                Some(warmup)
            }
        }
    }

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
pub struct Optimiser {
    /// What a gradient does to its parameter.
    pub method: Method,
    /// Learning rate.
    pub rate: Schedule,
    /// Weight decay.
    pub decay: f64,
    /// Spared from decay.
    pub no_decay: Vec<Spared>,
}

/// The optimisers. Weight decay is decoupled, `p (1 - rate decay)` before the step, but for LAMB, whose step includes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Method {
    /// AdamW (Loshchilov & Hutter, 2019).
    AdamW {
        /// Decay of the two moments.
        betas: [f64; 2],
        /// Added to the root of the second moment.
        eps: f64,
    },
    /// LAMB (You et al., 2020): the step of AdamW, decay included, scaled to the norm of each decayed tensor.
    Lamb {
        /// Decay of the two moments.
        betas: [f64; 2],
        /// Added to the root of the second moment.
        eps: f64,
    },
    /// Adafactor (Shazeer & Stern, 2018) as Zhai et al. (2022) train with it: gradients over the root of second moments that a
    /// matrix keeps by row and by column, then momentum; rates are absolute.
    Adafactor {
        /// Decay of the momentum, and the most that of the second moment, `1 - t^-0.8`, grows to.
        betas: [f64; 2],
    },
    /// Stochastic gradient descent.
    Sgd {
        /// Share of the last step that is kept.
        momentum: f64,
    },
}

impl Method {
    /// Its name in the language.
    pub fn name(self) -> &'static str {
        match self {
            Self::AdamW { .. } => "adamw",
            Self::Lamb { .. } => "lamb",
            Self::Adafactor { .. } => "adafactor",
            Self::Sgd { .. } => "sgd",
        }
    }

    /// Whether it keeps a first and a second moment of every parameter.
    pub fn moments(self) -> [bool; 2] {
        match self {
            Self::AdamW { .. } | Self::Lamb { .. } | Self::Adafactor { .. } => [true, true],
            Self::Sgd { momentum } => [momentum > 0.0, false],
        }
    }
}

/// The numbers a stage computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the exponent of 32.
    Bf16,
}
