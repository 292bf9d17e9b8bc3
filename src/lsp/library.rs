//! The standard library as files that any editor can open.
//!
//! The library is part of the program. Its files are written, read-only, into the cache folder of the user when somebody
//! is pointed to a place in them, and never into a project: a file on disk is what every editor can show. Invariant: a file
//! that is handed out has the text of this program; its folder is named after that text.

use chiasm_dsl::library::FILES;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file on disk of a file of the library, such as `std/core.chi`.
///
/// # Errors
/// The cache folder cannot be written.
pub fn file(name: &str) -> std::io::Result<PathBuf> {
    let path = folder().join(name);
    let text = FILES.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| *text);
    if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(path);
    }
    std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = write(&beside, text).and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        // What is left beside the file is of no use.
        let _ = std::fs::remove_file(&beside);
    }
    written.map(|()| path)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    let mut rights = file.metadata()?.permissions();
    rights.set_readonly(true);
    file.set_permissions(rights)
}

/// The name in the library of a file on disk.
pub fn name(path: &Path) -> Option<&'static str> {
    let inside = path.strip_prefix(folder()).ok()?;
    FILES.iter().map(|(name, _)| *name).find(|name| inside == Path::new(name))
}

fn folder() -> PathBuf {
    let mut hash = DefaultHasher::new();
    FILES.hash(&mut hash);
    let version = format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hash.finish());
    cache().join("chiasm").join(version)
}

fn cache() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || Some(named("HOME")?.join(".cache"));
    let cache = named("XDG_CACHE_HOME").or_else(|| named("LOCALAPPDATA")).or_else(home);
    cache.unwrap_or_else(std::env::temp_dir)
}
