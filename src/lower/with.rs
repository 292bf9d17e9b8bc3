//! `x with { a = b }` on a value: the same, with one upstream wire moved (4.6).

use super::eval::Naming;
use super::names::is_owner;
use super::object::Object;
use super::program::{MAIN, Meaning};
use super::scope::Env;
use super::state::{Eval, Lower};
use super::types::{Elements, Range, Type};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Expr, ExprKind, Field};

impl<'p> Lower<'p> {
    /// `with` on a module or on a value.
    pub fn with(
        &mut self,
        value: &'p Expr,
        block: &'p [Field],
        span: Span,
        env: &Env<'p>,
        naming: Option<&Naming>,
    ) -> Eval<Object<'p>> {
        if is_owner(self.program, env.space_id(), value) || self.names_module(value, env) {
            return self.with_parts(value, block, span, env, naming);
        }
        let mut world = self.worlds[self.world].clone();
        for field in block {
            let (key, replacement) = self.replacement(value, field, env)?;
            world.replaced.insert(field.name.text.clone(), (key, replacement));
        }
        let world = self.enter(world);
        self.within(world, |s| s.eval(value, env, None))
    }

    /// Whether a path that begins with no definition of the file means a module: a local, a part, a loop variable.
    fn names_module(&mut self, value: &'p Expr, env: &Env<'p>) -> bool {
        let mut root = value;
        loop {
            match &root.kind {
                ExprKind::Part { value, .. } | ExprKind::Index { value, .. } | ExprKind::Group(value) => {
                    root = value
                }
                ExprKind::Name(name) if !self.program.spaces[MAIN.0].names.contains_key(name) => break,
                _ => return false,
            }
        }
        matches!(self.eval(value, env, None), Ok(Object::Module(_) | Object::List(_)))
    }

    fn replacement(
        &mut self,
        value: &'p Expr,
        field: &'p Field,
        env: &Env<'p>,
    ) -> Eval<(String, Object<'p>)> {
        let name = &field.name;
        let program = self.program;
        let known = program.spaces[MAIN.0].names.get(&name.text);
        self.note_mention(name.span, known.map(|d| d.name.span));
        let what = match known.map(|d| &d.meaning) {
            Some(Meaning::Value(_) | Meaning::Input(_) | Meaning::Loss(_) | Meaning::State { .. }) => None,
            Some(Meaning::Set(_)) => Some("a set"),
            Some(Meaning::Fn(_)) => Some("a fn"),
            Some(_) => Some("a constructor or data"),
            None => Some("not a definition of the file"),
        };
        if let Some(what) = what {
            let message = format!(
                "`{}` is {what}; only values, inputs, losses and modules of the file can be replaced",
                name.text
            );
            return self.fail(Code::E0409, name.span, message);
        }
        self.on_the_way(value, field)?;
        let naming = Naming::of(&format!("{}.{}", self.at.last().map_or("with", |p| p), name.text));
        let mut new = self.eval(&field.value, env, Some(&naming))?;
        if let Object::Param(param) = &new {
            new = Object::Tensor(self.read(&param.clone())?);
        }
        self.check_replacement(field, &new)?;
        let key = match &new {
            Object::Tensor(tensor) => format!("{}@{}", self.at.last().map_or("", |p| p), tensor.node.0),
            other => other.describe(),
        };
        Ok((key, new))
    }

    fn on_the_way(&mut self, value: &'p Expr, field: &'p Field) -> Eval<()> {
        let name = &field.name;
        let reached = self.reach.expr(self.program, MAIN, value);
        if reached.contains(&name.text) {
            return Ok(());
        }
        let text = self.program.sources.text(value.span).to_string();
        let mut error =
            Diagnostic::error(Code::E0407, name.span, format!("`{text}` does not depend on `{}`", name.text));
        let env = Env::space(MAIN);
        if let Ok(Object::Tensor(tensor)) = self.eval(value, &env, None) {
            error = error.note(format!("`{text}` is {}", tensor.ty));
        }
        let sets =
            |n: &&String| !matches!(self.program.spaces[MAIN.0].names[n.as_str()].meaning, Meaning::Set(_));
        let names: Vec<&str> = reached.iter().filter(sets).map(String::as_str).collect();
        self.report(error.note(format!("it depends on: {}", names.join(", "))))
    }

    fn check_replacement(&mut self, field: &'p Field, new: &Object<'p>) -> Eval<()> {
        let old = self.definition(MAIN, &field.name.text)?;
        let old = match old {
            Object::Param(param) => Object::Tensor(self.read(&param)?),
            other => other,
        };
        let why = match (&old, new) {
            (Object::Tensor(old), Object::Tensor(new)) => misfit(&old.ty, &new.ty),
            (Object::Tensor(old), Object::Whole(_) | Object::Real(_)) if old.ty.rank() == 0 => None,
            (Object::Tensor(_), other) => Some(format!("it is {}", other.describe())),
            (Object::Module(_) | Object::List(_), Object::Tensor(_)) => {
                Some("it is a value, not a module".into())
            }
            _ => None,
        };
        let Some(why) = why else { return Ok(()) };
        let message = format!("{} cannot take the place of `{}`", new.describe(), field.name.text);
        let error = Diagnostic::error(Code::E0408, field.value.span, message).note(format!(
            "`{}` is {}",
            field.name.text,
            old.describe()
        ));
        self.report(error.note(why))
    }
}

fn misfit(old: &Type, new: &Type) -> Option<String> {
    if old.rank() != new.rank() {
        return Some(format!("it has {} axes, not {}", new.rank(), old.rank()));
    }
    if old.modality() != new.modality() {
        let say = |l: Option<super::types::Label>| l.map_or("none".to_string(), |l| format!("`{l}`"));
        return Some(format!("its modality is {}, not {}", say(new.modality()), say(old.modality())));
    }
    match (&old.elements, &new.elements) {
        (Elements::Ids(Range::Of(a)), Elements::Ids(Range::Of(b))) if a == b => None,
        (Elements::Ids(Range::Of(a)), Elements::Ids(b)) => {
            Some(format!("its ids are of {b}, not of {}", a.name))
        }
        (Elements::Ids(_), Elements::Ids(_)) | (Elements::Float, Elements::Float) => None,
        (Elements::Condition, Elements::Condition) => None,
        _ => Some("its elements are of another kind".into()),
    }
}
