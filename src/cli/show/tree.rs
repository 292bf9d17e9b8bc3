//! A stage as an indented list that fits 40 columns.

use super::rows::{Row, Rows, below};
use crate::cli::say;
use crate::lower::model::Stage;
use std::collections::BTreeMap;

const WIDTH: usize = 40;

/// Inputs, modules with their direct parts, states, values, losses.
pub fn text(stage: &Stage, rows: &Rows) -> String {
    let mut lines = vec![format!("stage {}", rows.stage)];
    section(&mut lines, rows, "inputs", "input");
    modules(&mut lines, stage, rows);
    section(&mut lines, rows, "states", "state");
    section(&mut lines, rows, "values", "value");
    section(&mut lines, rows, "slow copies", "slow");
    section(&mut lines, rows, "losses", "loss");
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, rows: &Rows, title: &str, kind: &str) {
    let found: Vec<&Row> = rows.of_kind(kind).collect();
    if found.is_empty() {
        return;
    }
    lines.push(format!("  {title}"));
    let width = found.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in found {
        let about = if kind == "loss" { &row.what } else { &row.ty };
        if 6 + width + about.chars().count() <= WIDTH {
            lines.push(format!("    {:width$}  {about}", row.name).trim_end().to_string());
        } else {
            lines.push(format!("    {}", row.name));
            lines.push(format!("      {about}"));
        }
    }
}

fn modules(lines: &mut Vec<String>, stage: &Stage, rows: &Rows) {
    lines.push(counted("  modules", rows.parameters));
    for row in rows.of_kind("module") {
        let frozen = if row.frozen { ", frozen" } else { "" };
        let name = format!("    {} {}{frozen}", row.name, row.what);
        lines.push(counted(name.trim_end(), row.parameters.unwrap_or(0)));
        let parts = parts(stage, &row.name);
        if parts.len() > 1 {
            lines.extend(parts.iter().map(|(name, count)| counted(&format!("      {name}"), *count)));
        }
    }
}

/// A name, and a number at the right edge, on a line of its own if both do not fit.
fn counted(name: &str, count: usize) -> String {
    let number = say::grouped(count);
    let room = WIDTH.saturating_sub(name.chars().count());
    if number.len() < room { format!("{name}{number:>room$}") } else { format!("{name}\n{number:>WIDTH$}") }
}

/// The direct parts of a definition; the elements of a list count as one.
fn parts(stage: &Stage, name: &str) -> Vec<(String, usize)> {
    let mut order: Vec<String> = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for parameter in below(stage, name) {
        let part = part(&parameter.path[name.len()..]);
        if !order.contains(&part) {
            order.push(part.clone());
        }
        *counts.entry(part).or_default() += parameter.elements();
    }
    order.into_iter().map(|part| (part.clone(), counts[&part])).collect()
}

/// `[3].attn.q.w` is part `[..].attn`, `.norm.gain` is part `.norm`.
fn part(rest: &str) -> String {
    let (list, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => ("[..]", rest),
        None => ("", rest),
    };
    let name = rest.strip_prefix('.').unwrap_or(rest).split(['.', '[']).next().unwrap_or("");
    if name.is_empty() { list.to_string() } else { format!("{list}.{name}") }
}
