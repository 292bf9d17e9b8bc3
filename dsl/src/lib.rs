//! The Chiasm language: text to tree, tree to text.

pub mod code;
pub mod diagnostic;
pub mod span;
pub mod tree;
