//! All files of the library and all models parse cleanly; white space means nothing.
#![allow(clippy::unwrap_used)]

mod common;

use common::{clean, shipped, spanless};

#[test]
fn every_file_parses() {
    let files = shipped();
    assert!(files.len() >= 26, "only {} files", files.len());
    for (name, text) in files {
        assert!(!clean(&name, &text).items.is_empty(), "{name}");
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
