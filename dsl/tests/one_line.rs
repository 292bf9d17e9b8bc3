//! Long lines: formatting takes time in proportion to the text, however it is laid out.

use chiasm_dsl::format::format;
use std::time::{Duration, Instant};

/// How long this thread has been at work, whatever else runs on the machine; where the system does not tell, the time of day.
fn at_work(since: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// What the best of three rounds takes, each so many runs.
fn time(text: &str, runs: usize) -> Duration {
    let day = Instant::now();
    let round = || {
        let start = at_work(day);
        for _ in 0..runs {
            assert!(format(text).is_ok(), "{}", text[..text.len().min(60)].to_string());
        }
        at_work(day).saturating_sub(start)
    };
    (0..3).map(|_| round()).min().unwrap_or_default()
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
    // The same amount of text takes the same time; were it squared, it would be 16 times as long in one piece.
    for ((name, short), (_, long)) in texts(1000).into_iter().zip(texts(16_000)) {
        let (short, long) = (time(&short, 16).max(Duration::from_millis(10)), time(&long, 1));
        assert!(long < 5 * short, "{name}: {short:?} in 16 pieces, {long:?} in one");
    }
}
