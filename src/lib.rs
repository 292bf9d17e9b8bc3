//! Chiasm.

pub mod bench;
pub mod cli;
pub mod data;
pub mod exec;
pub mod graph;
pub mod lower;
pub mod op;
pub mod parallel;
pub mod pass;
pub mod plan;
pub mod random;
pub mod recipe;
pub mod shape;
pub mod task;
pub mod tensor;
pub mod train;
pub mod weights;

pub use lower::{Failure, Model, Options, compile};
