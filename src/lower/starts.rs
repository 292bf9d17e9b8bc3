//! Whether a stage can start from the one it names (E0604).

use super::model::{Load, Model, Parameter, Source, Stage, Start};
use super::program::Program;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::tree::StageField;
use rustc_hash::FxHashMap;

/// Parameters that change shape between stages without a rule.
pub fn differing(program: &Program, fields: &[Vec<StageField>], model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for stage in &model.stages {
        for start in &stage.start {
            let (Start::Stage(name) | Start::Moved { stage: name, .. }) = start else { continue };
            let Some(base) = model.stages.iter().find(|s| s.name == *name) else { continue };
            found.extend(match start {
                Start::Moved { map, loads, .. } => nowhere(program, map, loads, base),
                _ => first_difference(program, fields, stage, base),
            });
        }
    }
    found
}

/// A source of a map that its stage does not have.
fn nowhere(program: &Program, map: &str, loads: &[Load], base: &Stage) -> Option<Diagnostic> {
    let missing = loads.iter().find_map(|load| match &load.source {
        Source::Named(path) if !base.holds(path) => Some((&load.key, path)),
        _ => None,
    });
    let (key, path) = missing?;
    let at = program.weights.iter().find(|w| w.name.text == map)?.name.span;
    let message = format!("stage `{}` has no parameter `{path}`, from which `{key}` is to come", base.name);
    Some(Diagnostic::error(Code::E0611, at, message))
}

fn first_difference(
    program: &Program,
    fields: &[Vec<StageField>],
    stage: &Stage,
    base: &Stage,
) -> Option<Diagnostic> {
    let bases: FxHashMap<&str, &Vec<usize>> =
        base.parameters.iter().map(|p| (p.path.as_str(), &p.dims)).collect();
    let other = |p: &Parameter| bases.get(p.path.as_str()).copied();
    let differs = |p: &&Parameter| p.resize.is_none() && other(p).is_some_and(|dims| *dims != p.dims);
    let parameter = stage.parameters.iter().find(differs)?;
    let index = program.stages.iter().position(|s| s.name.text == stage.name)?;
    let at = fields[index].iter().find_map(|f| match f {
        StageField::Field(f) if f.name.text == "start" => Some(f.value.span),
        _ => None,
    })?;
    let (there, here) = (other(parameter)?, &parameter.dims);
    let message = format!(
        "stage `{}` starts from `{}`, but `{}` is {there:?} there and {here:?} here",
        stage.name, base.name, parameter.path
    );
    let mut error = Diagnostic::error(Code::E0604, at, message);
    for (name, fields) in [(&base.name, base), (&stage.name, stage)].iter().filter_map(|(name, s)| {
        let index = program.stages.iter().position(|p| p.name.text == s.name)?;
        Some((name, &fields[index]))
    }) {
        let sets: Vec<String> = fields.iter().filter_map(|f| set_text(program, f)).collect();
        if !sets.is_empty() {
            error = error.note(format!("stage `{name}` says: {}", sets.join(", ")));
        }
    }
    let rule = "a parameter may change shape between stages only under a rule, Param(…, resize: grid | offset_grid(n) | crop)";
    Some(error.note(rule))
}

fn set_text(program: &Program, field: &StageField) -> Option<String> {
    match field {
        StageField::Set(f) => Some(format!("set {} = {}", f.name.text, program.sources.text(f.value.span))),
        _ => None,
    }
}
