//! `metrics.jsonl`: one JSON object a line, written through at once, so that what a killed run knew is not lost.
//!
//! Lines with `loss` are steps, lines with `task` are evaluations. Going on from a checkpoint cuts off what came after it.

use super::TrainError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The open file.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    file: File,
}

impl Metrics {
    /// Opens the file and drops all lines after `step`.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn open(path: &Path, step: u64) -> Result<Self, TrainError> {
        let old = if path.exists() {
            std::fs::read_to_string(path).map_err(TrainError::file("read", path))?
        } else {
            String::new()
        };
        let kept: String =
            old.lines().filter(|line| known(line, step)).map(|line| format!("{line}\n")).collect();
        if kept != old {
            super::folder::replace(path, kept.as_bytes())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(TrainError::file("open", path))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// What a task gave at a step, if it is written down.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn measured<T: DeserializeOwned>(&self, task: &str, step: u64) -> Result<Option<T>, TrainError> {
        let text = std::fs::read_to_string(&self.path).map_err(TrainError::file("read", &self.path))?;
        let mut rows = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let row = rows.find(|row| row["task"] == task && row["step"] == step);
        Ok(row.and_then(|row| serde_json::from_value(row).ok()))
    }

    /// One more line.
    ///
    /// # Errors
    /// The disk is full.
    pub fn write(&mut self, row: &impl Serialize) -> Result<(), TrainError> {
        let mut line = serde_json::to_string(row).unwrap_or_default();
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(TrainError::file("write", &self.path))
    }
}

/// Whether a line is whole and no later than `step`.
fn known(line: &str, step: u64) -> bool {
    let row: Option<serde_json::Value> = serde_json::from_str(line).ok();
    row.and_then(|row| row.get("step")?.as_u64()).is_some_and(|at| at <= step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_off_what_came_after_a_checkpoint() {
        let folder = crate::train::testing::folder("metrics");
        let path = folder.join("metrics.jsonl");
        std::fs::write(&path, "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"ste").expect("a file");
        let mut metrics = Metrics::open(&path, 2).expect("opens");
        metrics.write(&serde_json::json!({ "step": 3, "again": true })).expect("writes");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(text, "{\"step\":1}\n{\"step\":2}\n{\"again\":true,\"step\":3}\n");
    }
}
