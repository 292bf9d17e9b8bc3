//! The CPU executor: one arena of 4-byte words, fused kernels, one pool of threads that runs the whole step.

pub mod kernel;
pub mod level;
pub mod pool;
pub mod product;
pub mod view;
