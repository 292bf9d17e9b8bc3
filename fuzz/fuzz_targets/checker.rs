//! Any text is checked without a panic; `-timeout` and `-rss_limit_mb` bound time and memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A file of this process, beside the models that texts may extend.
fn file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| std::env::temp_dir().join(format!("chiasm-fuzz-{}.chi", std::process::id())))
}

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > 20_000 || std::fs::write(file(), bytes).is_err() {
        return;
    }
    // Whether the text is right does not matter, only that there is an answer.
    let _ = chiasm::compile(file(), &chiasm::Options::default());
});
