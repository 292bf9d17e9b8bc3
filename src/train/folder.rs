//! A run folder and who may write to it.
//!
//! ```text
//! runs/albef-1/            or --out
//!   spec.lock              the model as one text: merged, with all defaults
//!   lock                   held while a run writes here
//!   report.json            what came out
//!   pretrain/              one folder a stage
//!     metrics.jsonl
//!     checkpoints/step-2000/
//! ```

use super::TrainError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A run folder, held as long as this lives.
#[derive(Debug)]
pub struct RunFolder {
    /// Where it is.
    pub path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Makes or opens a folder and holds it. The system lets go of it when the process ends, however it ends.
    ///
    /// # Errors
    /// Another run holds it, or it cannot be made.
    pub fn hold(path: &Path) -> Result<Self, TrainError> {
        std::fs::create_dir_all(path).map_err(TrainError::file("make", path))?;
        let name = path.join("lock");
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&name);
        let mut lock = open.map_err(TrainError::file("open", &name))?;
        if lock.try_lock().is_err() {
            return Err(TrainError::InUse { folder: path.display().to_string(), owner: owner(&mut lock) });
        }
        let write = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        write.map_err(TrainError::file("write", &name))?;
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// The folder of a stage, made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn stage(&self, name: &str) -> Result<PathBuf, TrainError> {
        let path = self.path.join(name);
        let checkpoints = path.join("checkpoints");
        std::fs::create_dir_all(&checkpoints).map_err(TrainError::file("make", &checkpoints))?;
        Ok(path)
    }

    /// Whether a stage has left anything here.
    pub fn is_used(&self) -> bool {
        self.path.join("spec.lock").exists()
    }
}

fn owner(lock: &mut File) -> String {
    let mut text = String::new();
    let read = lock.read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(process)) => format!(" (process {process})"),
        _ => String::new(),
    }
}

/// The first free folder `<runs>/<name>-<n>`.
pub fn fresh(runs: &Path, name: &str) -> PathBuf {
    let numbered = (1..).map(|n| runs.join(format!("{name}-{n}")));
    numbered.into_iter().find(|path| !path.exists()).unwrap_or_else(|| runs.join(name))
}

/// The folder `<runs>/<name>-<n>` with the largest n.
pub fn newest(runs: &Path, name: &str) -> Option<PathBuf> {
    let number = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
    };
    let entries = std::fs::read_dir(runs).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    entries.filter(|path| number(path).is_some()).max_by_key(|path| number(path))
}

/// Replaces a small file in one go: a reader sees the old or the new text, never half of it.
///
/// # Errors
/// The file system refuses; the old file is then unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(TrainError::file("write", path))
}

/// Makes renames in a folder outlive a loss of power.
pub(super) fn sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_do_not_share_a_folder() {
        let path = crate::train::testing::folder("hold");
        let first = RunFolder::hold(&path).expect("is free");
        let error = RunFolder::hold(&path).expect_err("is held").to_string();
        assert!(error.contains("in use") && error.contains("--out"), "{error}");
        drop(first);
        RunFolder::hold(&path).expect("is free again");
    }

    #[test]
    fn numbers_go_up() {
        let runs = crate::train::testing::folder("runs");
        assert_eq!(newest(&runs, "clip"), None);
        for _ in 0..11 {
            std::fs::create_dir(fresh(&runs, "clip")).expect("a folder");
        }
        assert_eq!(newest(&runs, "clip"), Some(runs.join("clip-11")));
    }
}
