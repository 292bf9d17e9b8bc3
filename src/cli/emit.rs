//! `chiasm emit`: a model as text in another language.

use super::options::Common;
use super::{Problem, model, say};
use crate::emit::{Wanted, emit};
use crate::train::folder;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `chiasm emit rust FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which language.
    #[arg(value_enum)]
    language: Language,
    /// The model.
    file: PathBuf,
    #[command(flatten)]
    common: Common,
    /// The stage whose sizes and parameters count; else the first.
    #[arg(long)]
    stage: Option<String>,
    /// A value that is wanted, again for more; else all that can be emitted.
    #[arg(long = "value", value_name = "NAME")]
    values: Vec<String>,
    /// Where to write; else to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// A module of dfdx types.
    Rust,
}

/// Writes the text.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let Language::Rust = arguments.language;
    let model = model::open(&arguments.file, &arguments.common)?;
    let wanted = Wanted { stage: arguments.stage.clone(), values: arguments.values.clone() };
    let emitted = emit(&model, &wanted).map_err(|error| Problem::of(1, &error))?;
    for (name, reason) in &emitted.left_out {
        say::error(&format!("left out `{name}`: {reason}"));
    }
    let Some(out) = &arguments.out else {
        say::line(emitted.text.trim_end());
        return Ok(());
    };
    folder::replace(out, emitted.text.as_bytes()).map_err(Problem::from)
}
