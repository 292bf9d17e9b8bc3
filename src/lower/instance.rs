//! A module that a file owns: its path, its parameters, and the parts that calls have reached.

use super::object::{Object, Thunk};
use super::scope::{Env, Names};
use crate::shape::Size;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// A size that the first call of a module fixed.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The size.
    pub size: Size,
    /// The call.
    pub span: Span,
}

/// The modules around something, innermost first: path and constructor.
pub type Owners = Arc<[(Arc<str>, Arc<str>)]>;

/// Capitals that the text of a module mentions.
pub type Capitals = Rc<BTreeSet<String>>;

/// A module.
#[derive(Debug)]
pub struct Instance<'p> {
    /// `fusion[3].attn`
    pub path: Arc<str>,
    /// The constructor's name.
    pub constructor: Arc<str>,
    /// What it was written as.
    pub module: &'p tree::Module,
    /// The names around the module.
    pub env: Env<'p>,
    /// Static parameters.
    pub params: Names<'p, Object<'p>>,
    /// Where each static parameter was given, for messages.
    pub built: Span,
    /// Parts replaced by `with`.
    pub replaced: Names<'p, Thunk<'p>>,
    /// The module whose other parts it shares.
    pub base: Option<Rc<Instance<'p>>>,
    /// Capitals that the parts mention.
    pub wanted: Capitals,
    /// Capitals fixed by the first call; shared with the base.
    pub fixed: Rc<RefCell<Names<'p, Fixed>>>,
    /// Parts that were reached.
    pub parts: RefCell<Names<'p, Object<'p>>>,
    /// The modules around it.
    pub owners: Owners,
}

impl<'p> Instance<'p> {
    /// The definition of a part.
    pub fn field(&self, name: &str) -> Option<&'p tree::Field> {
        parts(self.module).iter().find_map(|part| match part {
            tree::Part::Field(field) if field.name.text == name => Some(field),
            _ => None,
        })
    }

    /// The nameless function, or a named one.
    pub fn function(&self, name: Option<&str>) -> Option<&'p tree::Function> {
        parts(self.module).iter().find_map(|part| match part {
            tree::Part::Fn(f) if f.name.as_ref().map(|n| n.text.as_str()) == name => Some(f),
            _ => None,
        })
    }

    /// Where a part, a function or a static parameter is written.
    pub fn place(&self, name: &str) -> Option<Span> {
        let function = || self.function(Some(name))?.name.as_ref().map(|name| name.span);
        let param = || Some(self.module.params.iter().find(|p| p.name.text == name)?.name.span);
        self.field(name).map(|field| field.name.span).or_else(function).or_else(param)
    }

    /// Names of its parts, functions and static parameters.
    pub fn names(&self) -> Vec<&str> {
        let parts = parts(self.module).iter().filter_map(|part| match part {
            tree::Part::Field(field) => Some(field.name.text.as_str()),
            tree::Part::Fn(f) => f.name.as_ref().map(|n| n.text.as_str()),
            tree::Part::Require(_) => None,
        });
        parts.chain(self.params.iter().map(|(name, _)| name)).collect()
    }
}

/// The parts of a module that is not derived.
pub fn parts(module: &tree::Module) -> &[tree::Part] {
    match &module.body {
        tree::ModuleBody::Parts(parts) => parts,
        tree::ModuleBody::Derived(_) => &[],
    }
}
