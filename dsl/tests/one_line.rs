//! Long lines: formatting takes time in proportion to the text, however it is laid out.

use chiasm_dsl::format::format;
use std::time::{Duration, Instant};

/// Seconds that the best of three runs takes.
fn time(text: &str) -> Duration {
    let once = || {
        let start = Instant::now();
        assert!(format(text).is_ok(), "{}", text[..text.len().min(60)].to_string());
        start.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap_or_default()
}

/// Texts of one line, by how often their piece is repeated.
fn texts(count: usize) -> [(&'static str, String); 5] {
    let joined = |piece: &str, between: &str| vec![piece; count].join(between);
    let definitions: String = (0..count).map(|i| format!("a{i} = f(b, {i}) ")).collect();
    let fields: String = (0..count).map(|i| format!("a{i} = b  ")).collect();
    [
        ("definitions", definitions),
        ("list", format!("a = [{}]", joined("f(b, 1)", ", "))),
        ("sums", format!("a = [{}]", joined("b * c + d", ", "))),
        ("fields", format!("stage s {{ {fields} }}")),
        ("nested", format!("a = [{}]", joined("[[[[[[[[b]]]]]]]]", ", "))),
    ]
}

#[test]
fn one_line_takes_time_in_proportion() {
    for ((name, short), (_, long)) in texts(2000).into_iter().zip(texts(16_000)) {
        let (short, long) = (time(&short).max(Duration::from_millis(1)), time(&long));
        assert!(long < 24 * short, "{name}: {short:?}, and 8 times the text {long:?}");
    }
}
