//! The fields of stages and tasks, and the `set`s among them (4.1).

use super::object::Object;
use super::program::{MAIN, Meaning, Program, Protocol};
use super::scope::Env;
use super::state::{Eval, Lower, Stopped};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Expr, StageField};
use std::collections::BTreeMap;

/// The fields of a stage or task by name.
pub struct Fields<'p> {
    /// As they are written.
    pub fields: &'p [StageField],
    /// The name of the stage or task.
    pub name: String,
    /// Its place.
    pub span: Span,
}

impl<'p> Fields<'p> {
    /// A field's value.
    pub fn get(&self, name: &str) -> Option<&'p Expr> {
        self.fields.iter().find_map(|f| match f {
            StageField::Field(field) if field.name.text == name => Some(&field.value),
            _ => None,
        })
    }
}

impl<'p> Lower<'p> {
    /// Reads the fields of a stage or task: unknown ones are refused, `set`s take effect.
    pub fn open(
        &mut self,
        protocol: &'p Protocol,
        fields: &'p [StageField],
        known: &[&str],
        command: &[(String, String)],
        outer: &'p [StageField],
    ) -> Eval<Fields<'p>> {
        self.bind_sets(command, outer)?;
        self.bind_sets(&[], fields)?;
        let mut wrong = false;
        for field in fields {
            if let StageField::Field(field) = field
                && !known.contains(&field.name.text.as_str())
            {
                wrong |= self.unknown_field(&field.name.text, field.name.span, known).is_err();
            }
        }
        if wrong {
            return Err(Stopped);
        }
        Ok(Fields { fields, name: protocol.name.text.clone(), span: protocol.name.span })
    }

    fn unknown_field(&mut self, name: &str, span: Span, known: &[&str]) -> Eval<()> {
        let mut error = Diagnostic::error(Code::E0206, span, format!("unknown field `{name}`"));
        if let Some(near) = nearest(name, known.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("the fields: {}", known.join(", "))))
    }

    fn bind_sets(&mut self, command: &[(String, String)], fields: &'p [StageField]) -> Eval<()> {
        let sets = |n: &str| {
            matches!(self.program.spaces[MAIN.0].names.get(n).map(|d| &d.meaning), Some(Meaning::Set(_)))
        };
        let fresh: Vec<(String, Object<'p>)> =
            command.iter().filter(|(n, _)| sets(n)).map(|(n, v)| (n.clone(), command_value(v))).collect();
        self.sets.extend(fresh);
        for field in fields {
            let StageField::Set(field) = field else { continue };
            if !matches!(
                self.program.spaces[MAIN.0].names.get(&field.name.text).map(|d| &d.meaning),
                Some(Meaning::Set(_))
            ) {
                return self.unknown_set(&field.name.text, field.name.span);
            }
            let value = self.eval(&field.value, &Env::space(MAIN), None)?;
            self.sets.insert(field.name.text.clone(), value);
        }
        // Values that other sets have taken over must be found anew.
        self.cache.clear();
        Ok(())
    }

    fn unknown_set(&mut self, name: &str, span: Span) -> Eval<()> {
        let error = Diagnostic::error(Code::E0205, span, format!("unknown parameter `{name}`"));
        let notes = set_notes(self.program, name);
        self.report(error.notes(notes))
    }

    /// A field that must be there.
    pub fn required(&mut self, fields: &Fields<'p>, what: &str, name: &str) -> Eval<&'p Expr> {
        match fields.get(name) {
            Some(expr) => Ok(expr),
            None => {
                self.fail(Code::E0601, fields.span, format!("{what} `{}` does not say `{name}`", fields.name))
            }
        }
    }

    /// A name that is no stage, task or weight map.
    pub fn unknown_stage<T>(&mut self, name: &str, span: Span, known: Vec<&str>) -> Eval<T> {
        let mut error =
            Diagnostic::error(Code::E0204, span, format!("unknown stage, task or weight map `{name}`"));
        if let Some(near) = nearest(name, known.iter().copied()) {
            error = error.note(format!("did you mean `{near}`?"));
        }
        self.report(error.note(format!("there are: {}", known.join(", "))))
    }

    /// Every `set` with its value, as text.
    pub fn set_values(&mut self) -> Eval<BTreeMap<String, String>> {
        let is_set = |(name, d): (&'p String, &super::program::Definition)| {
            matches!(d.meaning, Meaning::Set(_)).then_some(name)
        };
        let names: Vec<&'p String> = self.program.spaces[MAIN.0].names.iter().filter_map(is_set).collect();
        names.into_iter().map(|name| Ok((name.clone(), self.definition(MAIN, name)?.describe()))).collect()
    }
}

fn command_value<'p>(text: &str) -> Object<'p> {
    match (text.replace('_', "").parse::<i64>(), text.parse::<f64>(), text) {
        (Ok(whole), _, _) => Object::whole(whole),
        (_, Ok(real), _) => Object::Real(real),
        (_, _, "true") => Object::Truth(true),
        (_, _, "false") => Object::Truth(false),
        _ => Object::Text(text.trim_matches('"').to_string()),
    }
}

/// What to say about an unknown `set`: the nearest, and all with their values.
pub fn set_notes(program: &Program, name: &str) -> Vec<String> {
    let mut sets: Vec<(usize, String, &str)> = Vec::new();
    for definition in program.spaces[MAIN.0].names.values() {
        if let Meaning::Set(expr) = &definition.meaning {
            sets.push((definition.order, definition.name.text.clone(), program.sources.text(expr.span)));
        }
    }
    sets.sort();
    let near = nearest(name, sets.iter().map(|(_, n, _)| n.as_str())).map(|n| format!("did you mean `{n}`?"));
    let all: Vec<String> = sets.iter().map(|(_, n, v)| format!("{n} = {v}")).collect();
    near.into_iter().chain([format!("it has: {}", all.join(", "))]).collect()
}
