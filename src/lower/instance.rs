//! A module that a file owns: its path, its parameters, and the parts that calls have reached.

use super::object::{Object, Thunk};
use super::scope::Env;
use crate::shape::Size;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A size that the first call of a module fixed.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The size.
    pub size: Size,
    /// The call.
    pub span: Span,
}

/// A module.
#[derive(Debug)]
pub struct Instance<'p> {
    /// `fusion[3].attn`
    pub path: String,
    /// The constructor's name.
    pub constructor: String,
    /// What it was written as.
    pub module: &'p tree::Module,
    /// The names around the module.
    pub env: Env<'p>,
    /// Static parameters.
    pub params: HashMap<String, Object<'p>>,
    /// Where each static parameter was given, for messages.
    pub built: Span,
    /// Parts replaced by `with`.
    pub replaced: HashMap<String, Thunk<'p>>,
    /// The module whose other parts it shares.
    pub base: Option<Rc<Instance<'p>>>,
    /// Capitals that the parts mention.
    pub wanted: BTreeSet<String>,
    /// Capitals fixed by the first call; shared with the base.
    pub fixed: Rc<RefCell<HashMap<String, Fixed>>>,
    /// Parts that were reached.
    pub parts: RefCell<HashMap<String, Object<'p>>>,
    /// The modules around it, innermost first: path and constructor.
    pub owners: Vec<(String, String)>,
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

    /// Names of its parts, functions and static parameters.
    pub fn names(&self) -> Vec<&str> {
        let parts = parts(self.module).iter().filter_map(|part| match part {
            tree::Part::Field(field) => Some(field.name.text.as_str()),
            tree::Part::Fn(f) => f.name.as_ref().map(|n| n.text.as_str()),
            tree::Part::Require(_) => None,
        });
        parts.chain(self.params.keys().map(String::as_str)).collect()
    }
}

/// The parts of a module that is not derived.
pub fn parts(module: &tree::Module) -> &[tree::Part] {
    match &module.body {
        tree::ModuleBody::Parts(parts) => parts,
        tree::ModuleBody::Derived(_) => &[],
    }
}
