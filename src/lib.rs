//! Chiasm.

pub mod random;
pub mod recipe;
