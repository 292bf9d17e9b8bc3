//! Modules: building them, their parts, calling them, and `with` on them (4.2, 4.3).

use super::eval::Naming;
use super::instance::{Fixed, Instance, Owners, parts};
use super::names::{Free, is_capital};
use super::object::{Closure, Constructor, Given, Object, Thunk};
use super::scope::{Env, Layer, Locals, Names};
use super::state::{Eval, Frame, Lower, PathStep, World};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Expr, ExprKind, Field, ModuleBody, Part};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

impl<'p> Lower<'p> {
    /// A module from its constructor.
    pub fn construct(
        &mut self,
        constructor: &Rc<Constructor<'p>>,
        given: Vec<Given<'p>>,
        span: Span,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        let module = constructor.module;
        let Some(naming) = naming else {
            let message = format!("`{}` builds a module, and a module must have a name", module.name.text);
            let note = format!("write a definition, as in `name = {}(…)`, and apply that", module.name.text);
            return self.report(Diagnostic::error(Code::E0210, span, message).note(note));
        };
        let bound = self.bind(&module.params, given, &module.name.text, span)?;
        let params = self.static_params(constructor, bound, naming)?;
        match &module.body {
            ModuleBody::Derived(expr) => {
                let locals = Locals::default();
                locals.world.set(self.world);
                *locals.known.borrow_mut() = params;
                let env = constructor.env.with(Layer::Locals(locals));
                let called = naming.called.clone().unwrap_or_else(|| module.name.text.clone());
                self.eval(expr, &env, Some(&Naming { called: Some(called), ..naming.clone() }))
            }
            ModuleBody::Parts(_) => {
                Ok(Object::Module(Rc::new(self.fresh(constructor, params, span, naming))))
            }
        }
    }

    fn static_params(
        &mut self,
        constructor: &Rc<Constructor<'p>>,
        bound: Vec<Option<Given<'p>>>,
        naming: &Naming,
    ) -> Eval<Names<'p, Object<'p>>> {
        let locals = Locals::default();
        locals.world.set(self.world);
        let env = constructor.env.with(Layer::Locals(locals));
        let mut params = Names::default();
        for (param, given) in constructor.module.params.iter().zip(bound) {
            let value = match (given, &param.default) {
                (Some(given), _) => given.value,
                (None, Some(default)) => {
                    self.within(0, |s| s.eval(default, &env, Some(&naming.part(&param.name.text))))?
                }
                (None, None) => Object::None,
            };
            self.note(param.name.span, &value);
            if let Some(locals) = env.locals() {
                locals.set(&param.name.text, value.clone());
            }
            params.insert(&param.name.text, value);
        }
        Ok(params)
    }

    /// A part or named function of a module; parts come into being here.
    pub fn member(&mut self, instance: &Rc<Instance<'p>>, name: &str) -> Eval<Option<Object<'p>>> {
        if let Some(part) = instance.parts.borrow().get(name) {
            return Ok(Some(part.clone()));
        }
        if let Some((name, thunk)) = instance.replaced.iter().find(|(known, _)| *known == name) {
            let env = thunk.env.with(Layer::Capitals(instance.clone()));
            return self.build(instance, name, thunk.expr, &env).map(Some);
        }
        if let Some(base) = &instance.base {
            return self.member(&base.clone(), name);
        }
        let env = || instance.env.with(Layer::Instance(instance.clone()));
        if let Some(field) = instance.field(name) {
            return self.build(instance, &field.name.text, &field.value, &env()).map(Some);
        }
        let function = instance.function(Some(name));
        Ok(function.map(|function| {
            let closure = Closure { function, env: env(), name: name.into() };
            Object::Function(Rc::new(closure))
        }))
    }

    fn build(
        &mut self,
        instance: &Rc<Instance<'p>>,
        name: &'p str,
        expr: &'p Expr,
        env: &Env<'p>,
    ) -> Eval<Object<'p>> {
        let innermost = (instance.path.clone(), instance.constructor.clone());
        let owners: Owners = std::iter::once(innermost).chain(instance.owners.iter().cloned()).collect();
        let naming = Naming { path: format!("{}.{name}", instance.path), owners, called: None };
        let part = (Rc::as_ptr(instance), name);
        if self.building.contains(&part) {
            return self.fail(Code::E0208, expr.span, format!("the part `{name}` depends on itself"));
        }
        self.building.push(part);
        let value = self.within(0, |s| s.eval(expr, env, Some(&naming)));
        self.building.pop();
        let value = value?;
        instance.parts.borrow_mut().insert(name, value.clone());
        Ok(value)
    }

    /// Applies a module.
    pub fn apply(
        &mut self,
        instance: &Rc<Instance<'p>>,
        given: Vec<Given<'p>>,
        span: Span,
    ) -> Eval<Object<'p>> {
        let Some(function) = instance.function(None) else {
            let message = format!("`{}` cannot be applied: it has no nameless `fn`", instance.constructor);
            return self.fail(Code::E0210, span, message);
        };
        if let Some(Given { value: Object::Tensor(first), .. }) = given.first() {
            self.entered.entry(instance.path.clone()).or_default().push(first.node);
        }
        let env = instance.env.with(Layer::Instance(instance.clone()));
        let frame = Frame {
            what: Some(instance.constructor.clone()),
            step: PathStep::Name(instance.path.clone()),
            span,
            body: function.span,
        };
        self.inside(frame, |s| {
            s.owned(instance.path.clone(), |s| {
                let closure = Closure { function, env, name: instance.constructor.clone() };
                let locals = s.enter_call(&closure, given, span, Some(instance))?;
                s.requirements(instance)?;
                s.leave_call(&closure, locals)
            })
        })
    }

    /// Applies something through a slow copy.
    pub fn apply_slow(
        &mut self,
        inner: Object<'p>,
        slow: Arc<str>,
        mut given: Vec<Given<'p>>,
        span: Span,
    ) -> Eval<Object<'p>> {
        for one in &mut given {
            if let Object::Param(param) = &one.value {
                one.value = Object::Tensor(self.read(&param.clone())?);
            }
        }
        let world = World { twin: Some(slow), ..self.worlds[self.world].clone() };
        let world = self.enter(world);
        match self.within(world, |s| s.call(inner, given, span, None))? {
            Object::Tensor(tensor) => self.stopped(&tensor).map(Object::Tensor),
            other => Ok(other),
        }
    }

    fn requirements(&mut self, instance: &Rc<Instance<'p>>) -> Eval<()> {
        let env = instance.env.with(Layer::Instance(instance.clone()));
        for part in parts(instance.module) {
            let Part::Require(test) = part else { continue };
            let holds = self.eval(test, &env, None)?;
            if !self.holds(&holds) {
                return self.broken(instance, test, &env);
            }
        }
        Ok(())
    }

    fn broken(&mut self, instance: &Rc<Instance<'p>>, test: &'p Expr, env: &Env<'p>) -> Eval<()> {
        let program = self.program;
        let text = program.sources.text(test.span);
        let message = format!("`{}` requires {text}", instance.constructor);
        let mut names: Vec<String> = Vec::new();
        for mention in Free::of(test).found {
            if !names.contains(&mention.text) {
                names.push(mention.text);
            }
        }
        let mut values = Vec::new();
        for name in &names {
            let value = self.lookup(name, test.span, env)?;
            values.push(format!("{name} = {}", value.describe()));
        }
        let mut error = Diagnostic::error(Code::E0305, instance.built, message)
            .note(format!("here {}", values.join(", ")));
        for name in &names {
            let main = &program.spaces[super::program::MAIN.0].names;
            if let Some(d) = main.get(name).filter(|d| matches!(d.meaning, super::program::Meaning::Set(_))) {
                error = error.note_at(d.span, format!("`{name}` is set at {}", program.sources.at(d.span)));
            }
        }
        self.report(error)
    }

    /// Fixes a capital of a module at its first call, and compares later ones.
    pub fn fix(
        &mut self,
        instance: &Rc<Instance<'p>>,
        name: &'p str,
        size: &crate::shape::Size,
        span: Span,
    ) -> Eval<()> {
        if !instance.wanted.contains(name) {
            return Ok(());
        }
        let known = instance.fixed.borrow().get(name).cloned();
        match known {
            Some(fixed) if fixed.size != *size => {
                let message = format!(
                    "`{name}` is {} in this {} since its first call, here it would be {size}",
                    fixed.size, instance.constructor
                );
                let first = self.program.sources.at(fixed.span);
                let error = Diagnostic::error(Code::E0306, span, message)
                    .note(format!("the module is `{}`", instance.path))
                    .note_at(fixed.span, format!("first called at {first}"));
                self.report(error)
            }
            Some(_) => Ok(()),
            None => {
                let place = self.frames.iter().rev().map(|f| f.span).find(|s| !self.in_library(*s));
                let span = place.unwrap_or(span);
                instance.fixed.borrow_mut().insert(name, Fixed { size: size.clone(), span });
                Ok(())
            }
        }
    }

    /// `m with { part = e }`.
    pub fn with_parts(
        &mut self,
        value: &'p Expr,
        block: &'p [Field],
        span: Span,
        env: &Env<'p>,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        let all_new = is_construction(value);
        let object = self.eval(value, env, if all_new { naming } else { None })?;
        let instance = match object {
            Object::Module(instance) => instance,
            Object::List(_) => {
                let message = "`with` needs a module, a value, a stage or data; this is a list";
                let note = "for a list, walk it: [l with { … } for l in xs]";
                return self.report(Diagnostic::error(Code::E0410, span, message).note(note));
            }
            other => {
                let message =
                    format!("`with` needs a module, a value, a stage or data; this is {}", other.describe());
                return self.fail(Code::E0410, span, message);
            }
        };
        for field in block {
            self.check_part(&instance, field)?;
        }
        let Some(naming) = naming else {
            return self.fail(
                Code::E0210,
                span,
                "a module changed by `with` must have a name before it is applied",
            );
        };
        Ok(Object::Module(Rc::new(changed(&instance, self.thunks(block, env), all_new, naming))))
    }

    fn fresh(
        &mut self,
        constructor: &Rc<Constructor<'p>>,
        params: Names<'p, Object<'p>>,
        built: Span,
        naming: &Naming,
    ) -> Instance<'p> {
        let module = constructor.module;
        let wanted = || Rc::new(parts(module).iter().flat_map(part_capitals).collect());
        Instance {
            path: naming.path.as_str().into(),
            constructor: naming.called.as_ref().unwrap_or(&module.name.text).as_str().into(),
            module,
            env: constructor.env.clone(),
            params,
            built,
            replaced: Names::default(),
            base: None,
            wanted: self.wanted.entry(module.name.span).or_insert_with(wanted).clone(),
            fixed: Rc::default(),
            parts: RefCell::default(),
            owners: naming.owners.clone(),
        }
    }

    fn check_part(&mut self, instance: &Rc<Instance<'p>>, field: &'p Field) -> Eval<()> {
        let name = &field.name;
        if let Some(part) = instance.field(&name.text) {
            self.note_mention(name.span, Some(part.name.span));
            return Ok(());
        }
        let known: Vec<&str> = parts(instance.module)
            .iter()
            .filter_map(|p| if let Part::Field(f) = p { Some(f.name.text.as_str()) } else { None })
            .collect();
        let message = format!("`{}` has no part `{}`", instance.constructor, name.text);
        let mut error = Diagnostic::error(Code::E0202, name.span, message);
        if let Some(near) = nearest(&name.text, known.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("its parts: {}", known.join(", "))))
    }
}

fn is_construction(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call { callee, .. } => matches!(&callee.kind, ExprKind::Name(name) if is_capital(name)),
        ExprKind::Group(inner) | ExprKind::With { value: inner, .. } => is_construction(inner),
        _ => false,
    }
}

fn changed<'p>(
    from: &Rc<Instance<'p>>,
    thunks: Names<'p, Thunk<'p>>,
    all_new: bool,
    naming: &Naming,
) -> Instance<'p> {
    let more = thunks.iter().flat_map(|(_, t)| capitals(t.expr));
    let wanted = Rc::new(from.wanted.iter().cloned().chain(more).collect());
    let mut replaced = if all_new { from.replaced.clone() } else { Names::default() };
    thunks.iter().for_each(|(name, thunk)| replaced.insert(name, thunk.clone()));
    Instance {
        path: naming.path.as_str().into(),
        constructor: from.constructor.clone(),
        module: from.module,
        env: from.env.clone(),
        params: from.params.clone(),
        built: from.built,
        replaced,
        base: if all_new { from.base.clone() } else { Some(from.clone()) },
        wanted,
        fixed: if all_new { Rc::default() } else { from.fixed.clone() },
        parts: RefCell::default(),
        owners: naming.owners.clone(),
    }
}

fn part_capitals(part: &Part) -> BTreeSet<String> {
    match part {
        Part::Field(field) => capitals(&field.value),
        Part::Require(test) => capitals(test),
        Part::Fn(_) => BTreeSet::new(),
    }
}

fn capitals(expr: &Expr) -> BTreeSet<String> {
    Free::of(expr).found.into_iter().map(|n| n.text).filter(|n| is_capital(n)).collect()
}
