//! Any text: no panic, spans in bounds, bounded time, trees of bounded depth, no message about a text twice.
#![allow(clippy::unwrap_used)]

mod common;

use chiasm_dsl::parse::parse;
use common::{ALONE, Counter, formatted, read, shipped};
use std::time::Instant;

/// What must hold for every text.
fn check(text: &str) {
    let (parsed, _) = read("any.chi", text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let spans = parsed.diagnostics.iter().filter_map(|it| it.span);
    for span in spans
        .chain(parsed.tree.items.iter().map(|it| it.span))
        .chain(parsed.comments.iter().map(|it| it.span))
    {
        assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} in {text:?}");
    }
    let words = format!("{:?}", parsed.tree);
    for span in words.split("start: ").skip(1) {
        let Some((start, rest)) = span.split_once(", end: ") else { continue };
        let end: usize = rest.split(' ').next().unwrap().parse().unwrap_or(0);
        assert!(
            start.parse::<usize>().is_ok_and(|start| start <= end && end <= text.len()),
            "{span} in {text:?}"
        );
    }
    if parsed.diagnostics.is_empty() {
        formatted("any.chi", text);
    }
}

#[test]
fn random_characters() {
    let alphabet: Vec<char> = "abBx_01.e\"#'()[]{}:,<>=!~+-*/%@^ \n\r\t;?é\u{a0}“😀".chars().collect();
    let mut counter = Counter(1);
    for _ in 0..2000 {
        let length = counter.below(60);
        check(&(0..length).map(|_| alphabet[counter.below(alphabet.len())]).collect::<String>());
    }
}

#[test]
fn random_words() {
    let words: Vec<&str> = "extend use modality set input state loss fn module weights data stage task if then else and or not \
        for in with as route return on of via from require rate causal a b B Abc 3 0.5 \"t\" -> .. == <= + - * @ ^ ' ( ) [ ] { } \
        : , . < = ~ \n"
        .split(' ')
        .collect();
    let mut counter = Counter(2);
    for _ in 0..4000 {
        let length = counter.below(30);
        let text: String = (0..length).map(|_| [words[counter.below(words.len())], " "].concat()).collect();
        check(&text);
    }
}

#[test]
fn shipped_files_with_a_few_changes() {
    let mut counter = Counter(3);
    for (_, text) in shipped() {
        for _ in 0..30 {
            let mut characters: Vec<char> = text.chars().collect();
            for _ in 0..1 + counter.below(3) {
                let (from, to) = (counter.below(characters.len()), counter.below(characters.len()));
                match counter.below(4) {
                    0 => characters.truncate(from),
                    1 => drop(characters.drain(from..(from + counter.below(20)).min(characters.len()))),
                    2 => characters.swap(from, to),
                    _ => characters.insert(from, "\"({[)}]='é\n"[..].chars().nth(counter.below(11)).unwrap()),
                }
                characters.push('\n');
            }
            check(&characters.into_iter().collect::<String>());
        }
    }
}

#[test]
fn deep_nesting_is_refused_not_crashed_on() {
    let deep = 100_000;
    let pairs = [
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("not ", ""),
        ("f(", ")"),
        ("2^", ""),
        ("a[", "]"),
        ("if x then y else ", ""),
    ];
    let chains = [
        "'",
        ".a",
        "[0]",
        "(0)",
        " -> f",
        " + 1",
        " as b",
        " with {}",
        " with { a = b",
        "^2",
        " and b",
        " * 2 + 1",
    ];
    let nested =
        pairs.iter().map(|(open, close)| format!("x = {}1{}", open.repeat(deep), close.repeat(deep)));
    let chained = chains.iter().map(|link| format!("x = a{}", link.repeat(deep)));
    for text in nested.chain(chained) {
        let (parsed, said) = read("deep.chi", &text);
        assert_eq!(parsed.diagnostics.len(), 1, "{}: {said}", &text[..20]);
        assert_eq!(parsed.diagnostics[0].code.name(), "E0102");
    }
}

#[test]
fn ordinary_depth_is_accepted() {
    check(&format!("x = {}1{}", "(".repeat(150), ")".repeat(150)));
    let sum = "x = a.b(c)[0]' * 2".to_string() + &" + a.b(c)[0]' * 2".repeat(150);
    assert!(read("sum.chi", &sum).1.is_empty());
    let list = format!("x = [{}]", "a + b, ".repeat(5000));
    assert!(read("list.chi", &list).1.is_empty());
    let fields: String = (0..1000).map(|i| format!("input a{i} : image[B, 3 * {i}] of (b + 1)\n")).collect();
    assert!(read("inputs.chi", &fields).1.is_empty());
}

/// Time that this thread has computed; where the system does not say it, time on the clock.
fn seconds_of_work() -> f64 {
    static CLOCK: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let computed = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let computed = computed.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    computed.map_or_else(|| CLOCK.get_or_init(Instant::now).elapsed().as_secs_f64(), |it| it / 1e9)
}

#[test]
fn ten_megabytes_in_seconds() {
    let sound =
        shipped().iter().map(|(_, text)| text.replace("extend", "use")).collect::<Vec<_>>().join("\n");
    let faulty = "m = x with {\n  a = (1 +\nb = [2, 3\n x = = 3 ; \"open\n";
    let nested = "m = x with {\n  a = 1\n".to_string();
    let open = "x = (a +\n".to_string();
    for piece in [
        sound.as_str(),
        faulty,
        &nested,
        &open,
        "(",
        "}",
        "x = ",
        "stage s {\n  a = 1\nb = 2\n",
        "\"",
        "é ",
        "# c\n",
    ] {
        let size = if piece.len() > 1000 { 10_000_000 } else { 2_000_000 };
        let text = piece.repeat(size / piece.len() + 1);
        let start = seconds_of_work();
        parse(ALONE, &text);
        let seconds = seconds_of_work() - start;
        assert!(seconds < 20.0, "{seconds} s for {}", &piece[..piece.len().min(40)]);
    }
}

#[test]
fn a_missing_value_is_said_once() {
    let (parsed, said) = read("missing.chi", "x =\ny = 3\nuse\ny = )\nz =\nuse\ny = )\nstage\n");
    assert!(
        said.starts_with("error[E0102]: expected an expression, found `y`\n --> missing.chi:2:1"),
        "{said}"
    );
    assert!(parsed.diagnostics.len() <= 7, "{said}");
}
