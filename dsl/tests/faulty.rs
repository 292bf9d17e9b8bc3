//! The files in `tests/language/bad`: those with a mistake in the text give exactly the expected message, all others parse.
#![allow(clippy::unwrap_used)]

mod common;

use chiasm_dsl::parse::parse;
use chiasm_dsl::span::{Sources, Span};
use common::{files, root};

const OF_THE_TEXT: &[&str] = &["E0101", "E0102", "E0103", "E0104", "E0105", "E0109"];

/// `# expect: CODE line:first-last "text"`
struct Expectation<'a> {
    code: &'a str,
    place: &'a str,
    text: &'a str,
}

fn expectation(text: &str) -> Option<Expectation<'_>> {
    let rest = text.lines().next()?.strip_prefix("# expect: ")?;
    let (code, rest) = rest.split_once(' ')?;
    let (place, text) = rest.split_once(' ')?;
    Some(Expectation { code, place, text: text.trim_matches('"') })
}

/// `line:first-last`, of the first line only.
fn place(sources: &Sources, span: Span) -> String {
    let place = sources.place(span);
    let line = sources.line(span.file, place.line);
    let last = if place.end_line == place.line { place.end_column } else { line.chars().count() };
    format!("{}:{}-{last}", place.line, place.column)
}

/// What is wrong with the messages about a file.
fn difference(name: &str, text: &str) -> Option<String> {
    let expected = expectation(text).unwrap_or_else(|| panic!("{name} expects nothing"));
    let mut sources = Sources::default();
    let file = sources.add(name, text, false);
    let parsed = parse(file, text);
    let said: String = parsed.diagnostics.iter().map(|it| it.render(&sources)).collect();
    let found = parsed.diagnostics.iter().map(|it| (it.code.name(), place(&sources, it.span.unwrap())));
    let right = if OF_THE_TEXT.contains(&expected.code) {
        found.eq([(expected.code, expected.place.to_string())]) && said.contains(expected.text)
    } else {
        said.is_empty()
    };
    (!right).then(|| format!("{name} expects {} {} {}\n{said}", expected.code, expected.place, expected.text))
}

#[test]
fn every_faulty_file_gives_its_message() {
    let files = files(&root("tests/language/bad"));
    assert!(files.len() >= 36, "only {} files", files.len());
    let wrong: Vec<String> = files.iter().filter_map(|(name, text)| difference(name, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
