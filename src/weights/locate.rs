//! Public checkpoints by name: where `from "facebook/deit-base-patch16-224"` may lie.
//!
//! Looked for, in every folder: `<name>/model.safetensors`, `<name>.safetensors`, `<last part>/model.safetensors`,
//! `<last part>.safetensors`; beside each `model.safetensors` also the index of one in pieces. The first that exists counts.

use super::WeightsError;
use std::path::{Path, PathBuf};

/// The file of a checkpoint.
///
/// # Errors
/// The checkpoint lies in none of the folders; the error lists all places.
pub fn locate(name: &str, folders: &[PathBuf]) -> Result<PathBuf, WeightsError> {
    let places: Vec<PathBuf> = folders.iter().flat_map(|folder| candidates(folder, name)).collect();
    if let Some(found) = places.iter().find(|place| place.is_file()) {
        return Ok(found.clone());
    }
    let mut tried: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    if tried.is_empty() {
        tried.push("no folder, because neither --weights nor --data was given".to_string());
    }
    Err(WeightsError::NotFound { name: name.to_string(), tried })
}

fn candidates(folder: &Path, name: &str) -> Vec<PathBuf> {
    let last = name.rsplit('/').next().unwrap_or(name);
    let mut names = vec![name, last];
    names.dedup();
    let places = |n: &&str| {
        let [whole, pieces] = within(&folder.join(n));
        [whole, pieces, folder.join(format!("{n}.safetensors"))]
    };
    names.iter().flat_map(places).collect()
}

/// Where the tensors of a folder lie: in one file, or in pieces by their index.
pub fn within(folder: &Path) -> [PathBuf; 2] {
    ["model.safetensors", "model.safetensors.index.json"].map(|name| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_it_looked() {
        let error = locate("facebook/deit", &[PathBuf::from("none")]).expect_err("is not there").to_string();
        assert!(error.contains("none/facebook/deit/model.safetensors"), "{error}");
        assert!(
            error.contains("none/deit.safetensors") && error.contains("nothing is downloaded"),
            "{error}"
        );
    }
}
