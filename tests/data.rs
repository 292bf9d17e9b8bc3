//! Data: recorded results of Pillow, OpenCV and the reference tokenizers, files of every kind, whole and broken data sets, loaders.
//!
//! Tests on photos run when `CHIASM_DATA` is the folder that holds `photos`, `coco_mini` and `tokenizers`; else they say that they are
//! skipped.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

#[path = "data/augment.rs"]
mod augment;
#[path = "data/images.rs"]
mod images;
#[path = "data/kinds.rs"]
mod kinds;
#[path = "data/loading.rs"]
mod loading;
#[path = "data/photos.rs"]
mod photos;
#[path = "data/sets.rs"]
mod sets;
#[path = "data/tokens.rs"]
mod tokens;

use std::path::PathBuf;

use chiasm::data::{Dataset, Error, Library};
use chiasm::recipe::Data;

fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

fn open(library: &Library, name: &str) -> Result<Dataset, Error> {
    library.open(&Data::pairs([name]))
}

/// The folder with real data, if there is one here.
fn real() -> Option<PathBuf> {
    let folder = std::env::var_os("CHIASM_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: CHIASM_DATA is not set");
    }
    folder
}
