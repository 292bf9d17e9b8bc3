//! `chiasm check` as a user runs it: what it says of a stage, in lines that fit, and the same as objects.

use serde_json::Value;
use std::process::Command;

/// Standard output at so many columns; the command must succeed and say nothing else.
fn check(columns: usize, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chiasm"));
    let output = command.arg("check").args(arguments).env("COLUMNS", columns.to_string()).output();
    let output = output.expect("a started program");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    String::from_utf8(output.stdout).expect("a text")
}

/// The value behind a name, wrapped lines joined.
fn value(text: &str, stage: &str, name: &str) -> Option<String> {
    let stage = text.split("stage ").find(|part| part.starts_with(&format!("{stage}\n")))?;
    let mut lines = stage.lines().skip_while(|line| line.split_whitespace().next() != Some(name));
    let first = lines.next()?.trim_start().strip_prefix(name)?.trim().to_string();
    let more = lines.take_while(|line| line.starts_with("       ")).map(str::trim);
    Some(more.fold(first, |text, line| format!("{text} {line}")))
}

#[test]
fn a_stage_says_what_it_reads_moves_and_costs() {
    let text = check(80, &["models/albef.chi", "--memory", "64GiB"]);
    let of = |stage, name| value(&text, stage, name);
    assert_eq!(of("pretrain", "length").as_deref(), Some("30 epochs of 512 rows"));
    assert_eq!(of("pretrain", "data").as_deref(), Some("coco, vg, cc3m, cc12m, sbu: image, text"));
    assert_eq!(
        of("pretrain", "itc").as_deref(),
        Some("moves vision, to_image, embed, reader, to_text, temp")
    );
    assert_eq!(of("pretrain", "parameters").as_deref(), Some("209,937,725, all trained"));
    assert_eq!(of("pretrain", "start").as_deref(), Some("deit, bert_base"));
    assert_eq!(of("finetune", "fresh").as_deref(), Some("old_ids"));
    assert_eq!(of("finetune", "frozen"), None);
    assert!(of("pretrain", "fits").is_some_and(|value| value.ends_with(" rows in 64.0 GiB")), "{text}");
    assert!(!text.contains("never used"), "{text}");
}

#[test]
fn frozen_and_partly_moved_modules_are_named() {
    let text = check(80, &["models/beit.chi"]);
    assert_eq!(value(&text, "pretrain", "frozen").as_deref(), Some("dalle"));
    let text = check(80, &["models/vlmo.chi"]);
    let moved = value(&text, "language", "text_mlm").expect("its loss");
    assert!(moved.contains("blocks ") && moved.contains('%'), "{moved}");
}

#[test]
fn lines_fit_narrow_terminals_and_pipes() {
    for (columns, file) in [
        (40, "models/albef_tasks.chi"),
        (40, "models/beit3.chi"),
        (80, "models/vlmo.chi"),
        (80, "models/tiny/clip.chi"),
    ] {
        let text = check(columns, &[file, "--memory", "1GiB"]);
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > columns).collect();
        assert!(wide.is_empty(), "{file} at {columns}:\n{}", wide.join("\n"));
    }
}

#[test]
fn objects_have_the_same_facts() {
    let text = check(80, &["models/albef.chi", "--format", "json", "--memory", "1GiB"]);
    let objects: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let [pretrain, finetune, unused] = &objects[..] else { panic!("{text}") };
    assert_eq!((&pretrain["kind"], &pretrain["stage"]), (&"stage".into(), &"pretrain".into()));
    assert_eq!(pretrain["data"][0]["columns"], serde_json::json!(["image", "text"]));
    let itc = &pretrain["objectives"][0];
    assert_eq!((&itc["name"], &itc["moves"][0]["module"]), (&"itc".into(), &"vision".into()));
    assert_eq!(itc["moves"][0]["parameters"], itc["moves"][0]["of"]);
    assert_eq!((&pretrain["parameters"], &pretrain["trained"]), (&209_937_725.into(), &209_937_725.into()));
    assert_eq!(finetune["fresh_states"], serde_json::json!(["old_ids"]));
    assert_eq!(pretrain["largest_batch"], 0);
    assert_eq!(
        (&unused["kind"], unused["definitions"].as_array().map(Vec::len)),
        (&"unused".into(), Some(0))
    );
}

#[test]
fn what_a_variant_leaves_over_is_listed() {
    let folder = std::env::temp_dir().join(format!("chiasm-check-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let base = std::fs::canonicalize("models/tiny/clip.chi").expect("a path");
    let file = folder.join("left.chi");
    let text = format!("extend \"{}\"\nimage_feat = image -> vision -> cls -> normalize\n", base.display());
    std::fs::write(
        &file,
        text.replace("-> normalize", "-> to_joint -> normalize") + "to_joint = Linear(joint)\n",
    )
    .expect("a file");
    let said = check(80, &[file.to_str().expect("a path of letters")]);
    std::fs::remove_dir_all(folder).expect("a removed folder");
    assert!(said.contains("\nnever used\n  definitions "), "{said}");
}
