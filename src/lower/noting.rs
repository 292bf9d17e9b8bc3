//! Objects to [`Notes`]: what evaluation meets is kept while it runs and put into words at its end.
//!
//! Invariant: keeping costs no more than the evaluation itself, so of a list only its length and first element are kept,
//! of long texts and types only that they are long. Where nobody asks, each of these functions is one comparison.

use super::instance::{Instance, parts};
use super::notes::{Meant, Notes, Owner, Parameter};
use super::object::{Object, Tensor};
use super::program::{MAIN, Program};
use super::state::Lower;
use super::vocabulary;
use chiasm_dsl::span::{Sources, Span};
use chiasm_dsl::tree;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// The most characters, axes and stretches that are put into words.
const LONGEST: usize = 60;
const MOST_AXES: usize = 16;

/// What one evaluation has met.
#[derive(Default)]
pub struct Noting<'p> {
    meanings: HashMap<Span, Met<'p>>,
    results: HashMap<Span, Met<'p>>,
    mentions: HashMap<Span, Span>,
}

/// An object without its bulk.
#[derive(Clone)]
struct Met<'p> {
    /// Whether it was met outside of every `with` and slow copy.
    plain: bool,
    /// Lengths of the lists around it, outermost first.
    lists: Vec<usize>,
    kept: Kept<'p>,
}

#[derive(Clone)]
enum Kept<'p> {
    Object(Object<'p>),
    Words(String),
}

impl<'p> Lower<'p> {
    /// Notes the meaning of a place.
    pub fn note(&mut self, at: Span, object: &Object<'p>) {
        let plain = self.world == 0;
        if let Some(noting) = &mut self.noting {
            keep(&mut noting.meanings, at, plain, object);
        }
    }

    /// Notes what comes of calling what stands at a place.
    pub fn note_result(&mut self, at: Span, object: &Object<'p>) {
        let plain = self.world == 0;
        if let Some(noting) = &mut self.noting {
            keep(&mut noting.results, at, plain, object);
        }
    }

    /// Notes which declaration a mention means.
    pub fn note_mention(&mut self, at: Span, declared: Option<Span>) {
        if let (Some(noting), Some(declared)) = (&mut self.noting, declared) {
            noting.mentions.entry(at).or_insert(declared);
        }
    }

    /// Evaluates every definition by itself, so that one which nothing reaches yet has a meaning too.
    pub fn note_definitions(&mut self) {
        let program = self.program;
        let mut names: Vec<_> = program.spaces[MAIN.0].names.iter().map(|(n, d)| (d.order, n)).collect();
        names.sort();
        for (_, name) in names {
            // What is wrong has been said by the stages, or nothing reaches it.
            let _ = self.definition(MAIN, name);
        }
        self.diagnostics.clear();
    }

    /// What was met, in words.
    pub fn noted(&mut self) -> Option<Notes> {
        let Noting { meanings, results, mentions } = *self.noting.take()?;
        let mut words = Words { program: self.program, waiting: Vec::new(), modules: BTreeMap::new() };
        let meanings = words.all(meanings);
        let results = words.all(results);
        words.modules();
        Some(Notes { meanings, results, mentions, modules: words.modules, ..Notes::default() })
    }
}

fn keep<'p>(kept: &mut HashMap<Span, Met<'p>>, at: Span, plain: bool, object: &Object<'p>) {
    if kept.get(&at).is_none_or(|old| plain && !old.plain) {
        kept.insert(at, met(plain, object));
    }
}

fn met<'p>(plain: bool, mut object: &Object<'p>) -> Met<'p> {
    let mut lists = Vec::new();
    while let Object::List(items) = object {
        lists.push(items.len());
        match items.first() {
            Some(first) => object = first,
            None => return Met { plain, lists, kept: Kept::Words("nothing".into()) },
        }
    }
    Met { plain, lists, kept: kept(object) }
}

fn kept<'p>(object: &Object<'p>) -> Kept<'p> {
    match object {
        Object::Text(text) if text.chars().count() > LONGEST => Kept::Words("a long text".into()),
        Object::Tensor(_) | Object::Param(_) | Object::Module(_) | Object::Function(_) => {
            Kept::Object(object.clone())
        }
        Object::Constructor(_) | Object::Vocabulary(_) => Kept::Object(object.clone()),
        Object::Twin(inner, slow) | Object::Momentum(slow, Some(inner)) => match met(true, inner).kept {
            Kept::Object(inner) => Kept::Object(Object::Twin(Box::new(inner), slow.clone())),
            words => words,
        },
        Object::Momentum(slow, None) => Kept::Object(Object::Momentum(slow.clone(), None)),
        other => Kept::Words(other.describe()),
    }
}

/// Puts objects into words. Modules wait until all else is done: they lead to further ones.
struct Words<'p> {
    program: &'p Program,
    waiting: Vec<Rc<Instance<'p>>>,
    modules: BTreeMap<String, Vec<(String, Meant)>>,
}

impl<'p> Words<'p> {
    fn all(&mut self, met: HashMap<Span, Met<'p>>) -> HashMap<Span, Meant> {
        met.into_iter().map(|(at, met)| (at, self.met(&met))).collect()
    }

    fn met(&mut self, met: &Met<'p>) -> Meant {
        let inner = match &met.kept {
            Kept::Words(words) => Meant::words(words.clone()),
            Kept::Object(object) => self.object(object),
        };
        met.lists.iter().rev().fold(inner, |first, length| Meant {
            text: format!("list of {length}: {}", first.text),
            takes: first.takes.clone(),
            owner: Some(Owner::Each(Box::new(first))),
        })
    }

    fn object(&mut self, object: &Object<'p>) -> Meant {
        let sources = &self.program.sources;
        match object {
            Object::Tensor(tensor) => tensor_words(tensor),
            Object::Param(param) if param.dims.len() > MOST_AXES => Meant::words("a Param of many axes"),
            Object::Param(param) if param.state => {
                Meant::words(format!("State {:?}, `{}`", param.dims, param.path))
            }
            Object::Param(param) => Meant::words(format!("Param {:?}, `{}`", param.dims, param.path)),
            Object::Module(instance) => self.module(instance),
            Object::Twin(inner, slow) => {
                let inner = self.object(inner);
                Meant { text: format!("slow copy `{slow}` of {}", inner.text), ..inner }
            }
            Object::Momentum(..) => {
                Meant { owner: Some(Owner::Model), ..Meant::words("a slow copy of the model") }
            }
            Object::Function(closure) => Meant {
                takes: Some(parameters(sources, &closure.function.params)),
                ..Meant::words(function_head(sources, closure.function))
            },
            Object::Constructor(constructor) => Meant {
                takes: Some(parameters(sources, &constructor.module.params)),
                ..Meant::words(module_head(sources, constructor.module))
            },
            Object::Vocabulary(known) => Meant {
                owner: Some(Owner::Words(vocabulary::fields(known))),
                ..Meant::words(format!("vocabulary \"{}\", {} ids", known.name, vocabulary::size(known)))
            },
            other => Meant::words(other.describe()),
        }
    }

    fn module(&mut self, instance: &Rc<Instance<'p>>) -> Meant {
        self.waiting.push(instance.clone());
        let sources = &self.program.sources;
        let plain = |(name, value): (&str, &Object<'p>)| match value {
            Object::Whole(_) | Object::Real(_) | Object::Truth(_) => {
                Some(format!("{name} = {}", value.describe()))
            }
            _ => None,
        };
        let params: Vec<String> = instance.params.iter().filter_map(plain).collect();
        let mut text = format!("module {}({})", instance.constructor, params.join(", "));
        let function = instance.function(None);
        if let Some(function) = function {
            text += &format!("\n{}", function_head(sources, function));
        }
        let takes = function.map(|function| parameters(sources, &function.params));
        Meant { text, owner: Some(Owner::Module(instance.path.to_string())), takes }
    }

    fn modules(&mut self) {
        while let Some(instance) = self.waiting.pop() {
            if self.modules.contains_key(&*instance.path) {
                continue;
            }
            // Known before its parts are: they may lead back to it.
            self.modules.insert(instance.path.to_string(), Vec::new());
            let parts = self.parts(&instance);
            self.modules.insert(instance.path.to_string(), parts);
        }
    }

    fn parts(&mut self, instance: &Instance<'p>) -> Vec<(String, Meant)> {
        let known = instance.names().into_iter().map(|name| {
            let made = instance.parts.borrow().get(name).cloned();
            let made = made.or_else(|| instance.base.as_ref()?.parts.borrow().get(name).cloned());
            let made = made.or_else(|| instance.params.get(name).cloned());
            let meant = made.map(|object| self.met(&met(true, &object)));
            (name.to_string(), meant.unwrap_or_else(|| self.written(instance, name)))
        });
        known.collect()
    }

    /// A part that nothing has reached: as it is written.
    fn written(&self, instance: &Instance<'p>, name: &str) -> Meant {
        let sources = &self.program.sources;
        for part in parts(instance.module) {
            match part {
                tree::Part::Field(field) if field.name.text == name => {
                    return Meant::words(shortened(sources.text(field.value.span)));
                }
                tree::Part::Fn(function) if function.name.as_ref().is_some_and(|n| n.text == name) => {
                    let takes = Some(parameters(sources, &function.params));
                    return Meant { takes, ..Meant::words(function_head(sources, function)) };
                }
                _ => {}
            }
        }
        Meant::words("")
    }
}

fn tensor_words(tensor: &Tensor) -> Meant {
    let ty = &tensor.ty;
    let many = ty.segments.as_ref().is_some_and(|(_, segments)| segments.len() > MOST_AXES);
    if ty.rank() > MOST_AXES || many {
        return Meant::words(format!("a tensor of {} axes", ty.rank()));
    }
    let segments = ty.segments.iter().flat_map(|(_, segments)| segments);
    let names: Vec<_> =
        segments.map(|s| (s.label.to_string(), format!("{} of {}", s.size, s.label))).collect();
    let owner = (!names.is_empty()).then_some(Owner::Words(names));
    Meant { owner, ..Meant::words(ty.to_string()) }
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() <= LONGEST {
        line.into()
    } else {
        line.chars().take(LONGEST).chain(['…']).collect()
    }
}

/// Parameters as they are written.
pub fn parameters(sources: &Sources, params: &[tree::Param]) -> Arc<[Parameter]> {
    let written =
        |p: &tree::Param| Parameter { name: p.name.text.clone(), text: sources.text(param_span(p)).into() };
    params.iter().map(written).collect()
}

/// Name, type and default.
pub fn param_span(param: &tree::Param) -> Span {
    let ty = param.ty.as_ref().map_or(param.name.span, |ty| ty.span);
    let default = param.default.as_ref().map_or(ty, |e| e.span);
    param.name.span.to(ty).to(default)
}

/// `fn f(x: [B]) -> [B]`
pub fn function_head(sources: &Sources, function: &tree::Function) -> String {
    let name = function.name.as_ref().map_or("", |name| name.text.as_str());
    let space = if name.is_empty() { "" } else { " " };
    let result = function.result.as_ref().map(|ty| format!(" -> {}", sources.text(ty.span)));
    let params = written(sources, &function.params);
    format!(
        "fn{space}{name}{}({params}){}",
        if name.is_empty() { " " } else { "" },
        result.unwrap_or_default()
    )
}

/// `module M(out, bias = true)`
pub fn module_head(sources: &Sources, module: &tree::Module) -> String {
    format!("module {}({})", module.name.text, written(sources, &module.params))
}

fn written(sources: &Sources, params: &[tree::Param]) -> String {
    parameters(sources, params).iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join(", ")
}
