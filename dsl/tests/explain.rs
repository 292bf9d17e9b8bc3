//! `ERRORS.md`: a section for every code; examples of mistakes in the text give their code, the others parse.
#![allow(clippy::unwrap_used)]

mod common;

use chiasm_dsl::code::Code;
use common::{read, root};

const OF_THE_TEXT: &[&str] = &["E0101", "E0102", "E0103", "E0104", "E0105", "E0109"];

#[test]
fn every_code_has_a_whole_section() {
    let page = std::fs::read_to_string(root("dsl/ERRORS.md")).unwrap();
    let heads: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let codes: Vec<String> =
        Code::all().iter().map(|code| format!("{} {}", code.name(), code.title())).collect();
    assert_eq!(heads, codes);
    for code in Code::all() {
        let page = code.page();
        assert_eq!(page.text.split("\n\n").count(), 3, "{code:?}");
        assert!(page.text.contains("\n\nUsual cause: "), "{code:?}");
        assert!(!page.wrong.is_empty() && !page.right.is_empty() && page.wrong != page.right, "{code:?}");
    }
}

#[test]
fn mistakes_of_the_text_are_found_while_reading() {
    for code in Code::all() {
        let page = code.page();
        let codes = |text: &str| {
            read("example.chi", text).0.diagnostics.iter().map(|it| it.code.name()).collect::<Vec<_>>()
        };
        let expected: &[&str] = if OF_THE_TEXT.contains(&code.name()) { &[code.name()] } else { &[] };
        assert_eq!(codes(page.wrong), expected, "{code:?}");
        assert!(codes(page.right).is_empty(), "{code:?}");
    }
}
