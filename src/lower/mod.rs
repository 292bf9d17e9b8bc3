//! Tree to graph.

pub mod model;
