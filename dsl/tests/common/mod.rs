//! What the tests of the language share: the shipped files, trees without spans, a counter-based generator.
#![allow(dead_code, clippy::unwrap_used)]

use chiasm_dsl::format::format;
use chiasm_dsl::parse::{Parsed, parse};
use chiasm_dsl::span::{FileId, Sources};
use chiasm_dsl::tree::File;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of the repository.
pub fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(folder)
}

/// Every `.chi` file below a folder, with its text.
pub fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "chi") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// The library and all models.
pub fn shipped() -> Vec<(String, String)> {
    let mut all = files(&root("models"));
    all.extend(chiasm_dsl::library::FILES.iter().map(|(name, text)| (name.to_string(), text.to_string())));
    all
}

/// Parses and says what is wrong, as a user would see it.
pub fn read(name: &str, text: &str) -> (Parsed, String) {
    let mut sources = Sources::default();
    let file = sources.add(name, text, false);
    let parsed = parse(file, &sources.file(file).text);
    let said = parsed.diagnostics.iter().map(|it| it.render(&sources)).collect();
    (parsed, said)
}

/// Parses a text that must be right.
pub fn clean(name: &str, text: &str) -> File {
    let (parsed, said) = read(name, text);
    assert!(said.is_empty(), "{said}");
    parsed.tree
}

/// Formats; the tree stays, and formatting again changes nothing.
pub fn formatted(name: &str, text: &str) -> String {
    let formed = format(text).unwrap_or_else(|said| panic!("{name}: {said:?}\n{text}"));
    assert_eq!(spanless(&clean(name, text)), spanless(&clean(name, &formed)), "{name}\n{text}\n{formed}");
    let again = format(&formed).unwrap();
    assert_eq!(formed, again, "{name}, twice\n{text}");
    formed
}

/// A tree in words, without its spans.
pub fn spanless(tree: &File) -> String {
    let words = format!("{tree:?}");
    let mut pieces = words.split("Span {");
    let first = pieces.next().unwrap().to_string();
    pieces.fold(first, |text, piece| text + piece.split_once('}').unwrap().1)
}

/// Numbers that depend on a seed and a counter only.
pub struct Counter(pub u64);

impl Counter {
    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

/// A file of its own in tests that need no name.
pub const ALONE: FileId = FileId(0);
