//! Tensors in files, and what happens when a file's tensor has another shape than the model's.
//!
//! [`archive`] reads safetensors one tensor at a time, [`write`](mod@write) writes them; [`load`] applies a weight map, [`invert`] goes back;
//! [`account`] says what a map takes of a file, [`compare`](mod@compare) what two files differ in; [`resize`] holds the resize rules
//! of section 6.3; [`locate`] finds a public checkpoint by name under the given folders.
//! Invariant: nothing here downloads.

pub mod account;
pub mod archive;
mod axes;
pub mod compare;
pub mod decode;
pub mod invert;
pub mod load;
pub mod locate;
mod offsets;
mod pattern;
pub mod resize;
mod shard;
pub mod statistics;
pub mod write;

pub use archive::Archive;

/// Why tensors could not be read, written or fitted.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file system refused to read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file system refused to write.
    #[error("cannot write {path}: {source}; what was there before is unchanged")]
    Write {
        /// Which file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a safetensors file, or one that is cut off.
    #[error("{path} is not a whole safetensors file: {reason}")]
    Format {
        /// Which file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An index and its files do not fit together.
    #[error("{path} does not put files together: {reason}; load the checkpoint anew, with all its files")]
    Index {
        /// The index.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A source that cannot be made of its tensor.
    #[error("`{source_text}` cannot be made of `{name}` in {path}, which has the shape {found:?}")]
    Source {
        /// Which file.
        path: String,
        /// As the map writes it.
        source_text: String,
        /// The tensor.
        name: String,
        /// Its axes.
        found: Vec<usize>,
    },
    /// Names that stand for one tensor and hold different ones.
    #[error("`{first}` and `{second}` in {path} are one tensor in the map, but differ in the file")]
    Untied {
        /// Which file.
        path: String,
        /// A source.
        first: String,
        /// Another one.
        second: String,
    },
    /// A map that does not go back to a public tensor.
    #[error("`{name}` cannot be put together again: {reason}")]
    Inverse {
        /// The public tensor.
        name: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// A tensor is not there.
    #[error("{path} has no tensor `{name}`")]
    Missing {
        /// Which file.
        path: String,
        /// Which tensor.
        name: String,
    },
    /// A tensor that nobody asked for.
    #[error("{path} has a tensor `{name}` that the model does not have")]
    Extra {
        /// Which file.
        path: String,
        /// Which tensor.
        name: String,
    },
    /// A tensor of another shape.
    #[error("`{name}` in {path} should have the shape {expected:?}, but has {found:?}")]
    Shape {
        /// Which file.
        path: String,
        /// Which tensor.
        name: String,
        /// By the model.
        expected: Vec<usize>,
        /// By the file.
        found: Vec<usize>,
    },
    /// Elements of another type.
    #[error("`{name}` in {path} should hold {expected}, but holds {found}")]
    Elements {
        /// Which file.
        path: String,
        /// Which tensor.
        name: String,
        /// What can be used.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A NaN or an infinity.
    #[error(
        "`{name}` in {path} holds {value} at element {index}: the file is damaged or its training had diverged"
    )]
    NotFinite {
        /// Which file.
        path: String,
        /// Which tensor.
        name: String,
        /// The element.
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// A public checkpoint that is not on this machine.
    #[error("the checkpoint \"{name}\" was not found; looked for {}; nothing is downloaded, so put it there or give its folder with --weights", .tried.join(", "))]
    NotFound {
        /// As the file names it.
        name: String,
        /// Where it could have been.
        tried: Vec<String>,
    },
    /// Shapes that a resize rule cannot bring together.
    #[error("`{name}` cannot be resized from {from:?} to {to:?} by `{rule}`: {reason}")]
    Resize {
        /// Which parameter.
        name: String,
        /// In the checkpoint.
        from: Vec<usize>,
        /// In the model.
        to: Vec<usize>,
        /// The rule, as the language calls it.
        rule: &'static str,
        /// Why not.
        reason: String,
    },
    /// Another shape and no rule (E0604).
    #[error(
        "error[E0604]: `{name}` has the shape {from:?} in the checkpoint and {to:?} in the model, and no resize rule; write `resize: grid` or `resize: crop` at its Param"
    )]
    NoRule {
        /// Which parameter.
        name: String,
        /// In the checkpoint.
        from: Vec<usize>,
        /// In the model.
        to: Vec<usize>,
    },
}
