//! Chiasm.

pub mod bench;
pub mod exec;
pub mod graph;
pub mod lower;
pub mod op;
pub mod pass;
pub mod plan;
pub mod random;
pub mod recipe;
pub mod shape;
pub mod tensor;

pub use lower::{Failure, Model, Options, compile};
