//! What lowering knows of places in the text, as plain data for editors.
//!
//! Lowering fills it only where somebody asks (`analysis.rs`): the meaning of each expression, the definition behind each
//! mention, the parts of each module. Invariant: every span lies in the `Sources` of the same analysis. What is evaluated
//! many times has the meaning of its first time: in the first stage that reaches it, outside of every `with` if it is used
//! there at all.
//!
//! ```
//! use chiasm::lower::analysis::{Texts, analyse};
//! let mut texts = Texts::default();
//! let path = std::path::Path::new("mine.chi");
//! texts.insert(path, "set n = 3\nx = fill([n, 2], 0.5)\n");
//! let analysis = analyse(path, texts)?;
//! assert!(analysis.notes.declared.keys().any(|at| analysis.sources.text(*at) == "x"));
//! # Ok::<(), std::io::Error>(())
//! ```

use chiasm_dsl::span::Span;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A parameter of something that can be called.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// As it is written: name, type, default.
    pub text: String,
}

/// The meaning of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Meant {
    /// In the words of messages: `image[B, 257, 768]`; a module has a second line, its signature.
    pub text: String,
    /// What may stand behind its dot.
    pub owner: Option<Owner>,
    /// What it takes when it is called.
    pub takes: Option<Arc<[Parameter]>>,
}

/// Something with parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Owner {
    /// A module, by the path under which [`Notes::modules`] knows it.
    Module(String),
    /// A list, by its first element.
    Each(Box<Meant>),
    /// Stretches of a joined sequence, tokens of a vocabulary: names with their meanings.
    Words(Vec<(String, String)>),
    /// A slow copy of the whole model: every definition of the file.
    Model,
}

/// What kind of thing a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `set`
    Set,
    /// `input`
    Input,
    /// A module, value, number or vocabulary.
    Value,
    /// `state`
    State,
    /// `loss`
    Loss,
    /// `data`
    Data,
    /// `fn`
    Function,
    /// `module`
    Module,
    /// A parameter of a function or module.
    Parameter,
    /// A local definition or the variable of a list.
    Local,
    /// A part of a module.
    Part,
    /// A capital of a signature.
    Size,
    /// `stage`
    Stage,
    /// `task`
    Task,
    /// `weights`
    Weights,
}

/// A name where it gets its meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// What it is.
    pub kind: Kind,
    /// The text that says so: a whole definition, or the head of a function or module.
    pub shown: Span,
    /// The expression that it stands for.
    pub value: Option<Span>,
    /// What it takes when it is called.
    pub takes: Option<Arc<[Parameter]>>,
}

/// Everything that was noted.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Meanings of expressions, and of names where they are declared.
    pub meanings: HashMap<Span, Meant>,
    /// What comes of calling what stands at a place.
    pub results: HashMap<Span, Meant>,
    /// From the mention of a name to where it is declared.
    pub mentions: HashMap<Span, Span>,
    /// Names by the place where they are declared.
    pub declared: BTreeMap<Span, Declared>,
    /// Stretches of text with the names that are bound in them, outer ones before those inside.
    pub scopes: Vec<(Span, Vec<Span>)>,
    /// Parts of modules by path, each with its meaning.
    pub modules: BTreeMap<String, Vec<(String, Meant)>>,
}

impl Notes {
    /// Adds what another evaluation noted, where this one knows nothing.
    pub fn add(&mut self, other: Notes) {
        keep_first(&mut self.meanings, other.meanings);
        keep_first(&mut self.results, other.results);
        keep_first(&mut self.mentions, other.mentions);
        for (path, parts) in other.modules {
            let known = self.modules.entry(path).or_default();
            for (name, meant) in parts {
                match known.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, old)) if old.owner.is_none() && meant.owner.is_some() => *old = meant,
                    Some(_) => {}
                    None => known.push((name, meant)),
                }
            }
        }
    }

    /// The meaning of a declared name: its own, or that of the expression it stands for.
    pub fn meaning(&self, declared: Span) -> Option<&Meant> {
        let value = || self.meanings.get(&self.declared.get(&declared)?.value?);
        self.meanings.get(&declared).or_else(value)
    }

    /// The smallest expression around a stretch of text, with its meaning.
    pub fn around(&self, at: Span) -> Option<(Span, &Meant)> {
        let holds = |span: &Span| span.file == at.file && span.start <= at.start && at.end <= span.end;
        let found = self.meanings.iter().filter(|(span, _)| holds(span));
        found.min_by_key(|(span, _)| span.end - span.start).map(|(span, meant)| (*span, meant))
    }
}

fn keep_first<V>(known: &mut HashMap<Span, V>, more: HashMap<Span, V>) {
    for (at, value) in more {
        known.entry(at).or_insert(value);
    }
}

impl Meant {
    /// A meaning that is only words.
    pub fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), owner: None, takes: None }
    }

    /// Its first line.
    pub fn line(&self) -> &str {
        self.text.lines().next().unwrap_or("")
    }

    /// An element of a list; itself if it is none.
    pub fn element(&self) -> &Meant {
        match &self.owner {
            Some(Owner::Each(first)) => first,
            _ => self,
        }
    }
}
