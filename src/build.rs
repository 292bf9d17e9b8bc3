//! For build scripts: a model of a crate as a Rust module in its `OUT_DIR`.
//!
//! ```no_run
//! // build.rs, with `chiasm` under [build-dependencies]
//! fn main() -> Result<(), chiasm::build::BuildError> {
//!     chiasm::build::emit("models/clip.chi")?;
//!     Ok(())
//! }
//! ```
//! ```ignore
//! // src/main.rs, with `chiasm` and `dfdx` under [dependencies]
//! mod clip {
//!     include!(concat!(env!("OUT_DIR"), "/clip.rs"));
//! }
//! ```
//!
//! `examples/emitted` is such a crate. Cargo runs the script again when a file that the model is made of has changed.

use crate::emit::{EmitError, Wanted, emit as text_of};
use crate::{Failure, Options, compile};
use std::path::{Path, PathBuf};

/// Why a build script has no module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The file cannot be read or is wrong.
    #[error(transparent)]
    Wrong(#[from] Failure),
    /// Its values have no text.
    #[error("{path}: {source}")]
    Emit {
        /// The model.
        path: String,
        /// What is against it.
        source: Box<EmitError>,
    },
    /// There is no `OUT_DIR`.
    #[error("there is no OUT_DIR; call this from a build script, or `write` with a folder")]
    NoFolder,
    /// The module cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Where.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What a build script made of a model.
#[derive(Clone, Debug)]
pub struct Built {
    /// The module.
    pub module: PathBuf,
    /// Every file that the model is made of.
    pub read: Vec<String>,
    /// Values that are not in the module, and why.
    pub left_out: Vec<(String, String)>,
}

/// All values of a model's first stage that have a text, into `OUT_DIR`, under the model's name with the ending `rs`.
///
/// # Errors
/// As [`emit_values`].
pub fn emit(model: impl AsRef<Path>) -> Result<Built, BuildError> {
    emit_values(model, &Wanted::default())
}

/// The same for a stage and its values: `Wanted { values: vec!["image_feat".into()], ..Wanted::default() }`. Tells cargo which
/// files it read.
///
/// # Errors
/// A file that is wrong, a value without a text, a folder that cannot be written, no build script around.
// A build script speaks to cargo this way.
#[allow(clippy::print_stdout)]
pub fn emit_values(model: impl AsRef<Path>, wanted: &Wanted) -> Result<Built, BuildError> {
    let folder = std::env::var_os("OUT_DIR").ok_or(BuildError::NoFolder)?;
    // Even if the file is wrong, for then it will be changed.
    println!("cargo:rerun-if-changed={}", model.as_ref().display());
    let built = write(model.as_ref(), &Options::default(), wanted, Path::new(&folder))?;
    built.read.iter().for_each(|file| println!("cargo:rerun-if-changed={file}"));
    Ok(built)
}

/// A model as a module in any folder.
///
/// # Errors
/// As [`emit_values`].
pub fn write(model: &Path, options: &Options, wanted: &Wanted, folder: &Path) -> Result<Built, BuildError> {
    let compiled = compile(model, options)?;
    let wrong = |source| BuildError::Emit { path: model.display().to_string(), source: Box::new(source) };
    let emitted = text_of(&compiled, wanted).map_err(wrong)?;
    let module = folder.join(&compiled.name).with_extension("rs");
    let refused = |source| BuildError::Write { path: module.display().to_string(), source };
    std::fs::write(&module, &emitted.text).map_err(refused)?;
    let files = compiled.sources.files().iter().filter(|file| !file.library);
    let read = files.map(|file| file.name.clone()).collect();
    Ok(Built { module, read, left_out: emitted.left_out })
}
