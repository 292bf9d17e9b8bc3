//! The files in `tests/language/bad`: those with a mistake in the text give exactly the expected message, all others parse.
#![allow(clippy::unwrap_used)]

mod common;

use chiasm_dsl::parse::parse;
use chiasm_dsl::span::Sources;
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

#[test]
fn every_faulty_file_gives_its_message() {
    let files = files(&root("tests/language/bad"));
    assert!(files.len() >= 36, "only {} files", files.len());
    for (name, text) in files {
        let expected = expectation(&text).unwrap_or_else(|| panic!("{name} expects nothing"));
        let mut sources = Sources::default();
        let file = sources.add(&name, &text, false);
        let parsed = parse(file, &text);
        let said: String = parsed.diagnostics.iter().map(|it| it.render(&sources)).collect();
        if !OF_THE_TEXT.contains(&expected.code) {
            assert!(parsed.diagnostics.is_empty(), "{said}");
            continue;
        }
        assert_eq!(parsed.diagnostics.len(), 1, "{name}\n{said}");
        let span = parsed.diagnostics[0].span.unwrap();
        let place = sources.place(span);
        let last = if place.end_line == place.line { place.end_column } else { sources.line(file, place.line).chars().count() };
        assert_eq!(format!("{}:{}-{last}", place.line, place.column), expected.place, "{name}\n{said}");
        assert_eq!(parsed.diagnostics[0].code.name(), expected.code, "{name}\n{said}");
        assert!(said.contains(expected.text), "{name}\n{said}");
    }
}
