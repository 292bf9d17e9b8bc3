//! The tree: a file as its author wrote it, with a span on everything.
//!
//! The parser makes it, the printer writes it back, lowering gives it meaning. It keeps the author's order and spelling and
//! decides nothing: `a -> f(b)` stays a pipe, `[e for i < 6]` stays a comprehension.

use crate::span::Span;

/// A name with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Definitions in order.
    pub items: Vec<Item>,
}

/// One definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it defines.
    pub kind: ItemKind,
    /// From its first to its last token.
    pub span: Span,
}

/// The kinds of definition, one for each line of `item` in the grammar.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `extend "file.chi"`
    Extend(Name),
    /// `use "file.chi"`
    Use(Name),
    /// `modality audio`
    Modality(Name),
    /// `set size = 224`
    Set(Field),
    /// `input image : image[B, 3, size, size]`
    Input {
        /// Its name.
        name: Name,
        /// Its type.
        ty: Type,
    },
    /// `vision = ViT(768, 12, 12)`
    Define(Field),
    /// `vision with { norm = Identity() }`
    Edit {
        /// The inherited module.
        name: Name,
        /// The replaced parts.
        block: Vec<Field>,
    },
    /// `state q : type = start then next`
    State {
        /// Its name.
        name: Name,
        /// Its type.
        ty: Type,
        /// What it is before the first step.
        start: Expr,
        /// What it becomes after each step.
        then: Option<Expr>,
    },
    /// `loss itc = …`
    Loss(Field),
    /// `fn f(x) = …`
    Fn(Function),
    /// `module Linear(out) { … }` or `module A(…) = …`
    Module(Module),
    /// `weights name from "…" { … }`
    Weights(Weights),
    /// `data name = …`
    Data(Field),
    /// `stage name { … }`
    Stage(Stage),
    /// `task name on stage { … }`
    Task(Task),
}

/// `name = expr`
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Left of the `=`.
    pub name: Name,
    /// Right of it.
    pub value: Expr,
}

/// `fn [name] params [-> type] body`
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Missing for the function that makes a module applicable.
    pub name: Option<Name>,
    /// In order.
    pub params: Vec<Param>,
    /// The promised type.
    pub result: Option<Type>,
    /// Local definitions, in any order.
    pub locals: Vec<Field>,
    /// What it returns.
    pub value: Expr,
    /// From `fn` to the end.
    pub span: Span,
}

/// `name [: type] [= default]`
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// What it accepts.
    pub ty: Option<Type>,
    /// What it is when not given.
    pub default: Option<Expr>,
}

/// `module NAME params …`
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// A capital name.
    pub name: Name,
    /// Static parameters.
    pub params: Vec<Param>,
    /// Its parts, or the module it derives from.
    pub body: ModuleBody,
}

/// The two ways to write a module.
#[derive(Clone, Debug, PartialEq)]
pub enum ModuleBody {
    /// `{ part … }`
    Parts(Vec<Part>),
    /// `= Other(…) with { … }`
    Derived(Expr),
}

/// A part of a module.
#[expect(clippy::large_enum_variant, reason = "parts are few, and a box would be in the way of every match")]
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// `q = Linear(D)`
    Field(Field),
    /// `fn (x) = …` or `fn point(x) = …`
    Fn(Function),
    /// `require D % heads == 0`
    Require(Expr),
}

/// `weights …`
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Small for a map of the file, capital for the map of a library module.
    pub name: Name,
    /// `from "checkpoint"`, `from stage`, `with`, or nothing (capital maps).
    pub source: WeightsSource,
    /// The rules in order.
    pub rules: Vec<Rule>,
}

/// Where a weight map reads from.
#[derive(Clone, Debug, PartialEq)]
pub enum WeightsSource {
    /// The map of a library module.
    Module,
    /// `from "facebook/deit-base-patch16-224"`
    Checkpoint(Name),
    /// `from pretrain`
    Stage(Name),
    /// `weights name with { … }` edits an inherited map.
    Edit,
}

/// `path = source [via Map]`
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// A path of the model: names, parts, indices.
    pub path: Expr,
    /// A name in the checkpoint and what is done to it.
    pub value: Expr,
    /// The map that takes over below the path.
    pub via: Option<Name>,
}

/// How a stage or task is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// `stage name { … }`, `task name on stage { … }`
    New,
    /// `stage name with { … }`: edits an inherited one.
    Edit,
    /// `stage name = other with { … }`
    Derived(Name),
}

/// `stage …`
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// New, edited or derived.
    pub form: Form,
    /// In order.
    pub fields: Vec<StageField>,
}

/// `task …`
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its name.
    pub name: Name,
    /// The stage whose parameters and `set`s it uses (new tasks only).
    pub on: Option<Name>,
    /// New, edited or derived.
    pub form: Form,
    /// In order.
    pub fields: Vec<StageField>,
}

/// A field of a stage or task.
#[derive(Clone, Debug, PartialEq)]
pub enum StageField {
    /// `batch = 64`
    Field(Field),
    /// `set size = 384`
    Set(Field),
    /// `rate vision.blocks = 0.1`
    Rate {
        /// A path of the model.
        path: Expr,
        /// The factor, or `none`.
        value: Expr,
    },
}

/// A tensor type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// `causal […]`
    pub causal: bool,
    /// The modality.
    pub label: Option<Name>,
    /// `None` where only the modality is asked for.
    pub axes: Option<Vec<Axis>>,
    /// `of K`: ids below K, or ids of a vocabulary.
    pub of: Option<Expr>,
    /// All of it.
    pub span: Span,
}

/// One axis of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum Axis {
    /// `..`
    Rest(Span),
    /// `[~] size`
    Size {
        /// `~`: each row uses a prefix.
        padded: bool,
        /// A capital, a number or arithmetic.
        size: Expr,
    },
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// From its first to its last token.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `224`, `0.07`, `65_536`
    Number {
        /// Its value.
        value: f64,
        /// Written without fraction and exponent.
        whole: bool,
    },
    /// `"coco/train"`
    Text(String),
    /// `vision`, `B`
    Name(String),
    /// `(e)`; kept so that a file prints as it was written.
    Group(Box<Expr>),
    /// `if c then a else b`
    If {
        /// Static condition.
        test: Box<Expr>,
        /// When it holds.
        yes: Box<Expr>,
        /// When it does not.
        no: Box<Expr>,
    },
    /// `x -> path(args)`
    Pipe {
        /// The piped value.
        from: Box<Expr>,
        /// The step; its span is that of the path and the arguments.
        step: Box<Step>,
    },
    /// `not c`, `-x`
    Unary {
        /// Which.
        op: UnaryOp,
        /// Of what.
        value: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// Which.
        op: BinaryOp,
        /// Place of the operator.
        op_span: Span,
        /// Left side.
        left: Box<Expr>,
        /// Right side.
        right: Box<Expr>,
    },
    /// `f(a, b: c)`
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// With what.
        args: Vec<Arg>,
    },
    /// `x[:, 0]`
    Index {
        /// What is indexed.
        value: Box<Expr>,
        /// One for each axis mentioned.
        indices: Vec<Index>,
    },
    /// `x.part`
    Part {
        /// The owner.
        value: Box<Expr>,
        /// The part's name.
        name: Name,
    },
    /// `x'`
    Transpose(Box<Expr>),
    /// `x as image`
    As {
        /// The value.
        value: Box<Expr>,
        /// The modality.
        label: Name,
    },
    /// `x with { a = b }`
    With {
        /// What is changed.
        value: Box<Expr>,
        /// The replacements.
        block: Vec<Field>,
    },
    /// `[a, b, name: c]`
    List(Vec<Arg>),
    /// `[e for i < n]` and `[e for l in xs]`
    Comprehension {
        /// Evaluated for each.
        body: Box<Expr>,
        /// The variable.
        name: Name,
        /// What it runs over.
        over: Box<Over>,
    },
    /// `route x { image: e  fused if c: e }`
    Route {
        /// The value whose modality decides.
        value: Name,
        /// In order.
        arms: Vec<Arm>,
    },
    /// Stands where an expression could not be read; an error has been reported.
    Error,
}

/// What a comprehension runs over.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// `for i < n`
    Below(Expr),
    /// `for l in xs`
    Elements(Expr),
}

/// An arm of `route`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// The modality.
    pub label: Name,
    /// `if c`
    pub test: Option<Expr>,
    /// The value.
    pub value: Expr,
}

/// `path [args]` after `->`
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Names, parts and indices.
    pub path: Expr,
    /// `None` without parentheses.
    pub args: Option<Vec<Arg>>,
    /// Path and arguments.
    pub span: Span,
}

/// `[name:] expr [.. expr]`
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// Given by name.
    pub name: Option<Name>,
    /// The value, or the lower end of a range.
    pub value: Expr,
    /// The upper end of a range.
    pub upper: Option<Expr>,
}

impl Arg {
    /// From the name to the end of the value.
    pub fn span(&self) -> Span {
        let start = self.name.as_ref().map_or(self.value.span, |n| n.span);
        start.to(self.upper.as_ref().map_or(self.value.span, |u| u.span))
    }
}

/// One index.
#[derive(Clone, Debug, PartialEq)]
pub enum Index {
    /// `:`
    All(Span),
    /// `a..b`
    Range {
        /// First place.
        low: Option<Expr>,
        /// One past the last.
        high: Option<Expr>,
        /// All of it.
        span: Span,
    },
    /// `-1`
    At(Expr),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `@`
    Matmul,
    /// `^`
    Power,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `and`
    And,
    /// `or`
    Or,
}
