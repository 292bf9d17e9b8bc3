//! `chiasm weights convert FROM TO`: names of a checkpoint say which way.

use super::map::Map;
use super::place;
use crate::cli::options::Common;
use crate::cli::{Problem, say};
use crate::train::convert::{Mapped, Written};
use crate::train::start::Account;
use crate::weights::Archive;
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// `chiasm weights convert FROM TO`
#[derive(Debug, Args)]
pub struct Arguments {
    /// A public file, or a checkpoint or run folder of this program.
    from: PathBuf,
    /// A new run folder for a public file, a safetensors file for a checkpoint.
    to: PathBuf,
    #[command(flatten)]
    map: Map,
    /// Back to a public file: one with the same shapes, for what the map does not say and for tensors that the model lacks.
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,
    /// The seed of initial values.
    #[arg(long, default_value = "0")]
    seed: u64,
    #[command(flatten)]
    common: Common,
}

/// Converts.
pub fn run(arguments: &Arguments) -> Result<(), Problem> {
    let Some(model) = arguments.map.open(&arguments.common)? else {
        return Err(Problem::new(2, "error: give the model with --model and its weight map with --as"));
    };
    let mapped = arguments.map.of(&model)?;
    let mut from = place::open(&arguments.from, Some(&mapped.stage.name))?;
    if place::is_own(&from) {
        export(arguments, &mapped, &mut from)
    } else {
        import(arguments, &mapped, &mut from)
    }
}

fn import(arguments: &Arguments, mapped: &Mapped<'_>, from: &mut Archive) -> Result<(), Problem> {
    if arguments.like.is_some() {
        return Err(Problem::new(2, "error: --like is for the way back, from a checkpoint to a public file"));
    }
    if arguments.to.extension().is_some_and(|end| end == "safetensors") {
        let text = "error: a public file becomes a run folder, but TO is a file; give the name of a folder";
        return Err(Problem::new(2, text));
    }
    let (path, account) = mapped.import(from, &arguments.to, arguments.seed)?;
    let found = json!({ "checkpoint": path, "account": account });
    say::either(arguments.common.format, "imported", &found, || imported(&path, &account));
    Ok(())
}

fn imported(path: &Path, account: &Account) -> String {
    let Account { loaded, resized, fresh, left, .. } = account;
    let counts = format!("{} loaded, {} resized, {} fresh", loaded.len(), resized.len(), fresh.len());
    let lists = [("resized", resized), ("fresh", fresh), ("left over in the file", left)];
    told(counts, &lists, path)
}

fn export(arguments: &Arguments, mapped: &Mapped<'_>, from: &mut Archive) -> Result<(), Problem> {
    if arguments.to.is_dir() {
        let text = "error: a checkpoint becomes a file, but TO is a folder; give the name of a file";
        return Err(Problem::new(2, text));
    }
    let mut like = arguments.like.as_deref().map(|path| place::open(path, None)).transpose()?;
    let written = mapped.export(from, like.as_mut(), &arguments.to)?;
    let found = json!({ "file": arguments.to, "written": written });
    say::either(arguments.common.format, "exported", &found, || exported(&arguments.to, &written));
    Ok(())
}

fn exported(path: &Path, written: &Written) -> String {
    let Written { made, copied, left } = written;
    let counts = format!("{} written, {} copied", made.len(), copied.len());
    told(counts, &[("copied", copied), ("left over in the checkpoint", left)], path)
}

/// Counts, then every name that did not go the ordinary way.
fn told(counts: String, lists: &[(&str, &BTreeSet<String>)], path: &Path) -> String {
    let mut lines = vec![counts];
    for (title, names) in lists.iter().filter(|(_, names)| !names.is_empty()) {
        lines.push(format!("{title}:"));
        lines.extend(names.iter().map(|name| format!("  {name}")));
    }
    lines.push(format!("written to {}", path.display()));
    lines.join("\n")
}
