//! What derived data asks of other stages: the condition of every `keep` becomes a graph of its own under the `set`s of the stage that
//! computes it, and the task of every `recaption` is held against the rows that it writes about.
//!
//! ```text
//! keep(web, match[:, 1] > match[:, 0], on: filter)     a graph with the output `keep`, [B]
//! recaption(web, by: write)                             `write` must be `generate`, and read what `web` has
//! ```

use super::model::{self, Answer, Reading, Values};
use super::program::{MAIN, Meaning, Program, Protocol, path_text};
use super::scope::Env;
use super::state::{Eval, Lower};
use super::types::Elements;
use super::{Options, stage};
use crate::recipe::Data;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::print;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arg, Expr, ExprKind, StageField};
use std::collections::{BTreeMap, BTreeSet};

/// The condition of `keep(D, condition, on: stage)`.
#[derive(Clone, Debug)]
pub struct Condition {
    /// As it is written.
    pub condition: String,
    /// The stage that computes it.
    pub on: String,
    /// The batch symbol of its rows.
    pub symbol: String,
    /// A graph with the output `keep`, `[B]`: 1 where it holds, else 0.
    pub values: Values,
}

/// A call of `recaption` or `keep` that some stage or task reads.
#[derive(Clone, Copy, Debug)]
pub struct Call<'p> {
    keeps: bool,
    args: &'p [Arg],
}

/// What is known of a call by itself.
pub enum Derivation {
    /// Of `keep`.
    Keep(Condition),
    /// Of `recaption`: the rows, where they are written, the task, where it is named.
    Recaption(Data, Span, String, Span),
}

impl model::Model {
    /// The condition of a `keep` as it is written, on a stage.
    pub fn condition(&self, condition: &str, on: &str) -> Option<&Condition> {
        self.conditions.iter().find(|known| known.condition == condition && known.on == on)
    }
}

impl Derivation {
    /// The condition of a `keep`.
    pub fn condition(self) -> Option<Condition> {
        match self {
            Self::Keep(condition) => Some(condition),
            Self::Recaption(..) => None,
        }
    }
}

/// The calls that the `data` fields of stages and tasks reach.
pub fn calls<'p>(program: &'p Program, fields: impl Iterator<Item = &'p StageField>) -> Vec<Call<'p>> {
    let mut found = BTreeMap::new();
    let mut asked = BTreeSet::new();
    for field in fields {
        if let StageField::Field(field) = field
            && field.name.text == "data"
        {
            walk(program, &field.value, &mut asked, &mut found);
        }
    }
    found.into_values().collect()
}

fn walk<'p>(
    program: &'p Program,
    expr: &'p Expr,
    asked: &mut BTreeSet<&'p str>,
    found: &mut BTreeMap<Span, Call<'p>>,
) {
    match &expr.kind {
        ExprKind::Group(inner) | ExprKind::With { value: inner, .. } | ExprKind::Pipe { from: inner, .. } => {
            walk(program, inner, asked, found);
        }
        ExprKind::Binary { left, right, .. } => {
            [left, right].into_iter().for_each(|side| walk(program, side, asked, found));
        }
        ExprKind::List(args) => args.iter().for_each(|arg| walk(program, &arg.value, asked, found)),
        ExprKind::Name(name) if asked.insert(name) => {
            let definition = program.spaces[MAIN.0].names.get(name);
            if let Some(Meaning::Data(inner)) = definition.map(|definition| &definition.meaning) {
                walk(program, inner, asked, found);
            }
        }
        ExprKind::Call { callee, args } => {
            let ExprKind::Name(name) = &callee.kind else { return };
            if let (true, Some(data)) = (matches!(name.as_str(), "recaption" | "keep"), args.first()) {
                walk(program, &data.value, asked, found);
                found.insert(expr.span, Call { keeps: name == "keep", args });
            }
        }
        _ => {}
    }
}

impl<'p> Lower<'p> {
    /// What a call asks for; nothing if it is not written as it should be, which is said where its data is read.
    pub fn derivation(
        &mut self,
        call: Call<'p>,
        stages: &'p [Vec<StageField>],
        options: &Options,
    ) -> Eval<Option<Derivation>> {
        let env = Env::space(MAIN);
        match *call.args {
            [ref data, ref condition, ref on] if call.keeps => {
                let on = path_text(&on.value).unwrap_or_default();
                let Some(at) = self.program.stages.iter().position(|s| s.name.text == on) else {
                    return Ok(None);
                };
                self.condition(&self.program.stages[at], &stages[at], data, condition, options).map(Some)
            }
            [ref data, ref by] if !call.keeps => {
                let rows = self.feed(&data.value, &env)?;
                let task = path_text(&by.value).unwrap_or_default();
                Ok(Some(Derivation::Recaption(rows, data.value.span, task, by.value.span)))
            }
            _ => Ok(None),
        }
    }

    fn condition(
        &mut self,
        on: &'p Protocol,
        fields: &'p [StageField],
        data: &'p Arg,
        condition: &'p Arg,
        options: &Options,
    ) -> Eval<Derivation> {
        let env = Env::space(MAIN);
        self.open(on, fields, stage::FIELDS, &options.sets, &[])?;
        let rows = self.feed(&data.value, &env)?;
        let at = condition.value.span;
        let object = self.eval(&condition.value, &env, None)?;
        let tensor = self.tensor(object, at)?;
        if tensor.ty.rank() != 1 || !matches!(tensor.ty.elements, Elements::Condition) {
            let message = format!("`keep` needs a condition [B], true or false a row; this is {}", tensor.ty);
            let error = Diagnostic::error(Code::E0314, at, message);
            return self.report(error.note("a comparison makes one: match[:, 1] > match[:, 0]"));
        }
        self.graph.name("keep", tensor.node);
        let parts = self.parts(&BTreeSet::new())?;
        if !options.given {
            let who = format!("the condition of `keep` on `{}`", on.name.text);
            let missing = lacks(&who, &parts.inputs, &rows, data.value.span);
            missing.map_or(Ok(()), |error| self.report(error))?;
        }
        let symbol = parts.inputs.iter().find_map(|i| i.shape.sizes.first()?.symbols().next());
        let (condition, on) = (print::expr(&condition.value), on.name.text.clone());
        let symbol = symbol.map_or_else(|| "B".to_string(), str::to_string);
        let values = Values {
            graph: parts.graph,
            inputs: parts.inputs,
            parameters: parts.parameters,
            twins: parts.twins,
            states: parts.states,
        };
        Ok(Derivation::Keep(Condition { condition, on, symbol, values }))
    }
}

/// What rows lack that somebody reads.
fn lacks(who: &str, inputs: &[model::Input], rows: &Data, at: Span) -> Option<Diagnostic> {
    let read = inputs.iter().filter(|input| !matches!(input.reading, Reading::WordMarks { .. }));
    let column = |name: &str| rows.columns.iter().find(|column| column.name == name);
    let missing = read.map(|input| (&input.name, column(&input.name)));
    let (name, found) = missing.into_iter().find(|(_, found)| found.is_none_or(|column| column.other))?;
    let has: Vec<&str> = rows.columns.iter().map(|c| c.name.as_str()).collect();
    let message = match found {
        None => format!("{who} needs the input `{name}`, but its data has none"),
        Some(_) => {
            format!("{who} needs the input `{name}`, which is that of another row, drawn anew every time")
        }
    };
    Some(Diagnostic::error(Code::E0610, at, message).note(format!("the data has: {}", has.join(", "))))
}

/// What is wrong with a `recaption`, once all tasks are known.
pub fn unfit(derivation: &Derivation, tasks: &[model::Task]) -> Option<Diagnostic> {
    let Derivation::Recaption(rows, at, by, by_at) = derivation else { return None };
    let task = tasks.iter().find(|task| task.name == *by)?;
    let Answer::Generate { token, .. } = &task.answer else {
        let message = format!("`recaption` needs a task that writes; `{by}` is {}", task.answer.name());
        let error = Diagnostic::error(Code::E0613, *by_at, message);
        return Some(error.note("a task writes with answer = generate(…)"));
    };
    if !rows.columns.iter().any(|column| column.name == *token && !column.other) {
        let message = format!("task `{by}` writes `{token}`, but this data has no such column to replace");
        return Some(Diagnostic::error(Code::E0610, *at, message));
    }
    let read: Vec<model::Input> = task.inputs.iter().filter(|input| input.name != *token).cloned().collect();
    lacks(&format!("task `{by}`"), &read, rows, *at)
}
