//! Chiasm.

pub mod data;
pub mod random;
pub mod recipe;
