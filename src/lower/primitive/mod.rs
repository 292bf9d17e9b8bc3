//! The primitives: what cannot be written in the language itself (5, 6).
//!
//! One file a group; [`Lower::primitive`] finds the right one. Words are names that mean something only where a primitive
//! or a stage asks for them (`half`, `rows`, `grid`).

use super::eval::Naming;
use super::object::{Given, Object, Tensor};
use super::state::{Eval, Lower};
use crate::recipe::{Init, Resize, Spared};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

mod attention;
mod chance;
mod image;
mod kmeans;
mod loss;
mod mask;
mod own;
mod pointwise;
mod rearrange;
mod reduce;
mod rows;
mod running;
mod sequence;
mod time;

pub use running::{Move, Still};

/// Names that cannot be redefined.
pub const NAMES: &[&str] = &[
    "Param",
    "State",
    "running",
    "momentum",
    "stop",
    "take",
    "sum_by",
    "concat",
    "join",
    "repeat",
    "rearrange",
    "choose",
    "range",
    "fill",
    "eye",
    "last",
    "hide",
    "before",
    "put",
    "exp",
    "log",
    "sqrt",
    "tanh",
    "sigmoid",
    "relu",
    "gelu",
    "sum",
    "mean",
    "max",
    "min",
    "softmax",
    "normalize",
    "standardize",
    "argmax",
    "attend",
    "sees",
    "prefix",
    "offsets",
    "cross_entropy",
    "bce",
    "dropout",
    "uniform",
    "randint",
    "shuffle",
    "sample",
    "block_mask",
    "pick_words",
    "pick_exactly",
    "cut_point",
    "rescale",
    "resize",
    "conv2d",
    "max_pool",
    "transport",
    "kmeans",
];

/// A primitive by its name.
pub fn named(name: &str) -> Option<&'static str> {
    static KNOWN: LazyLock<FxHashSet<&str>> = LazyLock::new(|| NAMES.iter().copied().collect());
    KNOWN.get(name).copied()
}

/// Names that mean something only where they are asked for.
pub const WORDS: &[&str] = &[
    "zeros",
    "ones",
    "model",
    "int",
    "half",
    "clip",
    "imagenet",
    "rows",
    "grid",
    "crop",
    "offset_grid",
    "sphere",
    "fan_in",
    "all",
    "vectors",
    "scalars",
    "normal",
    "trunc",
    "constant",
    "ramp",
    "linear",
    "cosine",
    "decay",
    "steps",
    "epochs",
    "adamw",
    "lamb",
    "adafactor",
    "sgd",
    "WordPiece",
    "Bpe",
    "SentencePiece",
    "recall",
    "accuracy",
    "cider",
    "bleu",
    "exact",
    "vqa_score",
    "average",
    "f32",
    "bf16",
    "pairs",
    "captioned",
    "images",
    "texts",
    "labelled",
    "vqa",
    "nlvr",
    "entail",
    "other",
    "recaption",
    "keep",
    "flip",
    "randaug",
    "jitter",
    "center",
    "fit",
    "retrieval",
    "zero_shot",
    "classify",
    "generate",
    "rank",
    "measure",
];

/// The meaning of a word by itself.
///
/// # Errors
/// None; the result is an [`Eval`] so that it can stand beside other look-ups.
pub fn word<'p>(word: &str) -> Eval<Object<'p>> {
    Ok(match word {
        "zeros" => Object::Init(Init::Fill(0.0)),
        "ones" => Object::Init(Init::Fill(1.0)),
        "sphere" => Object::Init(Init::Sphere),
        "fan_in" => Object::Init(Init::FanIn),
        "grid" => Object::Resize(Resize::Grid),
        "vectors" => Object::Spared(Spared::Vectors.into()),
        "scalars" => Object::Spared(Spared::Scalars.into()),
        _ => Object::Word(word.to_string()),
    })
}

/// Arguments in the places of named parameters.
pub struct Args<'p> {
    slots: Vec<Option<Given<'p>>>,
    names: &'static [&'static str],
    callee: &'static str,
    /// The call.
    pub span: Span,
}

impl<'p> Args<'p> {
    /// An argument that may be missing; `none` counts as missing.
    pub fn optional(&mut self, name: &str) -> Option<Given<'p>> {
        let index = self.names.iter().position(|n| *n == name)?;
        self.slots[index].take().filter(|g| !matches!(g.value, Object::None))
    }
}

impl<'p> Lower<'p> {
    /// Places the arguments of a primitive.
    fn args(
        &mut self,
        callee: &'static str,
        names: &'static [&'static str],
        given: Vec<Given<'p>>,
        span: Span,
    ) -> Eval<Args<'p>> {
        let slots = self.place(names, given, callee)?;
        Ok(Args { slots, names, callee, span })
    }

    /// An argument that must be there.
    fn need(&mut self, args: &mut Args<'p>, name: &str) -> Eval<Given<'p>> {
        if let Some(given) = args.optional(name) {
            return Ok(given);
        }
        let message = format!("`{}` needs `{name}`", args.callee);
        let note = format!("its arguments: {}", args.names.join(", "));
        self.report(Diagnostic::error(Code::E0211, args.span, message).note(note))
    }

    fn need_tensor(&mut self, args: &mut Args<'p>, name: &str) -> Eval<(Tensor, Span)> {
        let given = self.need(args, name)?;
        Ok((self.tensor(given.value, given.span)?, given.span))
    }

    fn optional_tensor(&mut self, args: &mut Args<'p>, name: &str) -> Eval<Option<(Tensor, Span)>> {
        match args.optional(name) {
            None => Ok(None),
            Some(given) => Ok(Some((self.tensor(given.value, given.span)?, given.span))),
        }
    }

    fn optional_number(&mut self, args: &mut Args<'p>, name: &str, missing: f64) -> Eval<f64> {
        match args.optional(name) {
            None => Ok(missing),
            Some(given) => self.number(&given.value, given.span),
        }
    }

    /// A list of sizes: the shape argument of `Param`, `fill`, `uniform`.
    fn need_sizes(&mut self, args: &mut Args<'p>, name: &str) -> Eval<(Vec<crate::shape::Size>, Span)> {
        let given = self.need(args, name)?;
        let Object::List(items) = given.value else {
            let message = format!("a shape is a list of sizes, this is {}", given.value.describe());
            return self.fail(Code::E0314, given.span, message);
        };
        let sizes: Eval<Vec<_>> = items.iter().map(|item| self.size(item, given.span)).collect();
        Ok((sizes?, given.span))
    }

    /// Calls a primitive.
    pub fn primitive(
        &mut self,
        name: &'static str,
        given: Vec<Given<'p>>,
        span: Span,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        let tensor = match name {
            "Param" => return self.param(given, span, naming),
            "State" => return self.owned_state(given, span, naming),
            "running" => self.running(given, span),
            "momentum" => return self.momentum(given, span, naming),
            "prefix" => return self.prefix(given, span),
            "exp" | "log" | "sqrt" | "max" | "min" | "sum" | "mean" => {
                return self.maybe_static(name, given, span);
            }
            "tanh" | "sigmoid" | "relu" | "gelu" | "stop" => self.pointwise(name, given, span),
            "take" => self.take(given, span),
            "concat" => self.concat(given, span),
            "join" => self.join(given, span),
            "repeat" => self.repeat(given, span),
            "rearrange" => self.rearrange(given, span),
            "choose" => self.choose(given, span),
            "range" => self.range(given, span),
            "fill" => self.filled(given, span),
            "eye" => self.eye(given, span),
            "last" => self.last(given, span),
            "before" => self.before(given, span),
            "hide" => self.hide(given, span),
            "put" => self.put(given, span),
            "cut_point" => self.cut_point(given, span),
            "pick_exactly" => self.pick_exactly(given, span),
            "pick_words" => self.pick_words(given, span),
            "sum_by" => self.sum_by(given, span),
            "softmax" | "normalize" | "standardize" | "argmax" => self.rowwise(name, given, span),
            "attend" => self.attend(given, span),
            "offsets" => self.offsets(given, span),
            "cross_entropy" => self.cross_entropy(given, span),
            "bce" => self.bce(given, span),
            "transport" => self.transport(given, span),
            "kmeans" => self.kmeans(given, span),
            "dropout" => return self.dropout(given, span),
            "uniform" => self.uniform(given, span),
            "randint" => self.randint(given, span),
            "shuffle" => self.shuffle(given, span),
            "sample" => self.sample(given, span),
            "block_mask" => self.block_mask(given, span),
            "rescale" => self.rescale(given, span),
            "resize" => self.resize(given, span),
            "conv2d" => self.conv2d(given, span),
            "max_pool" => self.max_pool(given, span),
            _ => self.fail(Code::E0314, span, format!("`{name}` cannot be called like this")),
        };
        tensor.map(Object::Tensor)
    }
}
