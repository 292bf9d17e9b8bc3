//! The op table: what every operation of the graph means.
//!
//! One op is one file: a struct of attributes and one [`Rule`] impl. The macro at the end makes the closed enum [`Op`] of
//! these open structs. Ops are semantic (attention, layer norm, cross entropy), so kernels stay few.
//!
//! | method | meaning |
//! |---|---|
//! | `infer` | the shape of the result, or which constraint (C1, C2, ...) fails |
//! | `grad` | more graph: one gradient an operand |
//! | `eval` | the meaning, in `f64`, as plainly as possible |
//! | `expand` | the same with smaller ops |
//! | `facts` | class, cost, tolerance |
//! | `samples` | operands to try it on: three tests cover every op for ever |
//!
//! Legend: B batch rows, N and M tokens, T words, D width, H heads, K width of a head.

use crate::random::Stream;
use crate::recipe::Timeline;
use crate::shape::{Batch, Kind, Shape};
use serde::{Deserialize, Serialize};

mod array;
mod leaf;
mod pointwise;
pub use array::Array;
pub use attend::Drop;
pub use block_mask::{Pick, blocks};
pub use compare::Relation;
pub use offsets::Stretch;
pub use pick_words::Places;
pub use unfold::Window;

/// A node of the graph that is being read or built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Value(pub u32);

/// Why operands do not fit an op.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{constraint}: {message}")]
pub struct Misfit {
    /// The numbered constraint of the op's head comment.
    pub constraint: &'static str,
    /// Expected and found.
    pub message: String,
}

impl Misfit {
    /// The constraint that fails, and how.
    pub fn new(constraint: &'static str, message: impl Into<String>) -> Self {
        Self { constraint, message: message.into() }
    }
}

/// Where ops put new nodes. The graph builder implements it; a misfit in a gradient or expansion is a bug of the op, so
/// `add` records it and the verifier reports it.
pub trait Build {
    /// Adds a node.
    fn add(&mut self, op: Op, operands: &[Value]) -> Value;
    /// The shape of a node.
    fn shape(&self, value: Value) -> Shape;
}

/// What `grad` is given.
pub struct Backward<'a> {
    /// Where the gradient goes.
    pub build: &'a mut dyn Build,
    /// The operands of the node.
    pub operands: &'a [Value],
    /// The node itself.
    pub result: Value,
    /// The gradient of its result.
    pub dy: Value,
    /// Which operands want a gradient.
    pub wanted: &'a [bool],
}

/// What evaluation may know besides its operands.
#[derive(Clone, Debug)]
pub struct Context {
    /// Seed of the run.
    pub seed: u64,
    /// Name of the stage or task.
    pub stage: String,
    /// The step, from 0.
    pub step: u64,
    /// Length of the stage and of an epoch.
    pub time: Timeline,
    /// Where in the batch the rows of this run begin; above 0 in the later pieces of an accumulated batch.
    pub first_row: u32,
}

impl Context {
    /// The draws of a path at this step.
    pub fn stream(&self, draw: &Draw) -> Stream {
        let first_row = if draw.rows { self.first_row } else { 0 };
        Stream::new(self.seed, &self.stage, &draw.path).at_step(self.step).at_row(first_row)
    }
}

/// The address of a random node: its path, and whether its first axis counts rows of the batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Draw {
    /// The definition, the calls below it, the place in the text.
    pub path: String,
    /// Whether the first axis is the batch; otherwise everything is drawn in row 0.
    pub rows: bool,
}

impl Draw {
    /// Row and element of a flat index into a tensor of these dims.
    pub fn address(&self, dims: &[usize], index: usize) -> (u32, u32) {
        if !self.rows {
            return (0, index as u32);
        }
        let width = dims.iter().skip(1).product::<usize>().max(1);
        ((index / width) as u32, (index % width) as u32)
    }
}

/// How an op relates its elements; fusion and planning read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// No operands: inputs, parameters, constants.
    Leaf,
    /// Each result element from the operand elements at its place.
    Pointwise,
    /// Fewer elements than the operands.
    Reduction,
    /// Sums of products.
    Contraction,
    /// The operand's memory, seen otherwise.
    View,
    /// Elements moved, not changed.
    Copy,
    /// Each row from its own row: softmax, norms.
    Rowwise,
    /// Draws.
    Random,
}

/// What passes and tests need to know of an op on given operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// How elements relate.
    pub class: Class,
    /// Floating-point operations (after binding).
    pub flops: u64,
    /// Relative error another executor may have.
    pub tolerance: f64,
}

impl Facts {
    /// `count` operations, the usual tolerance.
    pub fn new(class: Class, flops: usize) -> Self {
        Self { class, flops: flops as u64, tolerance: 1e-5 }
    }
}

/// One set of operands to try an op on.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The op with attributes.
    pub op: Op,
    /// Its operands.
    pub operands: Vec<(Kind, Array)>,
}

impl Sample {
    /// An op on operands of these kinds.
    pub fn new(op: impl Into<Op>, operands: impl IntoIterator<Item = (Kind, Array)>) -> Self {
        Self { op: op.into(), operands: operands.into_iter().collect() }
    }
}

/// What one op is.
pub trait Rule {
    /// The shape of the result.
    ///
    /// # Errors
    /// The constraint that the operands break.
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit>;

    /// One gradient an operand; `None` where there is none or it is not wanted.
    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        vec![None; at.operands.len()]
    }

    /// The meaning. Operands fit, sizes are bound.
    fn eval(&self, operands: &[&Array], context: &Context) -> Array;

    /// The same with smaller ops; `None` for those that every executor must have.
    fn expand(&self, _build: &mut dyn Build, _operands: &[Value]) -> Option<Value> {
        None
    }

    /// Class, cost, tolerance; shapes are bound.
    fn facts(&self, operands: &[&Shape], result: &Shape) -> Facts;

    /// Operands to try it on, several shapes, the odd ones too; `seed` varies the numbers.
    fn samples(seed: u64) -> Vec<Sample>
    where
        Self: Sized;

    /// The op with batch symbols in its attributes replaced.
    #[must_use]
    fn bind(&self, _batch: &Batch) -> Self
    where
        Self: Sized + Clone,
    {
        self.clone()
    }
}

macro_rules! ops {
    ($($file:ident :: $name:ident),* $(,)?) => {
        $(mod $file; pub use $file::$name;)*

        /// Every operation of the graph.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Op { $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)* }

        $(impl From<$name> for Op { fn from(op: $name) -> Self { Op::$name(op) } })*

        impl Op {
            /// The op's name as files and kernels are called.
            pub fn name(&self) -> &'static str { match self { $(Op::$name(_) => stringify!($file),)* } }
            /// See [`Rule::infer`].
            ///
            /// # Errors
            /// The constraint that the operands break.
            pub fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> { match self { $(Op::$name(op) => op.infer(operands),)* } }
            /// See [`Rule::grad`].
            pub fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> { match self { $(Op::$name(op) => op.grad(at),)* } }
            /// See [`Rule::eval`].
            pub fn eval(&self, operands: &[&Array], context: &Context) -> Array { match self { $(Op::$name(op) => op.eval(operands, context),)* } }
            /// See [`Rule::expand`].
            pub fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> { match self { $(Op::$name(op) => op.expand(build, operands),)* } }
            /// See [`Rule::facts`].
            pub fn facts(&self, operands: &[&Shape], result: &Shape) -> Facts { match self { $(Op::$name(op) => op.facts(operands, result),)* } }
            /// See [`Rule::bind`].
            #[must_use]
            pub fn bind(&self, batch: &Batch) -> Op { match self { $(Op::$name(op) => Op::$name(Rule::bind(op, batch)),)* } }
            /// The samples of every op, by name.
            pub fn all_samples(seed: u64) -> Vec<(&'static str, Vec<Sample>)> { vec![$((stringify!($file), <$name as Rule>::samples(seed)),)*] }
        }
    };
}

ops! {
    // leaves
    input::Input, parameter::Parameter, twin::Twin, state::State, clock::Clock, fill::Fill, range::Range, eye::Eye,
    bicubic::Bicubic, offsets::Offsets,
    // draws
    uniform::Uniform, random_ids::RandomIds, sample::SampleIds, dropout::Dropout,
    shuffle::Shuffle, block_mask::BlockMask, pick_words::PickWords,
    // pointwise
    add::Add, subtract::Subtract, multiply::Multiply, divide::Divide, compare::Compare, and::And, or::Or, not::Not,
    choose::Choose, negate::Negate, exp::Exp, log::Log, sqrt::Sqrt, tanh::Tanh, sigmoid::Sigmoid, relu::Relu, gelu::Gelu,
    gelu_slope::GeluSlope, to_float::ToFloat, rescale::Rescale, stop::Stop,
    // contractions
    matmul::Matmul, linear::Linear, conv2d::Conv2d, depthwise::Depthwise, depthwise_grad::DepthwiseGrad,
    depthwise_weight_grad::DepthwiseWeightGrad,
    // places
    reshape::Reshape, permute::Permute, slice::Slice, pad::Pad, concat::Concat, broadcast::Broadcast, take::Take,
    sum_by::SumBy, before::Before, last::Last, put_last::PutLast, put::Put, unfold::Unfold, fold::Fold,
    // reductions
    sum::Sum, sum_leading::SumLeading, max::Max, argmax::Argmax,
    // rows
    softmax::Softmax, softmax_grad::SoftmaxGrad, log_softmax::LogSoftmax, normalize::Normalize,
    normalize_grad::NormalizeGrad, standardize::Standardize, layer_norm::LayerNorm, layer_norm_grad::LayerNormGrad,
    layer_norm_scale_grad::LayerNormScaleGrad,
    // attention and losses
    attend::Attend, attend_grad::AttendGrad, cross_entropy::CrossEntropy, cross_entropy_grad::CrossEntropyGrad,
    binary_cross_entropy::BinaryCrossEntropy, transport::Transport,
}
