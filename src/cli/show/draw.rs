//! The outline of a stage as a picture.

use super::rows::{count, is_frozen};
use crate::cli::say;
use crate::lower::model::{Mark, MarkKind, Pass, Stage};
use crate::picture::{Arrow, Kind, Node, Picture, Style};

/// The picture of a stage.
pub fn picture(model: &str, stage: &Stage) -> Picture {
    let marks = &stage.outline.marks;
    let first =
        |at: usize| !marks[..at].iter().any(|mark| mark.module.is_some() && mark.module == marks[at].module);
    let mut nodes: Vec<Node> =
        marks.iter().enumerate().map(|(at, mark)| node(stage, mark, first(at))).collect();
    let arrows: Vec<Arrow> = stage
        .outline
        .reads
        .iter()
        .map(|read| Arrow { from: read.from, to: read.to, style: style(read.how) })
        .collect();
    colour(&mut nodes, &arrows);
    Picture { title: format!("{model}, stage {}", stage.name), subtitle: subtitle(stage), nodes, arrows }
}

/// A module whose result has no name is of the modality that it reads, if that is one.
fn colour(nodes: &mut [Node], arrows: &[Arrow]) {
    for _ in 0..nodes.len() {
        for at in 0..nodes.len() {
            let reads = arrows.iter().filter(|arrow| arrow.to == at && arrow.style == Style::Flow);
            let mut found: Vec<&String> =
                reads.filter_map(|arrow| nodes[arrow.from].modality.as_ref()).collect();
            found.dedup();
            if let ([one], Kind::Module | Kind::Frozen, None) =
                (&found[..], nodes[at].kind, &nodes[at].modality)
            {
                nodes[at].modality = Some((*one).clone());
            }
        }
    }
}

fn style(pass: Pass) -> Style {
    match pass {
        Pass::Flow => Style::Flow,
        Pass::Instead => Style::Instead,
        Pass::Next => Style::Next,
    }
}

fn subtitle(stage: &Stage) -> String {
    let rows = super::rows::Rows::of(stage);
    let counts =
        [(rows.parameters, "parameters"), (rows.twins, "in slow copies"), (rows.states, "in states")];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    some.map(|(count, what)| format!("{} {what}", say::grouped(count))).collect::<Vec<_>>().join(", ")
}

fn node(stage: &Stage, mark: &Mark, first: bool) -> Node {
    let (kind, details, result) = match mark.kind {
        MarkKind::Input => (Kind::Input, vec![mark.ty.clone()], None),
        MarkKind::Module => return module(stage, mark, first),
        MarkKind::Value => (Kind::Value, vec![mark.what.clone(), mark.ty.clone()], None),
        MarkKind::State => (Kind::State, vec![mark.ty.clone()], None),
        MarkKind::Twin => (Kind::Twin, vec![mark.ty.clone()], None),
        MarkKind::Loss => (Kind::Loss, vec![mark.what.clone()], None),
    };
    let details = details.into_iter().filter(|line| !line.is_empty()).collect();
    Node { kind, title: mark.name.clone(), details, result, modality: mark.modality.clone() }
}

/// A module that is applied more than once shows its parameters the first time.
fn module(stage: &Stage, mark: &Mark, first: bool) -> Node {
    let name = mark.module.as_deref().unwrap_or(&mark.name);
    let frozen = is_frozen(stage, name);
    let count = match count(stage, name) {
        _ if !first => "the same".to_string(),
        0 => String::new(),
        count => say::grouped(count),
    };
    let details = [mark.what.clone(), count].into_iter().filter(|line| !line.is_empty()).collect();
    let result = mark.result.as_ref().map(|result| (result.clone(), mark.ty.clone()));
    let kind = if frozen { Kind::Frozen } else { Kind::Module };
    Node { kind, title: mark.name.clone(), details, result, modality: mark.modality.clone() }
}
