//! Chiasm.

pub mod random;
