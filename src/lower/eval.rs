//! Expressions to objects.
//!
//! One function a form of expression. A `Naming` is handed down only where a constructor may stand: to the right of a `=`,
//! into list elements, branches, and arguments of other constructors.

use super::instance::{Instance, Owners};
use super::names::{is_capital, is_owner};
use super::object::{Given, Object, Tensor, Thunk};
use super::program::{Definition, LIBRARY, MAIN, Meaning};
use super::scope::{Env, Layer, Locals, Names, SpaceId};
use super::state::{Eval, Frame, Lower, PathStep, World};
use crate::op::Stop;
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arg, BinaryOp, Expr, ExprKind, Field, Name, Over, Step, UnaryOp};
use std::rc::Rc;
use std::sync::Arc;

/// So many elements of lists are made for one stage, so that every file is checked in bounded time and memory.
const MOST_ELEMENTS: usize = 100_000;

/// The path that a constructor gives its module.
#[derive(Clone, Debug)]
pub struct Naming {
    /// `fusion[3].attn`
    pub path: String,
    /// The modules around.
    pub owners: Owners,
    /// The constructor's name, where a derived one stands for another.
    pub called: Option<String>,
}

impl Naming {
    /// A definition of the file.
    pub fn of(name: &str) -> Self {
        Self { path: name.to_string(), owners: Owners::default(), called: None }
    }

    /// A list element.
    #[must_use]
    pub fn at(&self, index: usize) -> Self {
        let (owners, called) = (self.owners.clone(), self.called.clone());
        Self { path: format!("{}[{index}]", self.path), owners, called }
    }

    /// An argument or a part.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), owners: self.owners.clone(), called: None }
    }
}

/// Whether an expression may build something that wants a name.
fn may_build(expr: &Expr) -> bool {
    use ExprKind::{Call, Comprehension, Group, If, List, With};
    matches!(expr.kind, Group(_) | If { .. } | Call { .. } | With { .. } | List(_) | Comprehension { .. })
}

impl<'p> Lower<'p> {
    /// The meaning of an expression.
    pub fn eval(&mut self, expr: &'p Expr, env: &Env<'p>, naming: Option<&Naming>) -> Eval<Object<'p>> {
        let value = self.descend(expr.span, |s| s.meaning(expr, env, naming));
        if let Ok(object) = &value {
            self.note(expr.span, object);
        }
        value
    }

    fn meaning(&mut self, expr: &'p Expr, env: &Env<'p>, naming: Option<&Naming>) -> Eval<Object<'p>> {
        match &expr.kind {
            ExprKind::Number { value, whole: true } => Ok(Object::whole(*value as i64)),
            ExprKind::Number { value, .. } => Ok(Object::Real(*value)),
            ExprKind::Text(text) => Ok(Object::Text(text.clone())),
            ExprKind::Name(name) => self.lookup(name, expr.span, env),
            ExprKind::Group(inner) => self.eval(inner, env, naming),
            ExprKind::If { test, yes, no } => {
                let test = self.eval(test, env, None)?;
                let branch = if self.holds(&test) { yes } else { no };
                self.eval(branch, env, naming)
            }
            ExprKind::Pipe { from, step } => self.pipe(from, step, env),
            ExprKind::Unary { op, value } => self.unary(*op, value, expr.span, env),
            ExprKind::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, env),
            ExprKind::Call { callee, args } => {
                let object = self.eval(callee, env, None)?;
                if matches!(object, Object::Primitive("sees")) {
                    return self.sees(args, expr.span);
                }
                let given = self.arguments(args, env, &object, naming)?;
                let result = self.call(object, given, expr.span, naming)?;
                self.note_result(callee.span, &result);
                Ok(result)
            }
            ExprKind::Index { value, indices } => {
                let object = self.eval(value, env, None)?;
                self.index(object, indices, expr.span, env)
            }
            ExprKind::Part { value, name } => {
                let object = self.eval(value, env, None)?;
                self.part_of(object, name)
            }
            ExprKind::Transpose(value) => {
                let tensor = self.eval(value, env, None)?;
                let tensor = self.tensor(tensor, value.span)?;
                self.transpose(&tensor, expr.span).map(Object::Tensor)
            }
            ExprKind::As { value, label } => self.relabel(value, label, env),
            ExprKind::With { value, block } => self.with(value, block, expr.span, env, naming),
            ExprKind::List(args) => self.list(args, env, naming),
            ExprKind::Comprehension { body, name, over } => self.comprehension(body, name, over, env, naming),
            ExprKind::Route { value, arms } => self.route(value, arms, expr.span, env),
            ExprKind::Error => Err(super::state::Stopped),
        }
    }

    /// Whether a static condition holds: a number, a truth value, or anything that is there.
    pub fn holds(&self, object: &Object<'p>) -> bool {
        match object {
            Object::None | Object::Truth(false) => false,
            Object::Whole(size) => *size != Size::from(0i64),
            Object::Real(number) => *number != 0.0,
            _ => true,
        }
    }

    fn pipe(&mut self, from: &'p Expr, step: &'p Step, env: &Env<'p>) -> Eval<Object<'p>> {
        let value = self.eval(from, env, None)?;
        let callee = self.eval(&step.path, env, None)?;
        let mut given = vec![Given { name: None, name_span: None, value, upper: None, span: step.span }];
        given.extend(self.arguments(step.args.as_deref().unwrap_or(&[]), env, &callee, None)?);
        let result = self.call(callee, given, step.span, None)?;
        self.note_result(step.path.span, &result);
        Ok(result)
    }

    /// Evaluates arguments; those of a constructor get names below its own.
    pub fn arguments(
        &mut self,
        args: &'p [Arg],
        env: &Env<'p>,
        callee: &Object<'p>,
        naming: Option<&Naming>,
    ) -> Eval<Vec<Given<'p>>> {
        let mut given = Vec::with_capacity(args.len());
        for (position, arg) in args.iter().enumerate() {
            let below = match (callee, naming) {
                (Object::Constructor(c), Some(naming)) if may_build(&arg.value) => {
                    let name = arg.name.as_ref().map(|n| n.text.as_str());
                    let name = name.or_else(|| c.module.params.get(position).map(|p| p.name.text.as_str()));
                    name.map(|name| naming.part(name))
                }
                _ => None,
            };
            let value = self.eval(&arg.value, env, below.as_ref())?;
            let upper = arg.upper.as_ref().map(|e| self.eval(e, env, None)).transpose()?;
            let (name, name_span) =
                (arg.name.as_ref().map(|n| n.text.as_str()), arg.name.as_ref().map(|n| n.span));
            let span = if arg.upper.is_some() { arg.span() } else { arg.value.span };
            given.push(Given { name, name_span, value, upper, span });
        }
        Ok(given)
    }

    fn unary(&mut self, op: UnaryOp, value: &'p Expr, span: Span, env: &Env<'p>) -> Eval<Object<'p>> {
        let object = self.eval(value, env, None)?;
        match (op, object) {
            (UnaryOp::Negate, object) => self.arithmetic(BinaryOp::Subtract, span, Object::whole(0), object),
            (UnaryOp::Not, Object::Truth(t)) => Ok(Object::Truth(!t)),
            (UnaryOp::Not, Object::Mask(mask)) => Ok(Object::Mask(Rc::new(super::object::Mask::Not(mask)))),
            (UnaryOp::Not, object @ (Object::Tensor(_) | Object::Param(_))) => {
                let tensor = self.tensor(object, value.span)?;
                self.negation(&tensor, span).map(Object::Tensor)
            }
            (UnaryOp::Not, object) => Ok(Object::Truth(!self.holds(&object))),
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &'p Expr,
        right: &'p Expr,
        env: &Env<'p>,
    ) -> Eval<Object<'p>> {
        let a = self.eval(left, env, None)?;
        let short =
            matches!((op, &a), (BinaryOp::And, Object::Truth(false)) | (BinaryOp::Or, Object::Truth(true)));
        if short {
            return Ok(a);
        }
        let b = self.eval(right, env, None)?;
        match op {
            BinaryOp::Matmul => {
                let (a, b) = (self.tensor(a, left.span)?, self.tensor(b, right.span)?);
                self.matmul(&a, &b, op_span).map(Object::Tensor)
            }
            BinaryOp::And | BinaryOp::Or => self.logic(op, op_span, a, b),
            _ => self.arithmetic(op, op_span, a, b),
        }
    }

    fn list(&mut self, args: &'p [Arg], env: &Env<'p>, naming: Option<&Naming>) -> Eval<Object<'p>> {
        let mut items = Vec::new();
        for (i, arg) in args.iter().enumerate() {
            items.push(self.eval(&arg.value, env, naming.map(|n| n.at(i)).as_ref())?);
        }
        Ok(Object::List(items))
    }

    fn comprehension(
        &mut self,
        body: &'p Expr,
        name: &'p Name,
        over: &'p Over,
        env: &Env<'p>,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        let values = match over {
            Over::Below(limit) => {
                let object = self.eval(limit, env, None)?;
                let count = self.count(&object, limit.span)?;
                self.repeated = self.repeated.saturating_add(count);
                if self.repeated > MOST_ELEMENTS {
                    let message = format!("lists have at most {MOST_ELEMENTS} elements together");
                    return self.fail(Code::E0314, limit.span, message);
                }
                (0..count as i64).map(Object::whole).collect()
            }
            Over::Elements(list) => match self.eval(list, env, None)? {
                Object::List(items) => items,
                other => {
                    let message = format!("only a list can be walked, this is {}", other.describe());
                    return self.fail(Code::E0314, list.span, message);
                }
            },
        };
        let mut items = Vec::new();
        for (i, value) in values.into_iter().enumerate() {
            let locals = Locals::default();
            locals.world.set(self.world);
            self.note(name.span, &value);
            locals.set(&name.text, value);
            let inner = env.with(Layer::Locals(locals));
            items.push(self.eval(body, &inner, naming.map(|n| n.at(i)).as_ref())?);
        }
        Ok(Object::List(items))
    }

    fn relabel(&mut self, value: &'p Expr, label: &'p Name, env: &Env<'p>) -> Eval<Object<'p>> {
        self.known_modality(label)?;
        let object = self.eval(value, env, None)?;
        let mut tensor = self.tensor(object, value.span)?;
        let ty = Rc::make_mut(&mut tensor.ty);
        ty.label = Some(label.text.as_str().into());
        ty.segments = None;
        Ok(Object::Tensor(tensor))
    }

    /// Refuses labels that nobody declared.
    pub fn known_modality(&mut self, label: &Name) -> Eval<()> {
        let mut known = vec!["image", "text", "fused"];
        known.extend(self.program.modalities.iter().map(String::as_str));
        if known.contains(&label.text.as_str()) {
            return Ok(());
        }
        let mut error =
            Diagnostic::error(Code::E0209, label.span, format!("unknown modality `{}`", label.text));
        if let Some(near) = nearest(&label.text, known) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error)
    }

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

    /// The replaced parts of a block as thunks.
    pub fn thunks(&self, block: &'p [Field], env: &Env<'p>) -> Names<'p, Thunk<'p>> {
        block.iter().map(|f| (f.name.text.as_str(), Thunk { expr: &f.value, env: env.clone() })).collect()
    }
}
