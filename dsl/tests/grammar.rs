//! The examples of `GRAMMAR.md`: `chi` blocks parse, `chi-error` blocks give their code.
#![allow(clippy::unwrap_used)]

mod common;

use common::{formatted, read, root};

/// The blocks of a page: what follows the fence, and the text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect()
}

#[test]
fn every_example_does_what_the_page_says() {
    let page = std::fs::read_to_string(root("dsl/GRAMMAR.md")).unwrap();
    let mut seen = 0;
    for (mark, text) in blocks(&page) {
        if let Some(code) = mark.strip_prefix("chi-error ") {
            let (parsed, said) = read("GRAMMAR.md", text);
            let codes: Vec<&str> = parsed.diagnostics.iter().map(|it| it.code.name()).collect();
            assert_eq!(codes, [code], "{text}\n{said}");
        } else if mark == "chi" {
            formatted("GRAMMAR.md", text);
        } else {
            continue;
        }
        seen += 1;
    }
    assert!(seen > 30, "only {seen} examples");
}
