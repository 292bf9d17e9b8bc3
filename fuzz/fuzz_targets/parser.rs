//! Any text is read; a right one is formatted: the tree stays, and twice is once.
#![no_main]

use chiasm_dsl::format::format;
use chiasm_dsl::parse::parse;
use chiasm_dsl::span::FileId;
use libfuzzer_sys::fuzz_target;

/// The tree in words, without its spans.
fn spanless(text: &str) -> String {
    let words = format!("{:?}", parse(FileId(0), text).tree);
    let mut pieces = words.split("Span {");
    let first = pieces.next().unwrap_or("").to_string();
    pieces.fold(first, |text, piece| text + piece.split_once('}').map_or("", |(_, rest)| rest))
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Ok(formed) = format(text) {
        assert_eq!(spanless(text), spanless(&formed), "the tree changed");
        assert_eq!(format(&formed).as_deref(), Ok(formed.as_str()), "twice is not once");
    }
});
