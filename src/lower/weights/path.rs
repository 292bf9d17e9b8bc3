//! Paths of a model as steps, and what the path of a rule takes of them.
//!
//! Example: the rule `blocks[i].ffn` takes three steps of `blocks[3].ffn.up.w`, with i = 3.

use crate::lower::object::Param;
use chiasm_dsl::tree::{Expr, ExprKind, Index};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'t> {
    Name(&'t str),
    At(usize),
}

/// Few enough steps to need no allocation.
pub type Steps<'t> = SmallVec<[Step<'t>; 12]>;

/// The steps of a rule's path.
pub type Pattern<'p> = SmallVec<[Wanted<'p>; 8]>;

/// One step of a rule's path.
pub enum Wanted<'p> {
    Name(&'p str),
    At(usize),
    Variable(&'p str),
}

/// Something that can be loaded.
pub struct Target<'t> {
    pub key: String,
    /// The slow copy whose parameter it is.
    pub copy: Option<&'t str>,
    pub path: Steps<'t>,
    /// The modules around it with what made them.
    pub owners: &'t [(Arc<str>, Arc<str>)],
}

/// What a rule's path takes of a path.
#[derive(Clone, Default)]
pub struct Matched {
    /// How many steps.
    pub length: usize,
    /// Indices by the names that the rule gives them.
    pub bound: BTreeMap<String, i64>,
    /// Indices of lists that the rule names without one: every element.
    pub skipped: Vec<usize>,
}

impl Target<'_> {
    /// What made the module that its first steps lead to.
    pub fn maker(&self, steps: usize) -> Option<&str> {
        let own = |path: &str| 1 + path.bytes().filter(|byte| matches!(byte, b'.' | b'[')).count();
        let count = |path: &str| usize::from(self.copy.is_some()) + own(path);
        let leads = |path: &str| count(path) == steps && full_path(self.copy, path)[..] == self.path[..steps];
        self.owners.iter().find(|(path, _)| leads(path)).map(|(_, constructor)| &**constructor)
    }
}

/// Parameters, those of slow copies, and states.
pub fn targets<'t>(
    params: &'t [Rc<Param>],
    copies: &'t [String],
    states: &'t [(String, Option<Rc<Param>>)],
) -> Vec<Target<'t>> {
    let copies = copies.iter().map(|copy| Some(copy.as_str()));
    let all = std::iter::once(None).chain(copies);
    let mut targets: Vec<Target<'t>> =
        all.flat_map(|copy| params.iter().map(move |param| parameter(copy, param))).collect();
    let state = |(name, owned): &'t (String, Option<Rc<Param>>)| Target {
        key: format!("state/{name}"),
        copy: None,
        path: full_path(None, name),
        owners: owned.as_ref().map_or(&[], |state| &state.owners),
    };
    targets.extend(states.iter().map(state));
    targets
}

fn parameter<'t>(copy: Option<&'t str>, param: &'t Param) -> Target<'t> {
    let key = match copy {
        Some(copy) => format!("{copy}/{}", param.path),
        None => param.path.clone(),
    };
    Target { key, copy, path: full_path(copy, &param.path), owners: &param.owners }
}

fn full_path<'t>(head: Option<&'t str>, path: &'t str) -> Steps<'t> {
    let mut steps: Steps<'t> = head.map(Step::Name).into_iter().collect();
    for part in path.split('.') {
        let mut pieces = part.split('[');
        steps.extend(pieces.next().map(Step::Name));
        steps.extend(pieces.filter_map(|p| p.trim_end_matches(']').parse().ok()).map(Step::At));
    }
    steps
}

/// The steps of a rule's path; `None` if it is none.
pub fn pattern(expr: &Expr) -> Option<Pattern<'_>> {
    match &expr.kind {
        ExprKind::Name(name) => Some([Wanted::Name(name)].into_iter().collect()),
        ExprKind::Part { value, name } => {
            let mut steps = pattern(value)?;
            steps.push(Wanted::Name(&name.text));
            Some(steps)
        }
        ExprKind::Index { value, indices } => {
            let mut steps = pattern(value)?;
            let [Index::At(at)] = indices.as_slice() else { return None };
            steps.push(match &at.kind {
                ExprKind::Name(name) => Wanted::Variable(name),
                ExprKind::Number { value, .. } => Wanted::At(*value as usize),
                _ => return None,
            });
            Some(steps)
        }
        _ => None,
    }
}

/// What a rule takes of a path; `None` if it does not fit.
pub fn matched(pattern: &[Wanted<'_>], path: &[Step<'_>]) -> Option<Matched> {
    let mut found = Matched::default();
    for (place, wanted) in pattern.iter().enumerate() {
        match (wanted, path.get(found.length)?) {
            (Wanted::Name(want), Step::Name(have)) if want == have => found.length += 1,
            (Wanted::At(want), Step::At(have)) if want == have => found.length += 1,
            (Wanted::Variable(name), Step::At(have)) => {
                found.bound.insert(name.to_string(), *have as i64);
                found.length += 1;
            }
            _ => return None,
        }
        // A list without an index means every element.
        let next_is_name = matches!(pattern.get(place + 1), Some(Wanted::Name(_)));
        if let (true, Some(Step::At(index))) = (next_is_name, path.get(found.length)) {
            found.skipped.push(*index);
            found.length += 1;
        }
    }
    Some(found)
}
