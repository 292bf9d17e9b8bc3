//! The modules of a file, read off the paths of its parameters: what becomes a struct, and what its fields are.
//!
//! ```text
//! vision.blocks[0].norm1.gain: [768]      ViT { blocks: [Layer { norm1: LayerNorm { gain: Tensor [768] } }] }
//! ```

use crate::lower::model::Parameter;
use std::collections::BTreeMap;

/// A part of a module.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A parameter with the lengths of its axes.
    Tensor(Vec<usize>),
    /// A module with parameters below it.
    Module(Module),
    /// Parts by number; some may be missing.
    List(BTreeMap<usize, Part>),
}

/// A module: the name of its constructor, and its parts in the order in which they are first read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// `ViT`
    pub constructor: String,
    /// By name.
    pub parts: Vec<(String, Part)>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `attn`
    Name(String),
    /// `[3]`
    At(usize),
}

/// `blocks[3].attn` as steps.
pub fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for word in path.split('.').filter(|word| !word.is_empty()) {
        let mut pieces = word.split('[');
        steps.extend(pieces.next().filter(|name| !name.is_empty()).map(|name| Step::Name(name.to_string())));
        steps.extend(pieces.filter_map(|piece| piece.trim_end_matches(']').parse().ok()).map(Step::At));
    }
    steps
}

/// The tree of all parameters.
pub fn tree(name: &str, parameters: &[Parameter]) -> Module {
    let mut tree = Module { constructor: name.to_string(), parts: Vec::new() };
    for parameter in parameters {
        put(&mut tree, "", &steps(&parameter.path), parameter);
    }
    tree
}

fn put(module: &mut Module, path: &str, steps: &[Step], parameter: &Parameter) {
    let Some((Step::Name(name), rest)) = steps.split_first() else { return };
    let at = module.parts.iter().position(|(known, _)| known == name).unwrap_or(module.parts.len());
    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
    if at == module.parts.len() {
        module.parts.push((name.clone(), fresh(&path, rest, parameter)));
    }
    fill(&mut module.parts[at].1, &path, rest, parameter);
}

/// A part without parts of its own, of the kind that the rest of a path asks for.
fn fresh(path: &str, rest: &[Step], parameter: &Parameter) -> Part {
    match rest.first() {
        None => Part::Tensor(parameter.dims.clone()),
        Some(Step::At(_)) => Part::List(BTreeMap::new()),
        Some(Step::Name(_)) => {
            let owner = parameter.owners.iter().find(|(owner, _)| **owner == *path);
            let constructor =
                owner.map_or_else(|| path.to_string(), |(_, constructor)| constructor.to_string());
            Part::Module(Module { constructor, parts: Vec::new() })
        }
    }
}

fn fill(part: &mut Part, path: &str, rest: &[Step], parameter: &Parameter) {
    match (part, rest.split_first()) {
        (Part::List(items), Some((Step::At(at), rest))) => {
            let path = format!("{path}[{at}]");
            let item = items.entry(*at).or_insert_with(|| fresh(&path, rest, parameter));
            fill(item, &path, rest, parameter);
        }
        (Part::Module(module), Some(_)) => put(module, path, rest, parameter),
        _ => {}
    }
}

impl Module {
    /// The part at the end of some steps.
    pub fn part(&self, steps: &[Step]) -> Option<&Part> {
        let (Step::Name(name), mut rest) = steps.split_first()? else { return None };
        let mut part = &self.parts.iter().find(|(known, _)| known == name)?.1;
        while let (Part::List(items), Some((Step::At(at), behind))) = (part, rest.split_first()) {
            part = items.get(at)?;
            rest = behind;
        }
        match part {
            Part::Module(module) if !rest.is_empty() => module.part(rest),
            part => rest.is_empty().then_some(part),
        }
    }

    /// The module at a path; itself for the empty one.
    pub fn at(&self, path: &str) -> Option<&Module> {
        if path.is_empty() {
            return Some(self);
        }
        match self.part(&steps(path))? {
            Part::Module(module) => Some(module),
            _ => None,
        }
    }

    /// The paths of the modules around and at a path, outermost first, without the file itself.
    pub fn around(&self, path: &str) -> Vec<String> {
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        ends.map(|end| &path[..end])
            .filter(|path| !path.is_empty() && self.at(path).is_some())
            .map(str::to_string)
            .collect()
    }

    /// The path of its first parameter.
    pub fn first_tensor(&self) -> Option<String> {
        self.parts.iter().find_map(|(name, part)| first(name, part))
    }
}

fn first(path: &str, part: &Part) -> Option<String> {
    match part {
        Part::Tensor(_) => Some(path.to_string()),
        Part::Module(module) => Some(format!("{path}.{}", module.first_tensor()?)),
        Part::List(items) => items.iter().find_map(|(at, item)| first(&format!("{path}[{at}]"), item)),
    }
}

/// Whether the parts of a list are numbered without gaps and alike, so that one type and a loop are enough.
pub fn alike(items: &BTreeMap<usize, Part>) -> bool {
    let first = items.values().next();
    !matches!(first, Some(Part::Tensor(_)))
        && items.keys().copied().eq(0..items.len())
        && items.values().all(|item| Some(item) == first)
}
