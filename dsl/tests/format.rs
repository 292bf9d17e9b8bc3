//! The formatter: shipped files are its fixed points; no layout of a file changes its tree; twice is once.
#![allow(clippy::unwrap_used)]

mod common;

use chiasm_dsl::format::format;
use chiasm_dsl::parse::parse;
use chiasm_dsl::token::{Kind, read as tokens};
use common::{ALONE, Counter, files, formatted, root, shipped, spanless};

/// Formats, and checks what must hold for every text that parses.
fn sound(name: &str, text: &str) -> String {
    let formed = formatted(name, text);
    for line in formed.lines() {
        assert_eq!(line, line.trim_end(), "{name}");
    }
    let comments = |text: &str| -> Vec<String> {
        parse(ALONE, text)
            .comments
            .iter()
            .map(|it| text[it.span.start as usize..it.span.end as usize].trim_end().into())
            .collect()
    };
    assert_eq!(comments(text), comments(&formed), "{name}");
    formed
}

#[test]
fn shipped_files_stay_as_they_are() {
    for (name, text) in shipped() {
        let formed = sound(&name, &text);
        let changed = text.lines().zip(formed.lines()).find(|(before, after)| before != after);
        assert!(text == formed, "{name}: {changed:#?}");
    }
}

#[test]
fn faulty_files_that_parse_keep_their_tree() {
    let parse_well = |(_, text): &(String, String)| parse(ALONE, text).diagnostics.is_empty();
    let files: Vec<_> = files(&root("tests/language/bad")).into_iter().filter(parse_well).collect();
    assert!(files.len() > 25);
    for (name, text) in files {
        sound(&name, &text);
    }
}

#[test]
fn a_text_with_a_mistake_is_not_formatted() {
    let said = format("a = 1\nb = (2\nc = 3").unwrap_err();
    assert_eq!(said[0].code.name(), "E0102");
}

/// The tokens of a text with something else between them.
fn laid_out(text: &str, mut between: impl FnMut(usize) -> String) -> String {
    let tokens = tokens(ALONE, text).tokens;
    let words = tokens
        .iter()
        .filter(|it| it.kind != Kind::End)
        .map(|it| &text[it.span.start as usize..it.span.end as usize]);
    words.enumerate().map(|(at, word)| between(at) + word).collect()
}

#[test]
fn one_line_and_one_token_per_line() {
    for (name, text) in shipped() {
        let flat = sound(&name, &laid_out(&text, |_| " ".into()));
        for line in flat.lines() {
            assert!(line.chars().count() <= 120, "{name}: {line}");
        }
        assert_eq!(flat, sound(&name, &laid_out(&text, |_| "  \t".into())), "{name}");
        sound(&name, &laid_out(&text, |_| "\n".into()));
        sound(&name, &laid_out(&text, |at| format!("\n{:at$}", "", at = at % 90)));
    }
}

#[test]
fn random_layouts() {
    let gaps = [
        " ",
        " ",
        " ",
        "  ",
        "\t",
        "\n",
        "\n",
        "\n\n\n",
        "\r\n",
        "\n          ",
        " # why\n",
        "\n # so\n\n",
        "#\r\n",
        "\r",
    ];
    let mut counter = Counter(4);
    for (name, text) in shipped() {
        for rare in [2, 10, 50] {
            let random = |_| {
                if counter.below(rare) == 0 {
                    gaps[counter.below(gaps.len())].to_string()
                } else {
                    " ".into()
                }
            };
            sound(&name, &laid_out(&text, random));
        }
    }
}

#[test]
fn line_ends_of_windows_stay_and_a_mark_goes() {
    for (name, text) in shipped() {
        let windows = text.replace('\n', "\r\n");
        assert!(format(&windows).unwrap() == windows, "{name}");
        assert_eq!(format(&format!("\u{feff}{text}")).unwrap(), text, "{name}");
    }
}

/// Behind `# ====` a text, behind `# ----` what becomes of it.
#[test]
fn every_rule() {
    for (name, text) in files(&root("dsl/tests/format")) {
        for case in text.split("# ====\n").skip(1) {
            let (before, after) = case.split_once("# ----\n").unwrap_or_else(|| panic!("{name}"));
            assert_eq!(sound(&name, before), after, "{name}");
            assert_eq!(spanless(&parse(ALONE, before).tree), spanless(&parse(ALONE, after).tree), "{name}");
        }
    }
}
