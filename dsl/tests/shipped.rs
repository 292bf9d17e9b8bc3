//! All files of the library and all models parse cleanly, and print as text with the same tree.
#![allow(clippy::unwrap_used)]

mod common;

use chiasm_dsl::print::print;
use common::{clean, shipped, spanless};

#[test]
fn every_file_parses_and_prints_back() {
    let files = shipped();
    assert!(files.len() >= 26, "only {} files", files.len());
    for (name, text) in files {
        let tree = clean(&name, &text);
        let printed = print(&tree);
        let again = clean(&name, &printed);
        assert_eq!(spanless(&tree), spanless(&again), "{name}");
        assert_eq!(printed, print(&again), "{name}");
    }
}

#[test]
fn white_space_means_nothing() {
    for (name, text) in shipped() {
        let tree = clean(&name, &text);
        let bare: String = text.lines().map(without_comment).collect();
        assert_eq!(spanless(&tree), spanless(&clean(&name, &bare)), "{name} on one line");
        let windows = text.trim_end().replace('\n', "\r\n");
        assert_eq!(spanless(&tree), spanless(&clean(&name, &windows)), "{name} with Windows line ends");
        assert_eq!(
            spanless(&tree),
            spanless(&clean(&name, &format!("\u{feff}{text}"))),
            "{name} with a byte-order mark"
        );
    }
}

fn without_comment(line: &str) -> String {
    line.split('#').next().unwrap().to_string() + " "
}
