//! The editor folder: its grammar knows every word of the language, its manifest names files that are there.

use chiasm::lower::analysis::{PRIMITIVES, STAGE_FIELDS, TASK_FIELDS, WORDS};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn json(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The words of the first group of alternatives in a rule.
fn words(rule: &Value) -> BTreeSet<String> {
    let pattern = rule["match"].as_str().expect("a pattern");
    let group = pattern.split_once('(').and_then(|(_, rest)| rest.split_once(')')).expect("a group").0;
    group.split('|').map(str::to_string).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| word.to_string()).collect()
}

#[test]
fn the_grammar_knows_every_word() {
    let grammar = json("syntaxes/chiasm.tmLanguage.json");
    let rules = &grammar["repository"];
    assert_eq!(words(&rules["primitive"]), set(PRIMITIVES));
    assert_eq!(words(&rules["word"]), set(WORDS));
    assert_eq!(words(&rules["reserved"]), set(chiasm_dsl::token::RESERVED));
    assert_eq!(words(&rules["field"]), set(&[STAGE_FIELDS, TASK_FIELDS].concat()));
    let items = rules["item"]["patterns"].as_array().expect("rules");
    assert!(items.iter().any(|rule| words(rule) == set(chiasm_dsl::parse::WORDS)));
}

#[test]
fn every_rule_that_is_asked_for_is_there() {
    fn asked<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("include").and_then(Value::as_str));
                fields.values().for_each(|value| asked(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| asked(value, found)),
            _ => {}
        }
    }
    let grammar = json("syntaxes/chiasm.tmLanguage.json");
    let mut found = Vec::new();
    asked(&grammar, &mut found);
    assert!(found.len() > 10);
    for name in found {
        assert!(grammar["repository"][&name[1..]].is_object(), "{name}");
    }
}

#[test]
fn the_manifest_names_files_that_are_there() {
    let manifest = json("package.json");
    let language = &manifest["contributes"]["languages"][0];
    let grammar = &manifest["contributes"]["grammars"][0];
    assert_eq!(language["extensions"][0], ".chi");
    assert_eq!(grammar["scopeName"], json("syntaxes/chiasm.tmLanguage.json")["scopeName"]);
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    for file in [&manifest["main"], &language["configuration"], &grammar["path"]] {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode").join(file.as_str().expect("a path"));
        assert!(path.is_file(), "{}", path.display());
    }
    assert_eq!(json("language-configuration.json")["comments"]["lineComment"], "#");
}
