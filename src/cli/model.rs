//! A file to a checked model, its messages printed.

use super::options::{Common, Format};
use super::{Problem, say};
use crate::{Failure, Model, Options, compile};
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Sources;
use std::path::Path;

/// Compiles a file.
pub fn open(file: &Path, common: &Common) -> Result<Model, Problem> {
    compiled(file, common, false)
}

/// Compiles a file for what needs no data and no training; what `check` warns of does not matter there.
pub fn open_given(file: &Path, common: &Common) -> Result<Model, Problem> {
    compiled(file, common, true)
}

fn compiled(file: &Path, common: &Common, given: bool) -> Result<Model, Problem> {
    if !file.is_file() {
        return Err(Problem::new(2, format!("error: there is no file {}", file.display())));
    }
    let options = Options { sets: common.sets.clone(), given, ..Options::default() };
    let model = compile(file, &options).map_err(|failure| Problem::new(1, told(&failure, common.format)))?;
    for warning in model.warnings.iter().filter(|_| !given) {
        say::error(&message(warning, &model.sources, common.format));
    }
    Ok(model)
}

fn told(failure: &Failure, format: Format) -> String {
    match failure {
        Failure::Unreadable { .. } => format!("error: {failure}"),
        Failure::Wrong { sources, diagnostics } => {
            let lines: Vec<String> = diagnostics.iter().map(|d| message(d, sources, format)).collect();
            lines.join("\n")
        }
    }
}

/// A message in the form that was asked for.
pub fn message(diagnostic: &Diagnostic, sources: &Sources, format: Format) -> String {
    match format {
        Format::Text => diagnostic.render(sources),
        Format::Json => diagnostic.json(sources),
    }
}
