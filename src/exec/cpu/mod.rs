//! The CPU executor: one arena of 4-byte words, fused kernels, one pool of threads that runs the whole step.

#[cfg(test)]
mod blocks;
pub mod kernel;
pub mod level;
mod math;
pub mod pool;
pub mod product;
#[cfg(test)]
mod testing;
pub mod view;
