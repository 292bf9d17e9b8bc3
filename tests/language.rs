//! Faulty files give exactly the code, place and text that their first line expects; shipped files are accepted.

use chiasm::{Failure, Options, compile};
use std::path::{Path, PathBuf};

/// `# expect: E0302 33:23-23 "inner sizes differ"`
struct Expected {
    code: String,
    line: usize,
    first: usize,
    last: usize,
    text: String,
}

fn expected(path: &Path) -> Expected {
    let text = std::fs::read_to_string(path).expect("a readable case");
    let line = text.lines().next().expect("a first line");
    let rest = line.strip_prefix("# expect: ").expect("an expectation");
    let (code, rest) = rest.split_once(' ').expect("a code");
    let (place, text) = rest.split_once(' ').expect("a place");
    let (line, columns) = place.split_once(':').expect("line:columns");
    let (first, last) = columns.split_once('-').expect("first-last");
    let number = |text: &str| text.parse().expect("a number");
    Expected {
        code: code.to_string(),
        line: number(line),
        first: number(first),
        last: number(last),
        text: text.trim_matches('"').to_string(),
    }
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    found.retain(|p| p.extension().is_some_and(|e| e == "chi"));
    found.sort();
    found
}

/// What is wrong with the answer to a faulty file, if anything.
fn complaint(path: &Path) -> Option<String> {
    let want = expected(path);
    let (sources, diagnostics) = match compile(path, &Options::default()) {
        Ok(_) => return Some("was accepted".into()),
        Err(Failure::Unreadable { error, .. }) => return Some(error.to_string()),
        Err(Failure::Wrong { sources, diagnostics }) => (sources, diagnostics),
    };
    let shown: Vec<String> = diagnostics.iter().map(|d| d.render(&sources)).collect();
    let fits = diagnostics.iter().any(|d| {
        let Some(place) = d.span.map(|s| sources.place(s)) else { return false };
        let source = sources.line(d.span.expect("a span").file, place.line);
        let last = if place.end_line == place.line { place.end_column } else { source.chars().count() };
        let texts = d.message.contains(&want.text) || d.notes.iter().any(|n| n.contains(&want.text));
        d.code.name() == want.code
            && (place.line, place.column, last) == (want.line, want.first, want.last)
            && texts
    });
    let few = diagnostics.len() <= 3;
    (!fits || !few).then(|| format!("gives\n{}", shown.join("\n")))
}

#[test]
fn faulty_files_are_refused_where_they_are_wrong() {
    let mut complaints = Vec::new();
    for path in cases("tests/language/bad") {
        if let Some(complaint) = complaint(&path) {
            complaints.push(format!("{} {complaint}", path.display()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}
