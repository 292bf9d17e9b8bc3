//! `chiasm weights diff A B`: tensors that only one file has, or that differ.

use super::columns::{columns, shape};
use super::place;
use crate::cli::options::Format;
use crate::cli::{Problem, say};
use crate::weights::compare::{Difference, How, compare};
use clap::Args;
use std::path::PathBuf;

/// `chiasm weights diff A B`
#[derive(Debug, Args)]
pub struct Arguments {
    /// A file, a checkpoint or a run folder.
    first: PathBuf,
    /// Another one.
    second: PathBuf,
    /// Of run folders: the checkpoints of this stage.
    #[arg(long)]
    stage: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Prints differences.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let stage = arguments.stage.as_deref();
    let (mut first, mut second) =
        (place::open(&arguments.first, stage)?, place::open(&arguments.second, stage)?);
    let all = compare(&mut first, &mut second);
    let all = all.map_err(|error| Problem::new(1, format!("error: {error}")))?;
    let differ: Vec<&Difference> = all.iter().filter(|one| one.how != How::Same).collect();
    match arguments.format {
        Format::Json => differ.iter().for_each(|one| say::json("difference", one)),
        Format::Text => say::line(text(&differ, all.len())),
    }
    if differ.is_empty() { Ok(()) } else { Err(Problem::new(1, "")) }
}

fn text(differ: &[&Difference], all: usize) -> String {
    if differ.is_empty() {
        return format!("nothing differs in {} tensors", say::grouped(all));
    }
    let rows: Vec<Vec<String>> = differ.iter().map(|one| vec![one.name.clone(), told(&one.how)]).collect();
    let counts = format!("{} of {} tensors differ", say::grouped(differ.len()), say::grouped(all));
    format!("{}\n{counts}", columns(&rows, &[]))
}

fn told(how: &How) -> String {
    let apart = |relative: &Option<f64>| match relative {
        Some(relative) => format!("by up to {relative:.2e} of the largest number"),
        None => "in elements that are not finite or cannot be read".into(),
    };
    match how {
        How::Same => String::new(),
        How::OnlyFirst => "only in the first".into(),
        How::OnlySecond => "only in the second".into(),
        How::Shape { first, second } => format!("{} and {}", shape(first), shape(second)),
        How::Type { first, second, relative: Some(0.0) } => format!("{first} and {second}, equal numbers"),
        How::Type { first, second, relative } => format!("{first} and {second}, {}", apart(relative)),
        How::Values { relative } => apart(relative),
    }
}
