//! Changed texts of the models and the faulty files: the checker answers each of them, without a panic and in bounded time.
#![expect(clippy::print_stderr, reason = "a run of the fuzzer says how much it did")]

use chiasm::{Options, compile};
use chiasm_dsl::span::FileId;
use chiasm_dsl::token::{Kind, read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FOLDERS: [&str; 4] = ["models", "models/tiny", "models/variants", "tests/language/bad"];

/// Numbers that depend on a seed and a counter only.
struct Counter(u64);

impl Counter {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit.max(1) as u64) as usize
    }
}

/// Every seed; what it extends is named from the root.
fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = FOLDERS.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("a folder"));
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "chi"));
    paths.sort();
    let text = |path: &PathBuf| {
        let folder = path.parent().expect("a folder").display().to_string();
        std::fs::read_to_string(path).expect("a text").replace("extend \"", &format!("extend \"{folder}/"))
    };
    paths.iter().map(text).collect()
}

/// A text with some of its words replaced by other words of the same or another kind.
fn changed(text: &str, counter: &mut Counter) -> String {
    let tokens = read(FileId(0), text).tokens;
    let words: Vec<&str> = tokens.iter().map(|t| &text[t.span.start as usize..t.span.end as usize]).collect();
    let mut kept: Vec<String> = words.iter().map(ToString::to_string).collect();
    for _ in 0..1 + counter.below(3) {
        let (at, other) = (counter.below(kept.len()), counter.below(kept.len()));
        kept[at] = match (counter.below(6), tokens[at].kind) {
            (0, _) => String::new(),
            (1, _) => kept[other].clone(),
            (2, Kind::Number) => {
                ["0", "-1", "1e300", "7", "0.5", "4000000000", "99"][counter.below(7)].to_string()
            }
            (_, kind) => {
                let alike: Vec<usize> = (0..words.len()).filter(|at| tokens[*at].kind == kind).collect();
                words[alike[counter.below(alike.len())]].to_string()
            }
        };
    }
    kept.join(" ")
}

#[test]
fn the_checker_answers_every_text() {
    let file = std::env::temp_dir().join(format!("chiasm-mutations-{}.chi", std::process::id()));
    let seconds = std::env::var("CHIASM_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let (mut counter, begin, seeds) = (Counter(7), Instant::now(), seeds());
    let (mut count, mut wrong, mut slowest) = (0, 0, Duration::ZERO);
    while begin.elapsed() < Duration::from_secs(seconds) {
        let text = changed(&seeds[counter.below(seeds.len())], &mut counter);
        std::fs::write(&file, &text).expect("a written text");
        let start = Instant::now();
        let answer = std::panic::catch_unwind(|| compile(&file, &Options::default()));
        slowest = slowest.max(start.elapsed());
        let answer = answer.unwrap_or_else(|_| panic!("text {count}:\n{text}"));
        assert!(start.elapsed() < Duration::from_secs(60), "{:?} for text {count}:\n{text}", start.elapsed());
        (count, wrong) = (count + 1, wrong + usize::from(answer.is_err()));
    }
    std::fs::remove_file(&file).expect("a removed file");
    assert!(count > 0);
    // Texts are changed so little that some are right.
    eprintln!("{count} texts, {wrong} of them wrong, at most {slowest:?}");
}
