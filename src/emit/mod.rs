//! Named values of a model as a Rust module of dfdx types: a struct for each kind of module, a method for each value.
//!
//! ```text
//! values ──graph──▶ fuse ──cut into calls──▶ bodies ──same text once──▶ structs and methods ──▶ Rust
//! ```
//!
//! ```
//! use chiasm::emit::{Wanted, emit};
//! use chiasm::{Options, compile};
//! let model = compile("tests/train/speck.chi".as_ref(), &Options::default())?;
//! let emitted = emit(&model, &Wanted { values: vec!["image_feat".into()], ..Wanted::default() })?;
//! assert!(emitted.text.contains("pub fn image_feat<T: Tracing<D>>("));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A method for a value takes the inputs that it reads, in the order of the file: numbers as tensors with a tape or without one, ids
//! as tensors of `usize`, texts with their lengths behind them. Where a value reads ids alone, the first brings the tape, as with dfdx's
//! own `Embedding`: `clip.text_feat(text.trace(clip.alloc_grads()), &lengths)`. Sizes of the file are constants, batch symbols are
//! `usize`. What does not agree does not compile:
//!
//! ```compile_fail,E0308
//! # use dfdx::prelude::*;
//! mod clip {
//!     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emit/clip.rs")); // pictures of 48 by 48
//! }
//! fn features(clip: &clip::Clip<f32, Cpu>, image: Tensor<(usize, Const<3>, Const<32>, Const<32>), f32, Cpu>) {
//!     let _ = clip.image_feat(image);
//! }
//! ```
//! ```
//! # use dfdx::prelude::*;
//! mod clip {
//!     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emit/clip.rs"));
//! }
//! fn features(clip: &clip::Clip<f32, Cpu>, image: Tensor<(usize, Const<3>, Const<48>, Const<48>), f32, Cpu>) {
//!     let _ = clip.image_feat(image);
//! }
//! ```
//! ```compile_fail,E0277
//! # use chiasm::embed::{EmbedError, typed::{Value, op}};
//! # use dfdx::prelude::*;
//! # mod clip { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emit/clip.rs")); }
//! // A line of an emitted method, with a layer of another width: 128 where the picture's patches have 768 numbers.
//! fn patches(to_image: &clip::Linear7<f32, Cpu>, x: Value<(usize, Const<9>, Const<768>), Cpu, NoneTape>) -> Result<(), EmbedError> {
//!     let patches: Value<(usize, Const<9>, Const<128>), Cpu, NoneTape> = op::matmul(x, &to_image.w)?;
//!     Ok(())
//! }
//! ```
//! ```
//! # use chiasm::embed::{EmbedError, typed::{Value, op}};
//! # use dfdx::prelude::*;
//! # mod clip { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emit/clip.rs")); }
//! fn patches(proj: &clip::Linear<f32, Cpu>, x: Value<(usize, Const<9>, Const<768>), Cpu, NoneTape>) -> Result<(), EmbedError> {
//!     let patches: Value<(usize, Const<9>, Const<128>), Cpu, NoneTape> = op::matmul(x, &proj.w)?;
//!     Ok(())
//! }
//! ```
//!
//! What has no text: slow copies, states, the clock and draws, because only a training moves them; what dfdx lacks; more than
//! six axes. Dropout is off. A value that was named is refused with the op and its place; else it is listed in the
//! text's first lines and in [`Emitted::left_out`].
//!
//! Invariant: the text compiles without warnings, rustfmt leaves it as it is, its values are those of a
//! [`Network`](crate::Network) up to rounding, and a value that has no text is an error or listed, never left out in silence.

mod body;
mod calls;
mod cut;
mod expr;
mod file;
mod layout;
mod lines;
mod names;
mod structs;
mod tree;

use crate::Model;
use crate::graph::Graph;
use crate::lower::Failure;
use crate::lower::model::{MarkKind, Parameter, Stage, Values};
use crate::op::Op;
use crate::pass::prepare::{self, PrepareError};
use crate::shape::Kind;
use chiasm_dsl::diagnostic::nearest;

/// What is to be written.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The stage whose sizes and parameters count; the first if none is named.
    pub stage: Option<String>,
    /// Named values; none for all that have a text.
    pub values: Vec<String>,
}

/// A Rust module.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// Its text.
    pub text: String,
    /// The values that are methods.
    pub values: Vec<String>,
    /// Those that are not, and why; only where no values were named.
    pub left_out: Vec<(String, String)>,
}

/// Why there is no Rust module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// A stage that the file does not have.
    #[error("the file has no stage `{stage}`{}; it has {}", .near.as_ref().map_or(String::new(), |near| format!(" (did you mean `{near}`?)")), .known.join(", "))]
    Stage {
        /// As it was asked for.
        stage: String,
        /// The nearest.
        near: Option<String>,
        /// All stages.
        known: Vec<String>,
    },
    /// The file is wrong, or does not have a value.
    #[error(transparent)]
    Wrong(#[from] Failure),
    /// A pass broke a graph.
    #[error(transparent)]
    Pass(#[from] PrepareError),
    /// A value that has no text.
    #[error("`{value}` cannot be emitted: {reason}")]
    Refused {
        /// The value.
        value: String,
        /// The op, where it comes from, and what is against it.
        reason: String,
    },
    /// No value has a text.
    #[error("no value of stage `{stage}` can be emitted; name one with --value to see why")]
    Nothing {
        /// The stage.
        stage: String,
    },
}

/// A value with its graph.
struct Named {
    name: String,
    graph: Graph,
    /// Names of its inputs, in the order of the file.
    inputs: Vec<String>,
    parameters: Vec<Parameter>,
}

/// Writes values of a model as a Rust module.
///
/// # Errors
/// A stage or a value that the file does not have; a named value that has no text, with the op and where it comes from; no
/// value at all.
pub fn emit(model: &Model, wanted: &Wanted) -> Result<Emitted, EmitError> {
    let stage = stage(model, wanted.stage.as_deref())?;
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for name in if wanted.values.is_empty() { offered(stage) } else { wanted.values.clone() } {
        match value(model, stage, &name) {
            Ok(value) => found.push(value),
            Err(EmitError::Refused { value, reason }) if wanted.values.is_empty() => {
                left_out.push((value, reason))
            }
            Err(error) => return Err(error),
        }
    }
    if found.is_empty() {
        return Err(EmitError::Nothing { stage: stage.name.clone() });
    }
    let text = file::text(model, stage, &found, &left_out);
    Ok(Emitted { text, values: found.into_iter().map(|value| value.name).collect(), left_out })
}

fn stage<'m>(model: &'m Model, name: Option<&str>) -> Result<&'m Stage, EmitError> {
    let found = match name {
        Some(name) => model.stages.iter().find(|stage| stage.name == name),
        None => model.stages.first(),
    };
    let known: Vec<String> = model.stages.iter().map(|stage| stage.name.clone()).collect();
    let stage = name.unwrap_or_default();
    let near = nearest(stage, known.iter().map(String::as_str)).map(str::to_string);
    found.ok_or_else(|| EmitError::Stage { stage: stage.to_string(), near, known })
}

/// What a stage's text names: results of modules, other values, losses.
fn offered(stage: &Stage) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for mark in &stage.outline.marks {
        let name = match mark.kind {
            MarkKind::Module => mark.result.clone(),
            MarkKind::Value | MarkKind::Loss => Some(mark.name.clone()),
            _ => None,
        };
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}

fn value(model: &Model, stage: &Stage, name: &str) -> Result<Named, EmitError> {
    let Values { graph, mut inputs, parameters, .. } = model.values(&stage.name, &[name])?;
    let order = model.inputs();
    inputs.sort_by_key(|input| order.iter().position(|known| *known == input.name));
    let graph = prepare::embedding(name, &graph)?;
    let refused = |reason: String| EmitError::Refused { value: name.to_string(), reason };
    for value in graph.values() {
        let node = graph.node(value);
        let misread = matches!(&node.op, Op::Input(input) if input.shape.kind == Kind::Condition);
        let misread = misread.then(|| "conditions are no input of emitted Rust".to_string());
        if let Some(why) = expr::refused(node).or(misread) {
            let place = if node.origin.path.is_empty() { name } else { &node.origin.path };
            return Err(refused(format!("`{}` at `{place}`: {why}", node.op.name())));
        }
    }
    let output = graph.output(name).ok_or_else(|| refused("it is no tensor".to_string()))?;
    if graph.shape(output).kind != Kind::Float {
        return Err(refused(format!("it is {}, no tensor of real numbers", graph.shape(output))));
    }
    let read = prepare::inputs(&graph);
    let named = inputs.into_iter().flat_map(|input| std::iter::once(input.name).chain(input.lengths));
    let inputs = named.filter(|name| read.contains(name)).collect();
    let reads = |parameter: &Parameter| {
        graph.values().any(|v| matches!(&graph.node(v).op, Op::Parameter(p) if p.path == parameter.path))
    };
    let parameters = parameters.into_iter().filter(reads).collect();
    Ok(Named { name: name.to_string(), graph: (*graph).clone(), inputs, parameters })
}
