//! Calls: which argument is which parameter, what a signature asks for, and the body (3.2, 4.4).

use super::eval::Naming;
use super::instance::Instance;
use super::object::{Closure, Given, Object, Tensor, Thunk};
use super::scope::{Env, Layer, Locals};
use super::state::{Eval, Frame, Lower, PathStep};
use super::types::{Elements, Range, Type};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{self, Axis, Expr, ExprKind};
use smallvec::SmallVec;
use std::rc::Rc;

/// Calls deeper than this are taken for endless.
const DEEPEST: usize = 200;

/// What a signature check is about.
struct Asked<'a> {
    /// The function or module.
    callee: &'a str,
    /// The parameter; `None` for the result.
    param: Option<&'a str>,
    /// Where messages point.
    span: Span,
}

impl<'p> Lower<'p> {
    /// Calls whatever can be called.
    pub fn call(
        &mut self,
        callee: Object<'p>,
        given: Vec<Given<'p>>,
        span: Span,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        if self.frames.len() > DEEPEST {
            return self.fail(Code::E0214, span, "calls are nested without end");
        }
        match callee {
            Object::Primitive(name) => self.primitive(name, given, span, naming),
            Object::Function(closure) => self.invoke(&closure, given, span),
            Object::Constructor(constructor) => self.construct(&constructor, given, span, naming),
            Object::Module(instance) => self.apply(&instance, given, span),
            Object::Twin(inner, slow) => self.apply_slow(*inner, slow, given, span),
            Object::Momentum(slow, Some(module)) => self.apply_slow(*module, slow, given, span),
            Object::List(items) => self.chain(items, given, span),
            Object::Word(word) => self.call_word(&word, given, span),
            Object::TokenId(vocabulary) => match given.as_slice() {
                [Given { value: Object::Text(token), span, .. }] => {
                    self.token_id(&vocabulary, &token.clone(), *span)
                }
                _ => self.fail(Code::E0211, span, "`id` needs the text of a token"),
            },
            other => {
                let message = format!("{} cannot be applied", other.describe());
                self.fail(Code::E0210, span, message)
            }
        }
    }

    /// A list applies its elements one after the other; all but the first argument go to every element.
    fn chain(&mut self, items: Vec<Object<'p>>, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        let mut given = given.into_iter();
        let Some(mut first) = given.next() else {
            return self.fail(Code::E0211, span, "a list of modules needs something to be applied to");
        };
        let rest: Vec<Given<'p>> = given.collect();
        for item in items {
            let mut all = vec![first.clone()];
            all.extend(rest.iter().cloned());
            first.value = self.call(item, all, span, None)?;
        }
        Ok(first.value)
    }

    fn invoke(&mut self, closure: &Rc<Closure<'p>>, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        let start = self.frames.last().map_or(0, |f| f.body.start);
        let step = PathStep::Call(closure.name.clone(), span.start.saturating_sub(start));
        let frame = Frame { what: Some(closure.name.clone()), step, span, body: closure.function.span };
        self.inside(frame, |s| {
            let locals = s.enter_call(closure, given, span, None)?;
            s.leave_call(closure, locals)
        })
    }

    /// Which argument is which parameter.
    pub fn bind(
        &mut self,
        params: &'p [tree::Param],
        given: Vec<Given<'p>>,
        callee: &str,
        span: Span,
    ) -> Eval<Vec<Option<Given<'p>>>> {
        for one in &given {
            let param = params.iter().find(|p| Some(p.name.text.as_str()) == one.name);
            one.name_span.into_iter().for_each(|at| self.note_mention(at, param.map(|p| p.name.span)));
        }
        let names: SmallVec<[&str; 8]> = params.iter().map(|p| p.name.text.as_str()).collect();
        let mut bound = self.place(&names, given, callee)?;
        for (param, slot) in params.iter().zip(&mut bound) {
            let nothing = slot.as_ref().is_none_or(|g| matches!(g.value, Object::None));
            if nothing && param.default.is_none() {
                let message = format!("`{callee}` needs `{}`", param.name.text);
                let note = format!("its parameters: {}", names.join(", "));
                return self.report(Diagnostic::error(Code::E0211, span, message).note(note));
            }
        }
        Ok(bound)
    }

    /// Puts arguments into the places of named parameters.
    pub fn place(
        &mut self,
        names: &[&str],
        given: Vec<Given<'p>>,
        callee: &str,
    ) -> Eval<Vec<Option<Given<'p>>>> {
        let mut bound: Vec<Option<Given<'p>>> = names.iter().map(|_| None).collect();
        let mut named = false;
        for (position, one) in given.into_iter().enumerate() {
            let index = match one.name {
                Some(name) => {
                    named = true;
                    match names.iter().position(|n| *n == name) {
                        Some(index) => index,
                        None => return self.no_argument(names, &one, name, callee),
                    }
                }
                None if named => {
                    let message = "a positional argument after a named one";
                    return self.fail(Code::E0212, one.span, message);
                }
                None => position,
            };
            match bound.get_mut(index) {
                None => {
                    let message = format!("`{callee}` takes {} arguments", names.len());
                    return self.fail(Code::E0212, one.span, message);
                }
                Some(Some(_)) => {
                    let message = format!("`{}` is given twice", names[index]);
                    return self.fail(Code::E0212, one.span, message);
                }
                Some(slot) => *slot = Some(one),
            }
        }
        Ok(bound)
    }

    fn no_argument<T>(&mut self, names: &[&str], one: &Given<'p>, name: &str, callee: &str) -> Eval<T> {
        let span = one.name_span.map_or(one.span, |n| n.to(one.span));
        let mut error = Diagnostic::error(Code::E0203, span, format!("`{callee}` has no argument `{name}`"));
        if let Some(near) = nearest(name, names.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("its arguments: {}", names.join(", "))))
    }

    /// Binds and checks arguments; the result holds them with the local definitions.
    pub fn enter_call(
        &mut self,
        closure: &Closure<'p>,
        given: Vec<Given<'p>>,
        span: Span,
        instance: Option<&Rc<Instance<'p>>>,
    ) -> Eval<Env<'p>> {
        let function = closure.function;
        let bound = self.bind(&function.params, given, &closure.name, span)?;
        let locals = Locals::default();
        locals.world.set(self.world);
        let env = closure.env.with(Layer::Locals(locals));
        for (param, given) in function.params.iter().zip(bound) {
            let (mut value, at) = match (given, &param.default) {
                (Some(given), _) => (given.value, given.span),
                (None, Some(default)) => (self.eval(default, &env, None)?, span),
                (None, None) => (Object::None, span),
            };
            if let (Some(ty), false) = (&param.ty, matches!(value, Object::None)) {
                let tensor = self.tensor(value, at)?;
                let asked = Asked { callee: &closure.name, param: Some(&param.name.text), span: at };
                self.check(ty, &tensor, &env, &asked)?;
                value = Object::Tensor(tensor);
            }
            self.note(param.name.span, &value);
            if let Some(locals) = env.locals() {
                locals.set(&param.name.text, value);
            }
            // The next parameter's type may speak of a part of the module that needs these capitals.
            self.fix_capitals(&env, span, instance)?;
        }
        if let Some(locals) = env.locals() {
            let thunk = |f: &'p tree::Field| (Thunk { expr: &f.value, env: env.clone() }, false);
            *locals.later.borrow_mut() =
                function.locals.iter().map(|f| (f.name.text.as_str(), thunk(f))).collect();
        }
        Ok(env)
    }

    fn fix_capitals(&mut self, env: &Env<'p>, span: Span, instance: Option<&Rc<Instance<'p>>>) -> Eval<()> {
        let wants = |instance: &&Rc<Instance<'p>>| !instance.wanted.is_empty();
        let (Some(instance), Some(locals)) = (instance.filter(wants), env.locals()) else { return Ok(()) };
        let size = |(name, value): (&'p str, &Object<'p>)| match value {
            Object::Whole(size) => Some((name, size.clone())),
            _ => None,
        };
        let mut capitals: Vec<(&'p str, Size)> = locals.capitals.borrow().iter().filter_map(size).collect();
        capitals.sort_unstable_by_key(|(name, _)| *name);
        for (name, size) in capitals {
            self.fix(instance, name, &size, span)?;
        }
        Ok(())
    }

    /// Evaluates the body of a call and checks its promised type.
    pub fn leave_call(&mut self, closure: &Closure<'p>, env: Env<'p>) -> Eval<Object<'p>> {
        let function = closure.function;
        let value = self.eval(&function.value, &env, None)?;
        // Local definitions hold the surroundings that hold them: let go of the circle.
        if let Some(locals) = env.locals() {
            locals.later.borrow_mut().clear();
        }
        match &function.result {
            None => Ok(value),
            Some(ty) => {
                let tensor = self.tensor(value, function.value.span)?;
                let asked = Asked { callee: &closure.name, param: None, span: ty.span };
                self.check(ty, &tensor, &env, &asked)?;
                Ok(Object::Tensor(tensor))
            }
        }
    }

    fn check(&mut self, ty: &'p tree::Type, tensor: &Tensor, env: &Env<'p>, asked: &Asked<'_>) -> Eval<()> {
        self.check_axes(ty, &tensor.ty, env, asked)?;
        self.check_elements(ty, &tensor.ty, env, asked)?;
        self.check_label(ty, &tensor.ty, asked)?;
        self.check_causal(ty, &tensor.ty, asked)
    }

    fn refuse<T>(
        &mut self,
        code: Code,
        ty: &tree::Type,
        found: &Type,
        asked: &Asked<'_>,
        why: String,
    ) -> Eval<T> {
        let text = self.program.sources.text(ty.span).to_string();
        let (callee, span) = (asked.callee, asked.span);
        let error = match asked.param {
            Some(param) => {
                let message = format!("`{callee}` takes {text} as `{param}`, this is {found}");
                Diagnostic::error(code, span, message)
            }
            None => {
                let message = format!("`{callee}` promises {text}, but its result is {found}");
                Diagnostic::error(Code::E0304, span, message)
            }
        };
        self.report(error.note(why))
    }

    fn check_axes(&mut self, ty: &'p tree::Type, found: &Type, env: &Env<'p>, asked: &Asked<'_>) -> Eval<()> {
        let Some(axes) = &ty.axes else { return Ok(()) };
        let rest = axes.iter().position(|axis| matches!(axis, Axis::Rest(_)));
        let fixed = axes.len() - usize::from(rest.is_some());
        let fits = if rest.is_some() { found.rank() >= fixed } else { found.rank() == fixed };
        if !fits {
            let why = format!(
                "it has {} axes, not {}{fixed}",
                found.rank(),
                if rest.is_some() { "at least " } else { "" }
            );
            return self.refuse(Code::E0303, ty, found, asked, why);
        }
        let extra = found.rank() - fixed;
        let mut at = 0;
        for axis in axes {
            match axis {
                Axis::Rest(_) => {
                    self.check_rest(ty, found, at..at + extra, env, asked)?;
                    at += extra;
                }
                Axis::Size { size, .. } => {
                    self.check_axis(ty, found, at, size, env, asked)?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn check_rest(
        &mut self,
        ty: &'p tree::Type,
        found: &Type,
        range: std::ops::Range<usize>,
        env: &Env<'p>,
        asked: &Asked<'_>,
    ) -> Eval<()> {
        let sizes: Vec<Object<'p>> =
            found.axes[range].iter().map(|a| Object::Whole(a.size.clone())).collect();
        let Some(locals) = env.locals() else { return Ok(()) };
        let known = locals.capitals.borrow().get("..").cloned();
        match known {
            None => locals.set_capital("..", Object::List(sizes)),
            Some(known) => {
                let text = |o: &Object<'p>| match o {
                    Object::List(items) => items.iter().map(Object::describe).collect::<Vec<_>>().join(", "),
                    other => other.describe(),
                };
                if !same_sizes(&known, &sizes) {
                    let (before, now) = (text(&known), text(&Object::List(sizes)));
                    let why = format!("`..` is [{before}] since an earlier argument, here it is [{now}]");
                    return self.refuse(Code::E0303, ty, found, asked, why);
                }
            }
        }
        Ok(())
    }

    fn check_axis(
        &mut self,
        ty: &'p tree::Type,
        found: &Type,
        at: usize,
        size: &'p Expr,
        env: &Env<'p>,
        asked: &Asked<'_>,
    ) -> Eval<()> {
        let have = found.axes[at].size.clone();
        let Some(locals) = env.locals() else { return Ok(()) };
        let want = match &size.kind {
            ExprKind::Name(name) if super::names::is_capital(name) => match locals.size(name) {
                Some(bound) => bound,
                None => {
                    let value = Object::Whole(have);
                    self.note(size.span, &value);
                    locals.set_capital(name, value);
                    return Ok(());
                }
            },
            _ => {
                let object = self.eval(size, env, None)?;
                self.size(&object, size.span)?
            }
        };
        if want == have {
            return Ok(());
        }
        let text = self.program.sources.text(size.span);
        let why = format!("axis {} is {have}, but {text} is {want}", at + 1);
        self.refuse(Code::E0303, ty, found, asked, why)
    }

    fn check_elements(
        &mut self,
        ty: &'p tree::Type,
        found: &Type,
        env: &Env<'p>,
        asked: &Asked<'_>,
    ) -> Eval<()> {
        let Some(of) = &ty.of else { return Ok(()) };
        let Elements::Ids(range) = &found.elements else {
            return self.refuse(Code::E0311, ty, found, asked, "its elements are not indices".into());
        };
        let Some(locals) = env.locals() else { return Ok(()) };
        if let ExprKind::Name(name) = &of.kind
            && super::names::is_capital(name)
            && locals.capitals.borrow().get(name).is_none()
        {
            let bound = match range {
                Range::Of(vocabulary) => Object::Vocabulary(vocabulary.clone()),
                Range::Below(size) => Object::Whole(size.clone()),
                Range::Any => Object::None,
            };
            locals.set_capital(name, bound);
            return Ok(());
        }
        let want = self.eval(of, env, None)?;
        self.check_range(ty, found, range, &want, asked)
    }

    fn check_range(
        &mut self,
        ty: &'p tree::Type,
        found: &Type,
        range: &Range,
        want: &Object<'p>,
        asked: &Asked<'_>,
    ) -> Eval<()> {
        let size = |v: &super::model::Vocabulary| super::vocabulary::size(v);
        let fits = match (want, range) {
            (Object::Word(word), _) if word == "int" => true,
            (Object::Vocabulary(want), Range::Of(have)) => want == have,
            (Object::Vocabulary(_), _) => false,
            (Object::Whole(want), Range::Below(have)) => have.at_most(want),
            (Object::Whole(want), Range::Of(have)) => Size::from(size(have)).at_most(want),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let why = match (want, range) {
            (Object::Vocabulary(want), Range::Of(have)) => format!(
                "its indices are of {} ({} values), not of {} ({} values)",
                have.name,
                size(have),
                want.name,
                size(want)
            ),
            (want, range) => format!("its indices are of {range}, not of {}", want.describe()),
        };
        self.refuse(Code::E0311, ty, found, asked, why)
    }

    fn check_label(&mut self, ty: &'p tree::Type, found: &Type, asked: &Asked<'_>) -> Eval<()> {
        let Some(label) = &ty.label else { return Ok(()) };
        self.known_modality(label)?;
        let have = found.modality();
        if have.as_deref() == Some(label.text.as_str()) {
            return Ok(());
        }
        let why = match have {
            Some(have) => format!("its modality is `{have}`, not `{}`", label.text),
            None => format!("it has no modality; `as {}` gives it one", label.text),
        };
        self.refuse(Code::E0401, ty, found, asked, why)
    }

    fn check_causal(&mut self, ty: &'p tree::Type, found: &Type, asked: &Asked<'_>) -> Eval<()> {
        let looks =
            |a: &super::types::Axis| a.padding.as_ref().is_some_and(|p| found.ahead.contains(&p.owner));
        if !ty.causal || !found.axes.iter().any(looks) {
            return Ok(());
        }
        let text = self.program.sources.text(ty.span).to_string();
        let param = asked.param.unwrap_or("result");
        let message = format!("`{}` takes {text} as `{param}`, this is {found}", asked.callee);
        let error = Diagnostic::error(Code::E0404, asked.span, message)
            .note("it has seen the words after each word")
            .note("some attention over these words has no causal mask: mask: causal");
        self.report(error)
    }
}

/// Whether a list holds just these sizes.
fn same_sizes(known: &Object<'_>, sizes: &[Object<'_>]) -> bool {
    let same =
        |(a, b): (&Object<'_>, &Object<'_>)| matches!((a, b), (Object::Whole(a), Object::Whole(b)) if a == b);
    matches!(known, Object::List(items) if items.len() == sizes.len() && items.iter().zip(sizes).all(same))
}
