//! `chiasm vocabulary`: the word pieces of a model, learned from the texts that it will read.
//!
//! They go where `train` looks for them, `DIR/tokenizers/NAME/vocab.txt` of the first `--data DIR`. What is there already stays: a
//! trained model reads by it.
//!
//! Example: `chiasm vocabulary models/tiny/coca_photos.chi --data ~/data`

use super::options::Common;
use super::{Problem, model, say};
use crate::data::{Library, learn_pieces};
use crate::train::{corpus, folder};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `chiasm vocabulary FILE`
#[derive(Debug, Args)]
pub struct Arguments {
    /// The model.
    file: PathBuf,
    #[command(flatten)]
    common: Common,
    /// Where data sets lie.
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// Which vocabulary of the file, where there are several.
    #[arg(long)]
    name: Option<String>,
    /// Where to write; else to tokenizers/NAME/vocab.txt in the first DIR.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was written.
#[derive(Serialize)]
struct Learned<'a> {
    file: &'a Path,
    pieces: usize,
    texts: usize,
}

impl Learned<'_> {
    fn line(&self) -> String {
        let (pieces, texts) = (say::grouped(self.pieces), say::grouped(self.texts));
        format!("{pieces} pieces of {texts} texts written to {}", self.file.display())
    }
}

/// Learns and writes.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let model = model::open_given(&arguments.file, &arguments.common)?;
    let wanted = corpus::wanted(&model, arguments.name.as_deref())?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| arguments.data[0].join("tokenizers").join(&wanted.name).join("vocab.txt"));
    free(&out)?;
    let (texts, report) = corpus::texts(&model, &wanted, &Library::new(arguments.data.iter().cloned()))?;
    report.lines().iter().for_each(|line| say::error(line));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let pieces = learn_pieces(&wanted.name, &texts, wanted.size.unwrap_or(0));
    let pieces = pieces.map_err(|error| Problem::of(1, &error))?;
    write(&out, &pieces)?;
    let learned = Learned { file: &out, pieces: pieces.len(), texts: texts.len() };
    say::either(arguments.common.format, "vocabulary", &learned, || learned.line());
    Ok(())
}

fn free(out: &Path) -> Result<(), Problem> {
    match out.exists() {
        true => Err(Problem::new(
            1,
            format!(
                "error: {} is there already, and models may read by it; remove it first, or write elsewhere with --out",
                out.display()
            ),
        )),
        false => Ok(()),
    }
}

fn write(out: &Path, pieces: &[String]) -> Result<(), Problem> {
    if let Some(parent) = out.parent() {
        std::fs::create_dir_all(parent).map_err(|error| {
            Problem::new(1, format!("error: {} cannot be made: {error}", parent.display()))
        })?;
    }
    folder::replace(out, (pieces.join("\n") + "\n").as_bytes()).map_err(Problem::from)
}
