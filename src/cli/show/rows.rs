//! A stage as rows: each definition once, with its kind, its type and its parameters.

use crate::lower::account::root;
use crate::lower::model::{Mark, MarkKind, Parameter, Stage, Twin};
use serde::Serialize;
use std::collections::BTreeMap;

/// A stage.
#[derive(Debug, Serialize)]
pub struct Rows {
    /// Its name.
    pub stage: String,
    /// From the inputs to the losses.
    pub rows: Vec<Row>,
    /// All parameters.
    pub parameters: usize,
    /// Elements of slow copies.
    pub twins: usize,
    /// Elements of states.
    pub states: usize,
}

/// A definition.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `input`, `module`, `value`, `state`, `slow`, `loss`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The constructor of a module, the function that makes a value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// Its type.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub ty: String,
    /// Of a module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<usize>,
    /// Whether nothing of it trains.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
}

impl Rows {
    /// The rows of a stage.
    pub fn of(stage: &Stage) -> Self {
        Self {
            stage: stage.name.clone(),
            rows: rows(stage),
            parameters: stage.parameters.iter().map(Parameter::elements).sum(),
            twins: stage.twins.iter().map(Twin::elements).sum(),
            states: stage.states.iter().map(|s| s.shape.elements()).sum(),
        }
    }

    /// The rows of one kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }
}

fn rows(stage: &Stage) -> Vec<Row> {
    let marks = |kind: MarkKind| stage.outline.marks.iter().filter(move |mark| mark.kind == kind);
    let results = || stage.outline.marks.iter().filter_map(result);
    let mut rows: Vec<Row> = marks(MarkKind::Input).map(|mark| row("input", mark)).collect();
    rows.extend(modules(stage));
    rows.extend(marks(MarkKind::State).map(|mark| row("state", mark)));
    rows.extend(results());
    rows.extend(marks(MarkKind::Twin).map(|mark| row("slow", mark)));
    rows.extend(marks(MarkKind::Loss).map(|mark| row("loss", mark)));
    rows
}

fn row(kind: &'static str, mark: &Mark) -> Row {
    Row {
        kind,
        name: mark.name.clone(),
        what: mark.what.clone(),
        ty: mark.ty.clone(),
        parameters: None,
        frozen: false,
    }
}

/// A value, whether a module makes it or not.
fn result(mark: &Mark) -> Option<Row> {
    let value = Row { name: mark.result.clone().unwrap_or_else(|| mark.name.clone()), ..row("value", mark) };
    match (mark.kind, &mark.result) {
        (MarkKind::Value, _) => Some(value),
        (MarkKind::Module, Some(_)) => Some(Row { what: mark.name.clone(), ..value }),
        _ => None,
    }
}

/// Every module that owns parameters, in order of first use.
fn modules(stage: &Stage) -> Vec<Row> {
    let constructors: BTreeMap<&str, &str> = stage
        .outline
        .marks
        .iter()
        .filter_map(|mark| Some((mark.module.as_deref()?, mark.what.as_str())))
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for parameter in &stage.parameters {
        let name = root(&parameter.path);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let module = |name: &&str| {
        let what = constructors.get(*name).map_or(String::new(), ToString::to_string);
        let frozen = below(stage, name).all(|p| !p.trained);
        let what = if what.is_empty() && below(stage, name).all(|p| p.path == **name) {
            "Param".into()
        } else {
            what
        };
        Row {
            kind: "module",
            name: (*name).to_string(),
            what,
            ty: String::new(),
            parameters: Some(count(stage, name)),
            frozen,
        }
    };
    names.iter().map(module).collect()
}

/// The parameters of a definition, one by one.
pub fn below<'s>(stage: &'s Stage, name: &str) -> impl Iterator<Item = &'s Parameter> {
    stage.parameters.iter().filter(move |p| root(&p.path) == name)
}

/// The parameters of a definition.
pub fn count(stage: &Stage, name: &str) -> usize {
    below(stage, name).map(Parameter::elements).sum()
}

/// Whether a definition has parameters and none of them trains.
pub fn is_frozen(stage: &Stage, name: &str) -> bool {
    below(stage, name).next().is_some() && below(stage, name).all(|p| !p.trained)
}
