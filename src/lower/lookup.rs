//! Names to objects: locals, the layers around, definitions of the file and of the library, parts of modules.
//!
//! A definition is evaluated once in each of the worlds that change what it reads, when it is first named. Invariant: a name
//! that needs itself is an error that shows the circle, never an endless search.
//!
//! Example: in `feat = image -> vision -> cls`, `image` is an input, `vision` a module of the file, `cls` a function of the library.

use super::eval::Naming;
use super::instance::Instance;
use super::names::{is_capital, is_owner};
use super::object::{Object, Tensor};
use super::program::{Definition, LIBRARY, MAIN, Meaning};
use super::scope::{Env, Layer, Locals, SpaceId};
use super::state::{Eval, Frame, Lower, PathStep, World};
use crate::op::Stop;
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::Name;
use std::rc::Rc;
use std::sync::Arc;

impl<'p> Lower<'p> {
    /// The meaning of a name, looked for from the inside out.
    pub fn lookup(&mut self, name: &str, span: Span, env: &Env<'p>) -> Eval<Object<'p>> {
        for layer in env.layers() {
            if let Some(found) = self.in_layer(name, layer)? {
                return Ok(found);
            }
        }
        match name {
            "none" => return Ok(Object::None),
            "true" => return Ok(Object::Truth(true)),
            "false" => return Ok(Object::Truth(false)),
            "causal" => return Ok(Object::Mask(Rc::new(super::object::Mask::Causal))),
            _ => {}
        }
        if env.space_id() == MAIN && is_capital(name) && self.is_batch_symbol(name) {
            return Ok(Object::Whole(Size::symbol(name)));
        }
        if let Some(known) = super::primitive::named(name) {
            return Ok(Object::Primitive(known));
        }
        if super::primitive::WORDS.contains(&name) {
            return super::primitive::word(name);
        }
        self.unknown_name(name, span, env)
    }

    fn unknown_name(&mut self, name: &str, span: Span, env: &Env<'p>) -> Eval<Object<'p>> {
        let program = self.program;
        let mut known: Vec<&str> = program.spaces[LIBRARY.0].names.keys().map(String::as_str).collect();
        known.extend(program.spaces[env.space_id().0].names.keys().map(String::as_str));
        known.extend(super::primitive::NAMES);
        let mut error = Diagnostic::error(Code::E0201, span, format!("unknown name `{name}`"));
        if let Some(near) = nearest(name, known) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error)
    }

    fn is_batch_symbol(&self, name: &str) -> bool {
        self.program.spaces[MAIN.0].names.values().any(|d| match &d.meaning {
            Meaning::Input(ty) => super::names::type_capitals(ty).iter().any(|c| c.text == name),
            _ => false,
        })
    }

    fn in_layer(&mut self, name: &str, env: &Env<'p>) -> Eval<Option<Object<'p>>> {
        match &env.0.layer {
            Layer::Locals(locals) => self.local(name, locals, env),
            Layer::Instance(instance) => {
                if let Some(fixed) = instance.fixed.borrow().get(name) {
                    return Ok(Some(Object::Whole(fixed.size.clone())));
                }
                if let Some(param) = instance.params.get(name) {
                    return Ok(Some(param.clone()));
                }
                self.member(instance, name)
            }
            Layer::Capitals(instance) => {
                Ok(instance.fixed.borrow().get(name).map(|fixed| Object::Whole(fixed.size.clone())))
            }
            Layer::Space(id) => {
                let defines = |space: &SpaceId| self.program.spaces[space.0].names.contains_key(name);
                let space = [*id, LIBRARY].into_iter().find(defines);
                space.map(|space| self.definition(space, name)).transpose()
            }
        }
    }

    fn local(&mut self, name: &str, locals: &Locals<'p>, env: &Env<'p>) -> Eval<Option<Object<'p>>> {
        if let Some(value) = locals.known.borrow().get(name) {
            return Ok(Some(value.clone()));
        }
        if let Some(value) = locals.capitals.borrow().get(name) {
            return Ok(Some(value.clone()));
        }
        let Some((thunk, active)) = locals.later.borrow().get(name).cloned() else { return Ok(None) };
        if active {
            let message = format!("the local definition `{name}` depends on itself");
            return self.fail(Code::E0208, thunk.expr.span, message);
        }
        let known = locals.later.borrow_mut().entry(name).map(|(name, (_, active))| {
            *active = true;
            name
        });
        let value = self.within(locals.world.get(), |s| s.eval(thunk.expr, env, None))?;
        if let Some(name) = known {
            locals.set(name, value.clone());
        }
        Ok(Some(value))
    }

    /// The value of a definition in this world.
    pub fn definition(&mut self, space: SpaceId, name: &str) -> Eval<Object<'p>> {
        let program = self.program;
        if space == MAIN
            && let Some((_, value)) = self.worlds[self.world].replaced.get(name)
        {
            return Ok(value.clone());
        }
        let Some(definition) = program.spaces[space.0].names.get(name) else {
            return Err(super::state::Stopped);
        };
        let world = self.world_of(definition, space);
        let key = (world, space, definition.name.text.as_str());
        if let Some(known) = self.cache.get(&key) {
            return known.clone();
        }
        if let Some(first) = self.active.iter().position(|a| *a == key) {
            return self.circle(first);
        }
        self.active.push(key);
        let result = self.within(world, |s| {
            let value = s.define(definition, name)?;
            s.note(definition.name.span, &value);
            Ok(value)
        });
        self.active.pop();
        self.cache.insert(key, result.clone());
        result
    }

    /// The part of this world that a definition can see.
    fn world_of(&mut self, definition: &'p Definition, space: SpaceId) -> usize {
        if self.world == 0 || space != MAIN {
            return 0;
        }
        let fixed = match &definition.meaning {
            Meaning::Value(e) => is_owner(self.program, space, e),
            Meaning::Loss(_) | Meaning::State { .. } => false,
            _ => true,
        };
        if fixed {
            return 0;
        }
        let key = (self.world, definition.name.text.as_str());
        if let Some(known) = self.seen.get(&key) {
            return *known;
        }
        let World { mut replaced, twin } = self.worlds[self.world].clone();
        let reached = self.reach.of(self.program, space, &definition.name.text);
        replaced.retain(|name, _| reached.contains(name));
        let world = self.enter(World { replaced, twin });
        self.seen.insert(key, world);
        world
    }

    fn define(&mut self, definition: &'p Definition, name: &str) -> Eval<Object<'p>> {
        let frame = Frame {
            what: None,
            step: PathStep::Name(name.into()),
            span: definition.span,
            body: definition.span,
        };
        let env = Env::space(definition.home);
        self.inside(frame, |s| match &definition.meaning {
            Meaning::Set(expr) => match s.sets.get(name).cloned() {
                Some(value) => Ok(value),
                None => s.eval(expr, &env, None),
            },
            Meaning::Input(ty) => s.input(name, ty, &env),
            Meaning::Value(expr) | Meaning::Loss(expr) => {
                s.owned(name, |s| s.eval(expr, &env, Some(&Naming::of(name))))
            }
            Meaning::State { ty, .. } => s.state(name, ty, &env),
            Meaning::Fn(function) => Ok(s.closure(function, &env, name)),
            Meaning::Module(module) => {
                Ok(Object::Constructor(Rc::new(super::object::Constructor { module, env: env.clone() })))
            }
            Meaning::Data(expr) => {
                s.fail(Code::E0315, expr.span, "this is data; only a stage or task reads it")
            }
        })
    }

    /// A function with its surroundings.
    pub fn closure(&self, function: &'p chiasm_dsl::tree::Function, env: &Env<'p>, name: &str) -> Object<'p> {
        let closure = super::object::Closure { function, env: env.clone(), name: name.into() };
        Object::Function(Rc::new(closure))
    }

    fn circle(&mut self, first: usize) -> Eval<Object<'p>> {
        let names: Vec<&str> = self.active[first..].iter().map(|(_, _, name)| *name).collect();
        let spaces = &self.program.spaces[self.active[first].1.0];
        let mut places: Vec<(&str, &Definition)> = names.iter().map(|n| (*n, &spaces.names[*n])).collect();
        let start = (0..places.len()).min_by_key(|i| places[*i].1.span).unwrap_or(0);
        places.rotate_left(start);
        let chain: Vec<&str> = places.iter().map(|(n, _)| *n).chain([places[0].0]).collect();
        let message = format!("these definitions depend on each other in a circle: {}", chain.join(" -> "));
        let at = |d: &Definition| self.program.sources.place(d.span).line;
        let note = |error: Diagnostic, (n, d): &(&str, &Definition)| {
            error.note_at(d.span, format!("`{n}` is at line {}", at(d)))
        };
        let error = places[1..].iter().fold(Diagnostic::error(Code::E0208, places[0].1.span, message), note);
        let error = error
            .note("for a value from earlier steps write a state; for a slow copy, momentum(model, rate)");
        self.report(error)
    }

    /// A part, a function or a static parameter of what stands before the dot.
    pub fn part_of(&mut self, object: Object<'p>, name: &'p Name) -> Eval<Object<'p>> {
        if let Object::Module(instance) = &object {
            self.note_mention(name.span, instance.place(&name.text));
        }
        match object {
            Object::Module(instance) => match self.member(&instance, &name.text)? {
                Some(found) => Ok(found),
                None => match instance.params.get(&name.text) {
                    Some(param) => Ok(param.clone()),
                    None => self.no_part(&instance, name),
                },
            },
            Object::Twin(inner, slow) => {
                let part = self.part_of(*inner, name)?;
                Ok(Object::Twin(Box::new(part), slow))
            }
            Object::List(items) => {
                let parts: Eval<Vec<_>> = items.into_iter().map(|item| self.part_of(item, name)).collect();
                parts.map(Object::List)
            }
            Object::Momentum(slow, None) => self.slow_part(&slow, name),
            Object::Vocabulary(vocabulary) => self.vocabulary_field(&vocabulary, name),
            Object::Tensor(tensor) => self.segment(&tensor, name).map(Object::Tensor),
            other => {
                let message = format!("{} has no part `{}`", other.describe(), name.text);
                self.fail(Code::E0202, name.span, message)
            }
        }
    }

    fn no_part(&mut self, instance: &Rc<Instance<'p>>, name: &Name) -> Eval<Object<'p>> {
        let known = instance.names();
        let message = format!("`{}` has no part `{}`", instance.constructor, name.text);
        let mut error = Diagnostic::error(Code::E0202, name.span, message);
        if let Some(near) = nearest(&name.text, known.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("its parts: {}", known.join(", "))))
    }

    fn slow_part(&mut self, slow: &Arc<str>, name: &'p Name) -> Eval<Object<'p>> {
        if !self.program.spaces[MAIN.0].names.contains_key(&name.text) {
            return self.unknown_name(&name.text, name.span, &Env::space(MAIN));
        }
        let place = self.program.spaces[MAIN.0].names.get(&name.text).map(|d| d.name.span);
        self.note_mention(name.span, place);
        let world = World { twin: Some(slow.clone()), ..self.worlds[self.world].clone() };
        let world = self.enter(world);
        let value = self.within(world, |s| s.definition(MAIN, &name.text))?;
        match value {
            Object::Tensor(tensor) => self.stopped(&tensor).map(Object::Tensor),
            Object::Param(param) => self.within(world, |s| s.read(&param)).map(Object::Tensor),
            owner @ (Object::Module(_) | Object::List(_)) => Ok(Object::Twin(Box::new(owner), slow.clone())),
            other => Ok(other),
        }
    }

    /// The same value without gradient.
    pub fn stopped(&mut self, tensor: &Tensor) -> Eval<Tensor> {
        self.emit(Stop, &[tensor.node], (*tensor.ty).clone())
    }
}
