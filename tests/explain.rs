//! The examples of `dsl/ERRORS.md`: the wrong lines give their code and no other, the right ones no error and no warning.

use chiasm::{Failure, Options, compile};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use std::path::Path;

/// The codes that a file gives.
fn codes(folder: &Path, lines: &str) -> Vec<&'static str> {
    let whole = lines.contains("extend \"base.chi\"");
    let text = if whole { lines.to_string() } else { format!("extend \"base.chi\"\n{lines}\n") };
    let file = folder.join("example.chi");
    std::fs::write(&file, text).expect("a written example");
    let names = |diagnostics: &[Diagnostic]| diagnostics.iter().map(|d| d.code.name()).collect();
    match compile(&file, &Options::default()) {
        Ok(model) => names(&model.warnings),
        Err(Failure::Wrong { diagnostics, .. }) => names(&diagnostics),
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn every_example_does_what_its_section_says() {
    let folder = std::env::temp_dir().join(format!("chiasm-explain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy("dsl/tests/explain/base.chi", folder.join("base.chi")).expect("a copied base");
    let mut wrong = Vec::new();
    for code in Code::all() {
        let page = code.page();
        let (found, clean) = (codes(&folder, page.wrong), codes(&folder, page.right));
        if found != [code.name()] {
            wrong.push(format!("{}: the wrong lines give {found:?}\n{}", code.name(), page.wrong));
        }
        if !clean.is_empty() {
            wrong.push(format!("{}: the right lines give {clean:?}\n{}", code.name(), page.right));
        }
    }
    std::fs::remove_dir_all(&folder).expect("a removed folder");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
