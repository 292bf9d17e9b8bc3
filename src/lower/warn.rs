//! What is surely not meant, though a run would go through (`W07`).
//!
//! A warning needs no data and has no exception that a researcher could want: what has one is no warning. Invariant: the
//! shipped models and the library give none.
//!
//! ```text
//! warning[W0705]: stage `pretrain` ends before its warm-up does
//! ```

use super::account::{brought, brought_by, keys, moved, root};
use super::model::{Model, Parameter, Stage, Start};
use super::program::{MAIN, Program, Protocol, path_text};
use super::static_check::elements;
use super::trains::lies_below;
use crate::parallel;
use crate::recipe::Duration;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Expr, StageField};
use rustc_hash::FxHashSet;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// All warnings about stages and tasks, in order of place.
pub fn warnings(program: &Program, model: &Model) -> Vec<Diagnostic> {
    let of_each = |stage| {
        let written = Written::of(program, stage);
        let found = written.as_ref().map_or_else(Vec::new, |written| of_stage(model, stage, written));
        (settled(&model.stages, stage, written.as_ref()), found)
    };
    let (settled, of_stages): (Vec<_>, Vec<_>) = parallel::map(&model.stages, of_each).into_iter().unzip();
    let mut found = untrained(program, &model.stages, &settled.into_iter().flatten().collect());
    found.extend(of_stages.into_iter().flatten());
    found.extend(model.tasks.iter().filter_map(|task| {
        let stage = model.stages.iter().find(|s| s.name == task.stage)?;
        reads_untrained(&model.stages, stage, task, task.span)
    }));
    found.sort_by_key(|d| d.span);
    found.dedup_by(|a, b| a.code == b.code && a.span == b.span);
    found
}

fn of_stage(model: &Model, stage: &Stage, written: &Written<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    found.extend(idle_paths(stage, written));
    found.extend(idle_rates(stage, written));
    found.extend(long_warmup(stage, written));
    found.extend(no_steps(stage, written));
    found.extend(idle_starts(&model.stages, stage, written));
    found.extend(unread_measures(model, stage, written));
    found
}

/// A stage as it stands in the text.
struct Written<'p> {
    program: &'p Program,
    protocol: &'p Protocol,
    /// With those it derives from.
    fields: Vec<StageField>,
}

impl<'p> Written<'p> {
    fn of(program: &'p Program, stage: &Stage) -> Option<Self> {
        let protocol = program.stages.iter().find(|p| p.name.text == stage.name)?;
        Some(Self { program, protocol, fields: program.fields(protocol, &program.stages) })
    }

    fn field(&self, name: &str) -> Option<&Expr> {
        value(&self.fields, name)
    }

    /// Whether the stage says this itself: what it only derives may be meant for another one.
    fn own(&self, span: Span) -> bool {
        let mut spans = self.protocol.fields.iter().map(|field| match field {
            StageField::Field(f) | StageField::Set(f) => f.value.span,
            StageField::Rate { path, .. } => path.span,
        });
        spans.any(|own| own.file == span.file && own.start <= span.start && span.end <= own.end)
    }
}

fn value<'f>(fields: &'f [StageField], name: &str) -> Option<&'f Expr> {
    fields.iter().find_map(|field| match field {
        StageField::Field(f) if f.name.text == name => Some(&f.value),
        _ => None,
    })
}

/// What a stage moves, loads from outside or freezes on purpose.
fn settled<'s>(stages: &'s [Stage], stage: &'s Stage, written: Option<&Written<'_>>) -> Vec<Cow<'s, str>> {
    let mut settled: Vec<Cow<'s, str>> = moved(stage, "objective").into_iter().map(Cow::from).collect();
    let public = stage.start.iter().filter(|s| matches!(s, Start::Weights { .. } | Start::Base(_)));
    public.for_each(|start| settled.extend(brought_by(stages, start)));
    if written.is_some_and(|written| written.field("freeze").is_some()) {
        settled.extend(stage.parameters.iter().filter(|p| !p.trained).map(|p| p.path.as_str().into()));
    }
    settled
}

/// W0702: what some stage reads, none moves or loads, and no `freeze` names.
fn untrained(program: &Program, stages: &[Stage], settled: &FxHashSet<Cow<'_, str>>) -> Vec<Diagnostic> {
    let mut left: BTreeMap<&str, (&Stage, Vec<&Parameter>)> = BTreeMap::new();
    for stage in stages {
        for parameter in stage.parameters.iter().filter(|p| !settled.contains(p.path.as_str())) {
            let (_, known) = left.entry(root(&parameter.path)).or_insert((stage, Vec::new()));
            if !known.iter().any(|k| k.path == parameter.path) {
                known.push(parameter);
            }
        }
    }
    let warning = |(name, (stage, parameters)): (&str, (&Stage, Vec<&Parameter>))| {
        let definition = program.spaces[MAIN.0].names.get(name)?;
        Some(keeps_initial(definition.name.span, name, stage, &parameters))
    };
    left.into_iter().filter_map(warning).collect()
}

fn keeps_initial(at: Span, name: &str, stage: &Stage, parameters: &[&Parameter]) -> Diagnostic {
    let what = some(&parameters.iter().map(|p| p.path.as_str()).collect::<Vec<_>>());
    let why = if parameters.iter().all(|p| p.trained) {
        format!("stage `{}` reads it, but no gradient comes to it", stage.name)
    } else {
        format!("stage `{}` reads it, but its `train` leaves it out", stage.name)
    };
    Diagnostic::warning(Code::W0702, at, format!("no stage trains {what}: initial values stay"))
        .note(why)
        .note(format!("if that is meant, say so: freeze = {name}"))
}

/// `` `a` ``, or `` `a` and 3 more ``.
fn some(paths: &[&str]) -> String {
    match paths {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first, rest @ ..] => format!("`{first}` and {} more", rest.len()),
    }
}

/// W0703 of the tasks that a stage evaluates.
fn unread_measures(model: &Model, stage: &Stage, written: &Written<'_>) -> Vec<Diagnostic> {
    let places = written.field("evaluate").map(elements).unwrap_or_default();
    let place = |name: &str| places.iter().find(|e| path_text(e).as_deref() == Some(name)).map(|e| e.span);
    let tasks = stage.evaluate.iter().filter(|(name, _)| {
        // A task is judged with its own stage already.
        model.tasks.iter().any(|t| t.name == *name && t.stage != stage.name)
    });
    let warning = |(name, _): &(String, Option<Duration>)| {
        let task = model.tasks.iter().find(|t| t.name == *name)?;
        reads_untrained(&model.stages, stage, task, place(name).unwrap_or(stage.span))
    };
    tasks.filter_map(warning).collect()
}

/// W0703: a task needs parameters that its stage neither has nor starts with.
fn reads_untrained(
    stages: &[Stage],
    stage: &Stage,
    task: &super::model::Task,
    at: Span,
) -> Option<Diagnostic> {
    // What a stage of the extended file has was decided there.
    if stage.start.iter().any(|start| matches!(start, Start::Base(_))) {
        return None;
    }
    let mut known = brought(stages, stage);
    known.extend(keys(stage));
    let missing: Vec<&str> =
        task.parameters.iter().map(|p| p.path.as_str()).filter(|path| !known.contains(*path)).collect();
    let names: BTreeSet<&str> = missing.iter().map(|path| root(path)).collect();
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    (!missing.is_empty()).then(|| {
        let message = format!(
            "task `{}` reads {}, which stage `{}` neither trains nor starts with",
            task.name,
            names.join(", "),
            stage.name
        );
        Diagnostic::warning(Code::W0703, at, message)
            .note(format!("no checkpoint of the stage has {}, so the task will be refused", some(&missing)))
    })
}

/// W0704 of `freeze` and `train`.
fn idle_paths(stage: &Stage, written: &Written<'_>) -> Vec<Diagnostic> {
    let own = stage.idle.iter().filter(|(_, span)| written.own(*span));
    let warning = |(path, span): &(String, Span)| {
        let message = format!("stage `{}` reads no parameter of `{path}`", stage.name);
        Diagnostic::warning(Code::W0704, *span, message).note("naming it here changes nothing")
    };
    own.map(warning).collect()
}

/// W0704 of a `rate` below which everything is frozen.
fn idle_rates(stage: &Stage, written: &Written<'_>) -> Vec<Diagnostic> {
    let frozen = |path: &str| {
        let mut below = stage.parameters.iter().filter(|p| lies_below(&p.path, path)).peekable();
        below.peek().is_some() && below.all(|p| !p.trained)
    };
    let warning = |field: &StageField| match field {
        StageField::Rate { path, .. } => {
            let name = path_text(path).filter(|name| frozen(name))?;
            let known = stage.rates.iter().any(|(path, _)| *path == name);
            let message = format!("`{name}` is frozen in stage `{}`: its rate changes nothing", stage.name);
            known.then(|| Diagnostic::warning(Code::W0704, path.span, message))
        }
        _ => None,
    };
    written.protocol.fields.iter().filter_map(warning).collect()
}

/// W0705: both in steps, or both in epochs; how long an epoch is, only data knows.
fn long_warmup(stage: &Stage, written: &Written<'_>) -> Option<Diagnostic> {
    let longer = match (stage.optimiser.rate.warmup()?, stage.length) {
        (Duration::Steps(warmup), Duration::Steps(length)) => warmup > length && length > 0,
        (Duration::Epochs(warmup), Duration::Epochs(length)) => warmup > length && length > 0.0,
        _ => false,
    };
    let at = written.field("optimiser").map_or(stage.span, |e| e.span);
    let length = written.field("length").map_or("epochs(1)", |e| written.program.sources.text(e.span));
    longer.then(|| {
        let message = format!("stage `{}` ends before its warm-up does", stage.name);
        Diagnostic::warning(Code::W0705, at, message).note(format!("length = {length}"))
    })
}

/// W0706; a stage that loads something may want just that.
fn no_steps(stage: &Stage, written: &Written<'_>) -> Option<Diagnostic> {
    let none = match stage.length {
        Duration::Steps(steps) => steps == 0,
        Duration::Epochs(epochs) => epochs <= 0.0,
    };
    let at = written.field("length").map_or(stage.span, |e| e.span);
    let message = format!("stage `{}` ends before its first step, and starts from nothing", stage.name);
    (none && stage.start.is_empty()).then(|| Diagnostic::warning(Code::W0706, at, message))
}

/// W0707
fn idle_starts(stages: &[Stage], stage: &Stage, written: &Written<'_>) -> Vec<Diagnostic> {
    let places = written.field("start").map(elements).unwrap_or_default();
    let places = places.into_iter().filter(|e| path_text(e).as_deref() != Some("none"));
    let twins = stage.twins.iter().map(|t| Cow::from(t.key.as_str()));
    let own: FxHashSet<Cow<'_, str>> = keys(stage).chain(twins).collect();
    let vain =
        |start: &Start| !matches!(start, Start::Base(_)) && brought_by(stages, start).is_disjoint(&own);
    let pairs = stage.start.iter().zip(places).filter(|(start, _)| vain(start));
    let warning = |(_, place): (&Start, &Expr)| {
        let name = path_text(place).unwrap_or_default();
        let message = format!("stage `{}` takes nothing from `{name}`", stage.name);
        Diagnostic::warning(Code::W0707, place.span, message)
            .note("nothing that this stage reads has a path that lies there")
    };
    pairs.map(warning).collect()
}
