//! JSON lines: an object a line. What is no such object is counted and left out.

use super::super::Error;
use super::super::report::{Problem, Report};
use serde::de::DeserializeOwned;
use std::path::Path;

/// A whole file as text; bytes that are not UTF-8 are replaced, a byte order mark is dropped.
pub(super) fn text(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{FEFF}').to_string())
}

/// The objects of a file, in order.
///
/// # Errors
/// A file without a single one.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    expected: &'static str,
    report: &mut Report,
) -> Result<Vec<T>, Error> {
    let text = text(path)?;
    let (mut found, mut last) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(one) => found.push(one),
            Err(source) => {
                report.note(Problem::BrokenLine, format!("line {}", number + 1));
                last = Some(source);
            }
        }
    }
    match last {
        Some(source) if found.is_empty() => Err(Error::Json { path: path.into(), expected, source }),
        _ => Ok(found),
    }
}
