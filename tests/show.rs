//! The command line around the language: `fmt`, `show`, `explain`, `check --format json`, run as a user runs them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn chiasm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm")).args(arguments).output().expect("a started program")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("a text")
}

fn complained(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("a text")
}

fn written(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("chiasm-show-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    std::fs::write(&file, text).expect("a written file");
    file
}

fn path(file: &Path) -> &str {
    file.to_str().expect("a path of letters")
}

#[test]
fn fmt_rewrites_checks_and_leaves_wrong_files_alone() {
    let (good, bad) = (written("good.chi", "a=1\nbb = 2\n"), written("bad.chi", "a = (1\n"));
    let check = chiasm(&["fmt", "--check", path(&good), "models/clip.chi"]);
    assert_eq!((check.status.code(), said(&check).trim()), (Some(1), path(&good)));
    let both = chiasm(&["fmt", path(&good), path(&bad)]);
    assert_eq!(both.status.code(), Some(1));
    assert!(complained(&both).contains("error[E0102]") && said(&both).is_empty());
    let text = |file: &Path| std::fs::read_to_string(file).expect("a text");
    assert_eq!((text(&good), text(&bad)), ("a  = 1\nbb = 2\n".into(), "a = (1\n".into()));
    assert_eq!(chiasm(&["fmt", "--check", path(&good)]).status.code(), Some(0));
    assert_eq!(chiasm(&["fmt", "no/such/file.chi"]).status.code(), Some(2));
}

#[test]
fn fmt_reads_standard_input() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .args(["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a started program");
    program.stdin.take().expect("an input").write_all(b"a=b->c\r\n").expect("a read text");
    let output = program.wait_with_output().expect("an end");
    assert_eq!(said(&output), "a = b -> c\r\n");
}

#[test]
fn drawings_have_every_definition_and_no_overlaps() {
    for (file, stage, boxes) in [
        ("models/albef.chi", "pretrain", 21),
        ("models/tiny/albef.chi", "finetune", 18),
        ("models/clip.chi", "pretrain", 9),
    ] {
        let svg = said(&chiasm(&["show", file, "--stage", stage, "--as", "svg"]));
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{file}");
        let drawn =
            svg.split("<g transform").nth(1).and_then(|rest| rest.split("</g>").next()).expect("boxes");
        let rooms: Vec<[f64; 4]> = drawn
            .split("<rect")
            .skip(1)
            .map(|rect| ["x", "y", "width", "height"].map(|name| number(rect, name)))
            .collect();
        assert!(rooms.len() >= boxes, "{file}: {} boxes", rooms.len());
        for (at, a) in rooms.iter().enumerate() {
            for b in &rooms[at + 1..] {
                let apart =
                    a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1];
                assert!(apart, "{file}: {a:?} {b:?}");
            }
        }
    }
    let dot = said(&chiasm(&["show", "models/tiny/clip.chi", "--as", "dot"]));
    assert!(dot.starts_with("digraph") && dot.contains("to_image") && dot.contains("rank=max"), "{dot}");
}

fn number(rect: &str, name: &str) -> f64 {
    let rest = rect.split(&format!(" {name}=\"")).nth(1).expect("an attribute");
    rest.split('"').next().and_then(|text| text.parse().ok()).expect("a number")
}

#[test]
fn trees_fit_forty_columns_and_tables_count() {
    let tree = said(&chiasm(&["show", "models/tiny/albef.chi", "--stage", "pretrain"]));
    assert!(tree.lines().all(|line| line.chars().count() <= 40), "{tree}");
    let table = said(&chiasm(&["show", "models/albef.chi", "--stage", "pretrain", "--as", "table"]));
    assert!(
        table.contains("209,937,725 parameters, 209,936,186 in slow copies, 33,554,432 in states"),
        "{table}"
    );
    assert!(
        table.lines().any(|line| line.split_whitespace().eq(["module", "vision", "ViT", "85,844,736"])),
        "{table}"
    );
}

#[test]
fn a_variant_differs_where_it_says() {
    let diff = said(&chiasm(&["show", "--diff", "models/albef.chi", "models/variants/albef_gated.chi"]));
    assert!(
        diff.contains("  fusion\n  - fusion = [BertLayer(heads) for i < half]\n  + fusion = [Layer("),
        "{diff}"
    );
    assert!(diff.contains("  parameters\n  - 209,937,725\n  + 209,942,333"), "{diff}");
    let same = said(&chiasm(&["show", "--diff", "models/clip.chi", "models/clip.chi"]));
    assert!(same.trim_end().ends_with("nothing differs"), "{same}");
}

#[test]
fn explain_shows_both_examples() {
    let page = said(&chiasm(&["explain", "e0203"]));
    assert!(page.starts_with("E0203: no such argument\n"), "{page}");
    assert!(page.contains("Wrong:\n\n    vision = ViT(width, 1, heads, patches: 16)"), "{page}");
    assert_eq!(chiasm(&["explain", "E9999"]).status.code(), Some(2));
}

/// The objects that `check --format json` prints.
fn objects(arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = chiasm(&[&["check", "--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(1));
    complained(&output).lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

#[test]
fn diagnostics_are_objects_with_places_in_characters() {
    let text = std::fs::read_to_string("tests/language/bad/03_modality.chi").expect("a case");
    let place = |object: &serde_json::Value| {
        ["line", "column", "end_line", "end_column"].map(|name| object[name].as_u64())
    };
    let expected = [34, 36, 34, 45].map(Some);
    for (name, text) in [
        ("unix.chi", text.clone()),
        ("windows.chi", text.replace('\n', "\r\n")),
        ("mark.chi", format!("\u{feff}{text}")),
    ] {
        let file = written(name, &text);
        let found = objects(&[path(&file)]);
        let first = found.iter().find(|object| object["code"] == "E0401").expect("its error");
        assert_eq!(place(first), expected, "{name}");
        assert_eq!((&first["severity"], &first["file"]), (&"error".into(), &path(&file).into()), "{name}");
        assert!(first["message"].is_string() && first["notes"].is_array(), "{name}");
    }
    let wide = written("wide.chi", "bert = \"éß漢😀\" ; x = 1\n");
    assert_eq!(place(&objects(&[path(&wide)])[0]), [1, 15, 1, 15].map(Some));
    let nowhere = objects(&["models/clip.chi", "--set", "deph=6"]);
    assert_eq!((nowhere[0]["code"].as_str(), place(&nowhere[0])), (Some("E0205"), [0, 0, 0, 0].map(Some)));
}
