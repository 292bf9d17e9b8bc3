//! What an expression of the language can mean: tensors, numbers, modules, functions and words.

use super::instance::{Instance, Owners};
use super::model::Vocabulary;
use super::scope::Env;
use super::types::{Label, Type};
use crate::op::Value;
use crate::recipe::{Duration, Init, Optimiser, Resize, Schedule, Spared};
use crate::shape::Size;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{self, Expr};
use std::rc::Rc;
use std::sync::Arc;

/// A node of the graph with its type.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// The node.
    pub node: Value,
    /// Its type.
    pub ty: Rc<Type>,
}

/// A trainable tensor that a file or module owns, or a state of a module; it becomes a node where it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its path.
    pub path: String,
    /// Its sizes.
    pub dims: Vec<usize>,
    /// Initial values.
    pub init: Init,
    /// Range it is kept in.
    pub clamp: Option<(f64, f64)>,
    /// What to do when a checkpoint has another shape.
    pub resize: Option<Resize>,
    /// The modules that own it, innermost first: path and constructor.
    pub owners: Owners,
    /// Whether it is a state: no gradient moves it.
    pub state: bool,
}

/// A relation between queries and keys (4.11).
#[derive(Clone, Debug)]
pub enum Mask {
    /// No later key.
    Causal,
    /// Queries of one modality see keys of another.
    Sees(Label, Label),
    /// The first keys of each row are open: whole numbers `[B]`.
    Prefix(Tensor),
    /// What the other one hides.
    Not(Rc<Mask>),
    /// What both let see.
    Both(Rc<Mask>, Rc<Mask>),
    /// What one of them lets see.
    Either(Rc<Mask>, Rc<Mask>),
}

/// A function with the surroundings it was written in.
#[derive(Clone, Debug)]
pub struct Closure<'p> {
    /// The function.
    pub function: &'p tree::Function,
    /// Its surroundings.
    pub env: Env<'p>,
    /// How messages call it.
    pub name: Arc<str>,
}

/// The constructor of a module.
#[derive(Clone, Debug)]
pub struct Constructor<'p> {
    /// The module.
    pub module: &'p tree::Module,
    /// The names it sees.
    pub env: Env<'p>,
}

/// The meaning of an expression. It is passed on all the time, so what is large lies in a box.
#[derive(Clone, Debug)]
pub enum Object<'p> {
    /// `none`
    None,
    /// A truth value.
    Truth(bool),
    /// A whole number or a size.
    Whole(Size),
    /// A fraction.
    Real(f64),
    /// A text.
    Text(String),
    /// A node.
    Tensor(Tensor),
    /// A trainable tensor.
    Param(Rc<Param>),
    /// A module.
    Module(Rc<Instance<'p>>),
    /// A module seen through a slow copy.
    Twin(Box<Object<'p>>, Arc<str>),
    /// A list.
    List(Vec<Object<'p>>),
    /// A function of the language.
    Function(Rc<Closure<'p>>),
    /// A module's constructor.
    Constructor(Rc<Constructor<'p>>),
    /// A primitive.
    Primitive(&'static str),
    /// A vocabulary.
    Vocabulary(Rc<Vocabulary>),
    /// `V.id`, waiting for its token.
    TokenId(Rc<Vocabulary>),
    /// A slow copy of the model or of a module.
    Momentum(Arc<str>, Option<Box<Object<'p>>>),
    /// A relation between queries and keys.
    Mask(Rc<Mask>),
    /// A number that changes with time.
    Schedule(Box<Schedule>),
    /// A length of time.
    Duration(Duration),
    /// Initial values.
    Init(Init),
    /// A resize rule.
    Resize(Resize),
    /// An optimiser.
    Optimiser(Box<Optimiser>),
    /// Something a stage spares or freezes, by path.
    Spared(Box<Spared>),
    /// A word with a meaning where it is used: `half`, `rows`, `model`, `int`.
    Word(String),
}

/// An argument: its value, where it stands, and whether it was given by a range.
#[derive(Clone, Debug)]
pub struct Given<'p> {
    /// The name it was given by.
    pub name: Option<&'p str>,
    /// Place of the name, for messages.
    pub name_span: Option<Span>,
    /// The value.
    pub value: Object<'p>,
    /// The upper end of a range.
    pub upper: Option<Object<'p>>,
    /// Where messages about it point.
    pub span: Span,
}

/// An expression with its surroundings, evaluated when it is needed.
#[derive(Clone, Debug)]
pub struct Thunk<'p> {
    /// The expression.
    pub expr: &'p Expr,
    /// Its surroundings.
    pub env: Env<'p>,
}

impl Object<'_> {
    /// A whole number.
    pub fn whole(number: i64) -> Self {
        Self::Whole(Size::from(number))
    }

    /// What messages call it.
    pub fn describe(&self) -> String {
        match self {
            Self::None => "none".into(),
            Self::Truth(value) => value.to_string(),
            Self::Whole(size) => size.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => format!("\"{text}\""),
            Self::Tensor(tensor) => tensor.ty.to_string(),
            Self::Param(param) => {
                format!("{:?}", param.dims)
            }
            Self::Module(instance) => format!("a module {}", instance.constructor),
            Self::Twin(inner, _) => inner.describe(),
            Self::List(_) => "a list".into(),
            Self::Function(_) => "a function".into(),
            Self::Constructor(c) => format!("the constructor {}", c.module.name.text),
            Self::Primitive(name) => format!("the primitive {name}"),
            Self::Vocabulary(v) => format!("the vocabulary {}", v.name),
            Self::TokenId(_) => "a vocabulary's id(…)".into(),
            Self::Momentum(..) => "a slow copy".into(),
            Self::Mask(_) => "a mask".into(),
            Self::Schedule(_) => "a schedule".into(),
            Self::Duration(_) => "a length of time".into(),
            Self::Init(_) => "an initial value".into(),
            Self::Resize(_) => "a resize rule".into(),
            Self::Optimiser(_) => "an optimiser".into(),
            Self::Spared(_) => "a path".into(),
            Self::Word(word) => format!("the word `{word}`"),
        }
    }
}
