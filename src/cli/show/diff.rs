//! What differs between two files: definitions as they are written, then for each stage its counts, modules and types.

use super::rows::{Row, Rows};
use crate::cli::say;
use crate::lower::Model;
use std::collections::BTreeMap;

/// The differences, `-` for the first file and `+` for the second.
pub fn between(a: &Model, b: &Model, stage: Option<&str>) -> String {
    let mut lines = vec![format!("- {}", a.name), format!("+ {}", b.name)];
    let wanted = |name: &String| {
        stage.is_none_or(|stage| !name.contains(": ") || name.starts_with(&format!("stage {stage}:")))
    };
    let pick = |model: &Model| -> BTreeMap<String, String> {
        model
            .texts
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect()
    };
    changes(&mut lines, "written", &pick(a), &pick(b));
    let names = a.stages.iter().chain(&b.stages).map(|s| s.name.as_str());
    let mut seen: Vec<&str> = Vec::new();
    for name in names.filter(|name| stage.is_none_or(|stage| stage == *name)) {
        if !seen.contains(&name) {
            seen.push(name);
            compare(&mut lines, a, b, name);
        }
    }
    if lines.len() == 2 {
        lines.push("nothing differs".to_string());
    }
    lines.join("\n")
}

fn compare(lines: &mut Vec<String>, a: &Model, b: &Model, name: &str) {
    let facts = |model: &Model| {
        let stage = model.stages.iter().find(|stage| stage.name == name);
        stage.map(|stage| facts(&Rows::of(stage))).unwrap_or_default()
    };
    changes(lines, &format!("stage {name}"), &facts(a), &facts(b));
}

/// Counts, modules and types of a stage by name.
fn facts(rows: &Rows) -> BTreeMap<String, String> {
    let counts = [("parameters", rows.parameters), ("slow copies", rows.twins), ("states", rows.states)];
    let counts = counts.map(|(name, count)| (name.to_string(), say::grouped(count)));
    rows.rows.iter().map(|row| (format!("{} {}", row.kind, row.name), about(row))).chain(counts).collect()
}

fn about(row: &Row) -> String {
    let count = row.parameters.map(say::grouped).unwrap_or_default();
    let frozen = if row.frozen { "frozen" } else { "" };
    let parts = [row.ty.as_str(), &row.what, &count, frozen].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

fn changes(lines: &mut Vec<String>, title: &str, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) {
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| a.get(*name) != b.get(*name));
    if names.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(title.to_string());
    for name in names {
        lines.push(format!("  {name}"));
        lines.extend(a.get(name).map(|text| format!("  - {text}")));
        lines.extend(b.get(name).map(|text| format!("  + {text}")));
    }
}
