//! The kernels, one file per op. All workers call a kernel with the same arguments; none of them allocates.
//!
//! A kernel that needs room tells how much with its `scratch_words`. Unless it says so, a kernel ends without a barrier:
//! put one before anything that reads what it wrote, and before its scratch is used again.

pub mod adafactor;
pub mod adamw;
pub mod attention;
pub mod copy;
pub mod cross_entropy;
pub mod depthwise;
pub mod descend;
pub(crate) mod draw;
pub mod ema;
pub mod lamb;
pub(crate) mod lanes;
pub mod layer_norm;
pub mod norm;
pub mod normalize;
pub mod pointwise;
pub mod put;
pub mod reduce;
pub mod softmax;
pub mod take;
