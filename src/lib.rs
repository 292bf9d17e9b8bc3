//! Chiasm.

pub mod exec;
pub mod random;
pub mod recipe;
