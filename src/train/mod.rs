//! Training: from a checked stage to a folder of checkpoints.
//!
//! Read in this order: [`step`] (one step), [`r#loop`] (a stage), [`stage`] (how a trainer is made), [`checkpoint`].
//! Invariant: same seed, same numbers, also over an interruption; a checkpoint is whole or not there.

pub mod asked;
mod begin;
pub mod checkpoint;
pub mod convert;
pub mod corpus;
pub mod derive;
mod error;
pub mod feed;
pub mod fit;
pub mod folder;
pub mod host;
pub mod init;
pub mod r#loop;
pub mod measure;
pub mod metrics;
pub mod optimiser;
pub mod path;
mod pieces;
pub mod plan;
pub mod run;
pub mod source;
pub mod spec;
pub mod stage;
pub mod start;
pub mod step;
mod subjects;
#[cfg(test)]
mod testing;
pub mod words;

pub use error::{TrainError, bytes};
pub use host::Host;
pub use run::{TrainOptions, train};
