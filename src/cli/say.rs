//! Printing. A closed pipe ends output quietly; numbers are grouped for people.

use super::options::Format;
pub use crate::train::bytes;
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// One line, or several, to standard output.
pub fn line(text: impl AsRef<str>) {
    // A reader that went away (`| head`) is no error.
    let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
}

/// One JSON object on a line.
pub fn json(kind: &str, value: &impl Serialize) {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("kind".into(), kind.into());
    }
    line(value.to_string());
}

/// Text or JSON, as asked for.
pub fn either(format: Format, kind: &str, value: &impl Serialize, text: impl FnOnce() -> String) {
    match format {
        Format::Text => line(text()),
        Format::Json => json(kind, value),
    }
}

/// To standard error.
pub fn error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// Whether a person watches.
pub fn on_terminal() -> bool {
    std::io::stderr().is_terminal() && std::io::stdout().is_terminal()
}

/// `209_937_725` as `209,937,725`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let lead = digits.len() % 3;
    let (first, rest) = digits.split_at(lead);
    let groups = rest.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let groups: Vec<String> =
        Some(first.to_string()).into_iter().filter(|f| !f.is_empty()).chain(groups).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            (grouped(7), grouped(1000), grouped(209_937_725)),
            ("7".into(), "1,000".into(), "209,937,725".into())
        );
        assert_eq!((bytes(12), bytes(3 << 20)), ("12 B".into(), "3.0 MiB".into()));
    }
}
