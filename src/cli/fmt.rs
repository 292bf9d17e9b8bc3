//! `chiasm fmt FILE...`: files in their one form. A file with a mistake is left alone; a file is replaced as a whole.

use super::options::Format;
use super::{Problem, say};
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::format::format;
use chiasm_dsl::span::Sources;
use clap::Args;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// `chiasm fmt FILE...`
#[derive(Debug, Args)]
pub struct Arguments {
    /// The files; `-` reads standard input and writes standard output.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write nothing; list the files that are not formatted, and exit with 1 if there are any.
    #[arg(long)]
    check: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Formats files.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for file in &arguments.files {
        let done = if file.as_os_str() == "-" { stream(arguments) } else { rewrite(file, arguments) };
        problems.extend(done.err());
    }
    let code = problems.iter().map(|problem| problem.code).max();
    let texts: Vec<String> =
        problems.into_iter().map(|problem| problem.text).filter(|text| !text.is_empty()).collect();
    code.map_or(Ok(()), |code| Err(Problem::new(code, texts.join("\n"))))
}

/// Standard input to standard output.
fn stream(arguments: &Arguments) -> Result<(), Problem> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| unreadable(Path::new("-"), &error))?;
    let formed = formed("<stdin>", &text, arguments.format)?;
    if arguments.check {
        return listed(Path::new("<stdin>"), formed == text);
    }
    // A reader that went away is no error.
    let _ = std::io::stdout().write_all(formed.as_bytes());
    Ok(())
}

fn rewrite(file: &Path, arguments: &Arguments) -> Result<(), Problem> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let formed = formed(&file.display().to_string(), &text, arguments.format)?;
    if arguments.check {
        return listed(file, formed == text);
    }
    if formed == text { Ok(()) } else { replace(file, &formed).map_err(|error| unwritable(file, &error)) }
}

/// With `--check`: a file that differs is named, and the command fails without further words.
fn listed(file: &Path, same: bool) -> Result<(), Problem> {
    if same {
        return Ok(());
    }
    say::line(file.display().to_string());
    Err(Problem::new(1, ""))
}

fn formed(name: &str, text: &str, how: Format) -> Result<String, Problem> {
    format(text).map_err(|diagnostics| Problem::new(1, told(name, text, &diagnostics, how)))
}

fn told(name: &str, text: &str, diagnostics: &[Diagnostic], how: Format) -> String {
    let mut sources = Sources::default();
    sources.add(name, text, false);
    let lines = diagnostics.iter().map(|diagnostic| super::model::message(diagnostic, &sources, how));
    lines.collect::<Vec<_>>().join("\n")
}

/// Written beside the file, then renamed: nobody ever sees half of it.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let target = std::fs::canonicalize(file)?;
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let beside = target.with_file_name(name);
    let written = write(&beside, text, &target).and_then(|()| std::fs::rename(&beside, &target));
    if written.is_err() {
        // The file itself is as it was; what is left beside it is of no use.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write(beside: &Path, text: &str, target: &Path) -> std::io::Result<()> {
    let mut new = std::fs::File::create_new(beside)?;
    new.write_all(text.as_bytes())?;
    new.set_permissions(std::fs::metadata(target)?.permissions())?;
    new.sync_all()
}

fn unreadable(file: &Path, error: &std::io::Error) -> Problem {
    Problem::new(2, format!("error: cannot read {}: {error}", file.display()))
}

fn unwritable(file: &Path, error: &std::io::Error) -> Problem {
    Problem::new(2, format!("error: cannot write {}: {error}; it is unchanged", file.display()))
}
