//! `chiasm run`: named values of a model, as a user asks for them.

use chiasm::{Host, Network, Options, compile};
use std::path::PathBuf;
use std::process::{Command, Output};

const MODEL: &str = "tests/train/speck.chi";

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm")).arg("run").args(arguments).output().expect("a started program")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a text")
}

/// Two grey pictures of different size.
fn pictures() -> [PathBuf; 2] {
    let folder = std::env::temp_dir().join(format!("chiasm-run {}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    [(7, 90), (30, 200)].map(|(side, grey)| {
        let file = folder.join(format!("{side}.png"));
        image::GrayImage::from_pixel(side, side, image::Luma([grey])).save(&file).expect("a picture");
        file
    })
}

#[test]
fn values_are_those_of_a_network_row_by_row() {
    let [small, large] = pictures().map(|file| format!("image={}", file.display()));
    let said = run(&[
        MODEL,
        "image_feat",
        "text_feat",
        "--fresh",
        "--seed",
        "3",
        "--format",
        "json",
        "--input",
        &small,
        "--input",
        &large,
        "--input",
        "text=a red circle",
    ]);
    assert!(said.status.success(), "{}", text(&said.stderr));
    let rows: Vec<serde_json::Value> =
        text(&said.stdout).lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let of: Vec<&str> = rows.iter().filter_map(|row| row["value"].as_str()).collect();
    assert_eq!(of, ["image_feat", "image_feat", "text_feat"]);

    let model = compile(MODEL.as_ref(), &Options::default()).expect("a model");
    let mut network = Network::fresh(&model, "pretrain", 3, &Host::default()).expect("a network");
    let expected =
        network.run("text_feat", &[("text", "a red circle".into())]).expect("numbers").into_floats();
    let found: Vec<f32> = serde_json::from_value(rows[2]["numbers"].clone()).expect("numbers");
    assert_eq!(found, expected);
    assert_ne!(rows[0]["numbers"], rows[1]["numbers"]);
}

#[test]
fn every_executor_gives_the_same_rows() {
    let given = |device| {
        let said = run(&[MODEL, "text_feat", "--fresh", "--input", "text=a red circle", "--device", device]);
        let text = text(&said.stdout);
        let (head, row) = text.split_once('\n').expect("two lines");
        assert!(head.starts_with("text_feat [1, "), "{head}");
        row.split_whitespace().map(|number| number.parse().expect("a number")).collect::<Vec<f32>>()
    };
    let cpu = given("cpu");
    for device in ["reference", "dfdx"] {
        let other = given(device);
        assert!(cpu.len() == other.len() && !cpu.is_empty());
        assert!(cpu.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-5), "{device}");
    }
}

#[test]
fn what_is_missing_is_said() {
    for (arguments, code, message) in [
        (&["text_feat", "--input", "text=a"][..], 2, "which parameters? --out DIR has those of a run"),
        (&["text_feat", "--fresh"], 1, "reads the input `text`"),
        (&["text_fea", "--fresh"], 1, "did you mean `text_feat`?"),
        (&["text_feat", "--fresh", "--input", "txt=a"], 1, "no input `txt` (did you mean `text`?)"),
        (&["text_feat", "--fresh", "--input", "text"], 2, "expected NAME=ROW"),
        (&["image_feat", "--fresh", "--input", "image=no/such.png"], 1, "no/such.png cannot be read"),
        (&["text_feat", "--input", "text=a", "--out", "no/such/run"], 1, "no/such/run"),
    ] {
        let said = run(&[&[MODEL], arguments].concat());
        assert_eq!(said.status.code(), Some(code), "{arguments:?}: {}", text(&said.stderr));
        assert!(text(&said.stderr).contains(message), "{arguments:?}: {}", text(&said.stderr));
        assert!(said.stdout.is_empty());
    }
}
