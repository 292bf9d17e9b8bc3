//! Where tensors lie: a file, an index of files, a folder with either, a checkpoint, or a run folder and its newest checkpoint.

use crate::cli::Problem;
use crate::train::checkpoint;
use crate::weights::{Archive, locate};
use std::path::{Path, PathBuf};

/// Opens what a path of the command line means; in a run folder, the checkpoints of `stage`.
pub fn open(path: &Path, stage: Option<&str>) -> Result<Archive, Problem> {
    let file = if path.is_dir() { within(path, stage)? } else { path.to_path_buf() };
    if !file.is_file() {
        return Err(Problem::new(2, format!("error: there is no file {}", file.display())));
    }
    Archive::open(&file).map_err(|error| Problem::new(1, format!("error: {error}")))
}

/// Whether these tensors have the names of a model and not public ones.
pub fn is_own(archive: &Archive) -> bool {
    archive.note("format").is_some_and(|format| format.starts_with("chiasm"))
}

fn within(folder: &Path, stage: Option<&str>) -> Result<PathBuf, Problem> {
    if let Some(file) = locate::within(folder).into_iter().find(|file| file.is_file()) {
        return Ok(file);
    }
    let stages: Vec<String> =
        stages(folder).into_iter().filter(|s| stage.is_none_or(|want| want == s)).collect();
    let shown = folder.display();
    match &stages[..] {
        [one] => {
            let newest = checkpoint::latest(&folder.join(one).join("checkpoints"))?;
            let nothing = || Problem::new(1, format!("error: {shown} has no checkpoint of `{one}`"));
            Ok(newest.ok_or_else(nothing)?.path.join("model.safetensors"))
        }
        [] => Err(Problem::new(
            2,
            format!("error: {shown} holds neither model.safetensors nor a trained stage"),
        )),
        several => {
            let all = several.join(", ");
            Err(Problem::new(
                2,
                format!(
                    "error: {shown} holds the stages {all}; give the folder of one of them, as in {shown}/{}/checkpoints/step-0",
                    several[0]
                ),
            ))
        }
    }
}

/// Stages that have a checkpoint in a run folder.
fn stages(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let trained = entries.filter(|entry| !checkpoint::steps(&entry.path().join("checkpoints")).is_empty());
    let mut names: Vec<String> = trained.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
