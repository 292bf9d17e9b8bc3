//! What a stage computes: its losses, watched values and the next values of its states; and the inputs these need.

use super::fields::Fields;
use super::names::Free;
use super::object::{Object, Tensor};
use super::program::{MAIN, Meaning};
use super::scope::Env;
use super::state::{Eval, Frame, Lower, PathStep};
use super::static_check::elements;
use super::trains::depends;
use crate::op::{Op, Value};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::Expr;
use std::collections::BTreeSet;

impl<'p> Lower<'p> {
    /// The losses in `minimise`, in order.
    pub fn losses(&mut self, minimise: &'p Expr, env: &Env<'p>) -> Eval<Vec<(String, Tensor, Span)>> {
        let mut losses: Vec<(String, Tensor, Span)> = Vec::new();
        for mention in Free::of(minimise).found {
            let meaning = self.program.spaces[MAIN.0].names.get(&mention.text).map(|d| &d.meaning);
            if !matches!(meaning, Some(Meaning::Loss(_))) {
                let object = self.lookup(&mention.text, mention.span, env)?;
                if matches!(
                    object,
                    Object::Tensor(_) | Object::Module(_) | Object::List(_) | Object::Param(_)
                ) {
                    return self.fail(Code::E0606, mention.span, format!("`{}` is not a loss", mention.text));
                }
                continue;
            }
            let object = self.definition(MAIN, &mention.text)?;
            let tensor = self.tensor(object, mention.span)?;
            if tensor.ty.rank() != 0 {
                let message = format!("a loss must be a single number, `{}` is {}", mention.text, tensor.ty);
                return self.fail(Code::E0313, mention.span, message);
            }
            if !losses.iter().any(|(name, _, _)| *name == mention.text) {
                losses.push((mention.text, tensor, mention.span));
            }
        }
        Ok(losses)
    }

    /// Values that the caller wants besides; a stage that has no such definition leaves them out.
    pub fn wished_values(&mut self) -> Eval<()> {
        for wish in self.options.values.clone() {
            let names = &self.program.spaces[MAIN.0].names;
            if super::value::wanted(&wish).into_iter().all(|name| names.contains_key(name)) {
                self.name_value(&wish, format!("value/{wish}"))?;
            }
        }
        Ok(())
    }

    pub fn watch(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<()> {
        for expr in fields.get("watch").map(elements).unwrap_or_default() {
            let object = self.eval(expr, env, None)?;
            let tensor = self.tensor(object, expr.span)?;
            let name = self.program.sources.text(expr.span).to_string();
            self.graph.name(format!("watch/{name}"), tensor.node);
        }
        Ok(())
    }

    /// The next values of all states that are reached, and of those that these reach.
    pub fn advance_states(&mut self, fields: &Fields<'p>, env: &Env<'p>) -> Eval<()> {
        let kept = self.paths(fields, "freeze");
        let mut done = BTreeSet::new();
        loop {
            let graph = self.reached_graph();
            let next = graph.into_iter().find(|name| !done.contains(name));
            let Some(name) = next else { return self.move_owned() };
            done.insert(name.clone());
            if kept.iter().any(|(path, _)| *path == name) {
                continue;
            }
            self.advance(&name, env)?;
        }
    }

    /// Names of the states that outputs depend on.
    fn reached_graph(&self) -> Vec<String> {
        let roots: Vec<Value> = self.graph.outputs().iter().map(|(_, v)| *v).collect();
        let states = depends(&self.graph, &roots).into_iter().filter_map(|v| match &self.graph.node(v).op {
            Op::State(state) => Some(state.name.clone()),
            _ => None,
        });
        states.collect()
    }

    fn advance(&mut self, name: &str, env: &Env<'p>) -> Eval<()> {
        let program = self.program;
        let Some(Meaning::State { then: Some(then), .. }) =
            program.spaces[MAIN.0].names.get(name).map(|d| &d.meaning)
        else {
            return Ok(());
        };
        let frame = Frame {
            what: None,
            step: PathStep::Name(format!("{name} then").into()),
            span: then.span,
            body: then.span,
        };
        let object = self.inside(frame, |s| s.owned(name, |s| s.eval(then, env, None)))?;
        let next = self.tensor(object, then.span)?;
        let state = self.states[name].clone();
        let labels = state.ty.label.is_none() || state.ty.modality() == next.ty.modality();
        if next.ty.sizes() != state.ty.sizes() || next.ty.kind() != state.ty.kind() || !labels {
            let message = format!("the state `{name}` is {}, but becomes {}", state.ty, next.ty);
            return self.fail(Code::E0501, then.span, message);
        }
        self.graph.name(format!("next/{name}"), next.node);
        Ok(())
    }

    pub fn inputs_fed(
        &mut self,
        fields: &Fields<'p>,
        losses: &[(String, Tensor, Span)],
        columns: &[String],
        at: Span,
    ) -> Eval<()> {
        let outputs: Vec<(String, Value)> = self.graph.outputs().to_vec();
        let roots: Vec<Value> =
            losses.iter().map(|loss| loss.1.node).chain(outputs.iter().map(|o| o.1)).collect();
        if self.inputs_of(&roots).iter().all(|input| columns.contains(input)) {
            return Ok(());
        }
        let line = |s: &Self, name: &str| {
            let definition = &s.program.spaces[MAIN.0].names[name];
            s.program.sources.place(definition.span).line
        };
        for (loss, tensor, _) in losses {
            let missing = self.inputs_of(&[tensor.node]).into_iter().find(|input| !columns.contains(input));
            let Some(input) = missing else { continue };
            let message = format!(
                "stage `{}` minimises `{loss}`, which needs the input `{input}`; its data has none",
                fields.name
            );
            let places = format!(
                "`{input}` is declared at line {}, `{loss}` at line {}",
                line(self, &input),
                line(self, loss)
            );
            let has = format!("the data has: {}", columns.join(", "));
            return self.report(Diagnostic::error(Code::E0602, at, message).note(has).note(places));
        }
        for (output, node) in outputs {
            let missing = self.inputs_of(&[node]).into_iter().find(|input| !columns.contains(input));
            let Some(input) = missing else { continue };
            let what = match output.split_once('/') {
                Some(("next", state)) => format!("keeps the state `{state}`, whose next value"),
                Some(("watch", value)) => format!("watches `{value}`, which"),
                _ => "computes something that".to_string(),
            };
            let message =
                format!("stage `{}` {what} needs the input `{input}`; its data has none", fields.name);
            let has = format!("the data has: {}", columns.join(", "));
            return self.report(Diagnostic::error(Code::E0602, at, message).note(has));
        }
        Ok(())
    }

    /// Names of the inputs that values depend on; lengths count as their input.
    pub fn inputs_of(&self, roots: &[Value]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for value in depends(&self.graph, roots) {
            if let Op::Input(input) = &self.graph.node(value).op
                && !self.tables.contains_key(&input.name)
            {
                let name = input.name.trim_end_matches(".lengths").to_string();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}
