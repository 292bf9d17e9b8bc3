//! The outline of a stage: its marks and what reads what, as tables and drawings show them.
//!
//! Invariant: `from` and `to` of every read are places in `marks`.
//!
//! Example: of `feat = image -> vision -> cls`, the marks are `image`, `vision` and `feat`, and `vision` reads `image`.

/// What a stage is made of, in the words of its author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Inputs, applied modules, values, states, slow copies, losses.
    pub marks: Vec<Mark>,
    /// What reads what.
    pub reads: Vec<Read>,
}

/// One thing of an outline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// What it is.
    pub kind: MarkKind,
    /// Its name; of a module, as it is applied: `blocks[..9]`.
    pub name: String,
    /// The constructor of a module, the function that makes a value.
    pub what: String,
    /// Its type; of a module, the type of the result.
    pub ty: String,
    /// Its modality.
    pub modality: Option<String>,
    /// The definition that a module's result is.
    pub result: Option<String>,
    /// The definition of a module.
    pub module: Option<String>,
}

/// The kinds of things in an outline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarkKind {
    /// An input.
    Input,
    /// A module, applied.
    Module,
    /// A value that no module makes.
    #[default]
    Value,
    /// A state.
    State,
    /// A value as a slow copy computes it.
    Twin,
    /// A loss of this stage.
    Loss,
}

/// One thing reads another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// What is read.
    pub from: usize,
    /// By what.
    pub to: usize,
    /// How.
    pub how: Pass,
}

/// How something is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass {
    /// In the same pass.
    Flow,
    /// In a second pass, in the place of another value (`x with { a = b }`).
    Instead,
    /// To be kept for the next step.
    Next,
}
