//! Passes: a graph goes in, a graph comes out.
//!
//! | pass | what it does |
//! |---|---|
//! | [`fuse`] | small operations that make up a larger one become it |
//! | [`accumulate`] | a batch in pieces: the counts of all rows, and one piece |
//! | [`differentiate`] | adds the gradients of parameters, named `grad/<path>` |
//! | [`mark`] | names the parameters whose gradients an executor takes from a tape of its own |
//! | [`simplify`] | removes and joins operations that move or change nothing |
//! | [`merge`] | equal operations on equal operands become one |
//! | [`tidy`] | both in one copy |
//! | [`expand`] | operations that an executor lacks become smaller ones |
//! | [`partition`] | what depends on a picture alone, on a text alone, on both |
//! | [`narrow`] | one place of a text instead of all |
//! | [`decode`] | the beginning of a text, and a step that goes on with kept keys and values |
//!
//! `fuse` comes first, then `differentiate` or `mark`, `tidy`, `expand`. All but the first keep every named value as it is and drop
//! what no name needs; [`prepare`] calls them in order. Nodes keep their origin, or take that of the node they stand for.

pub mod accumulate;
mod autodiff;
pub mod decode;
mod expand;
mod fuse;
mod fuse_attention;
mod mark;
mod merge;
mod narrow;
pub mod partition;
pub mod prepare;
mod simplify;
mod tidy;

pub use autodiff::{PassError, differentiate};
pub use expand::expand;
pub use fuse::fuse;
pub use mark::mark;
pub use merge::merge;
pub use narrow::narrow;
pub use simplify::simplify;
pub use tidy::tidy;
