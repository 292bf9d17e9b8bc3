//! `chiasm vocabulary`: pieces learned from the texts of a model, and what a model counts on of vocabularies that it names.

use chiasm::{Options, compile};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TEXTS: [&str; 3] = ["A brown dog runs.", "the brown dogs run", "Runs, the dog?"];

/// A folder with texts `lines`, and a model that reads them and hides whole words.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("vocabulary {name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("lines")).expect("a folder");
    std::fs::write(folder.join("lines/train.txt"), TEXTS.join("\n")).expect("is written");
    folder
}

/// The model's file, its vocabulary as given.
fn model(folder: &Path, vocabulary: &str) -> PathBuf {
    let file = folder.join("mine.chi");
    let text = format!(
        "input text : text[B, ~8] of words\nwords = {vocabulary}\nembed = Embedding(words, 4)\n\
         hidden = choose(pick_words(text, 0.5), words.mask, text)\nloss small = mean(embed(hidden))\n\
         stage pretrain {{\n  data = texts(\"lines\")\n  batch = 2\n  minimise = small\n  optimiser = sgd(0.1)\n  \
         length = steps(2)\n}}\n"
    );
    std::fs::write(&file, text).expect("is written");
    file
}

fn chiasm(command: &str, file: &Path, folder: &Path, more: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chiasm"));
    program.arg(command).arg(file).arg("--data").arg(folder).args(more).output().expect("a started program")
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

#[track_caller]
fn fails(output: &Output, wanted: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(wanted.iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn learned_pieces_are_found_by_train() {
    let folder = folder("learned");
    let file = model(&folder, "WordPiece(\"mine\", size: 40)");
    let run = folder.join("run");
    let train = || chiasm("train", &file, &folder, &["--out", run.to_str().expect("a path")]);
    fails(&train(), &["`mine`", "`chiasm vocabulary FILE`"]);
    std::fs::remove_dir_all(&run).expect("is removed");
    let learned = chiasm("vocabulary", &file, &folder, &[]);
    assert!(
        learned.status.success() && said(&learned).contains("40 pieces of 3 texts"),
        "{}",
        said(&learned)
    );
    let list = folder.join("tokenizers/mine/vocab.txt");
    let pieces = std::fs::read_to_string(&list).expect("is written");
    assert_eq!(pieces.lines().count(), 40);
    assert!(
        ["[MASK]", "dog", "runs", "brow", "##n"]
            .iter()
            .all(|piece| pieces.lines().any(|line| line == *piece))
    );
    fails(&chiasm("vocabulary", &file, &folder, &[]), &["vocab.txt is there already", "--out"]);
    let again = folder.join("again.txt");
    let out = again.to_str().expect("a path");
    assert!(chiasm("vocabulary", &file, &folder, &["--out", out]).status.success());
    assert_eq!(std::fs::read_to_string(&again).expect("is written"), pieces);
    let trained = train();
    assert!(trained.status.success(), "{}", said(&trained));
}

#[test]
fn what_cannot_be_learned_is_said() {
    let folder = folder("refused");
    let learn =
        |vocabulary: &str, more: &[&str]| chiasm("vocabulary", &model(&folder, vocabulary), &folder, more);
    fails(&learn("WordPiece(\"mine\", size: 9)", &[]), &["9 pieces are too few", "say `size: "]);
    fails(&learn("WordPiece(\"mine\", size: 900)", &[]), &["the texts give only", "say `size: "]);
    fails(&learn("WordPiece(\"mine\", size: 40)", &["--name", "yours"]), &["a vocabulary `yours`"]);
    fails(&learn("WordPiece(\"bert-base-uncased\")", &[]), &["no stage reads texts with a vocabulary"]);
    let bytes = "Bpe(\"mine\", size: 40, special: [0, 1, 2, 3, 4])";
    fails(&learn(bytes, &[]), &["`mine`: only vocabularies of WordPiece"]);
    assert!(!folder.join("tokenizers").exists());
}

/// Ids that the model was compiled with must be those of the file: else it would hide first tokens, and write others.
#[test]
fn a_vocabulary_of_another_make_is_refused() {
    let folder = folder("other");
    let pieces = "[PAD]\n[CLS]\n[SEP]\n[UNK]\n[MASK]\na\ndog\nrun\n##s\nthe\n";
    std::fs::create_dir_all(folder.join("tokenizers/mine")).expect("a folder");
    std::fs::write(folder.join("tokenizers/mine/vocab.txt"), pieces).expect("is written");
    let run = |name: &str, vocabulary: &str| {
        let out = folder.join(name);
        chiasm("train", &model(&folder, vocabulary), &folder, &["--out", out.to_str().expect("a path")])
    };
    fails(
        &run("1", "WordPiece(\"mine\", size: 10)"),
        &["`cls` is 1, but the model counts on 2", "`special: [0, 1, 2, 4, 3]`"],
    );
    fails(
        &run("2", "WordPiece(\"mine\", size: 9, special: [0, 1, 2, 4, 3])"),
        &["has 10 pieces", "`size: 9`"],
    );
    let extra = "WordPiece(\"mine\", size: 11, extra: [\"cat\"], special: [0, 1, 2, 4, 3])";
    fails(&run("3", extra), &["has 10 pieces", "`size: 11`"]);
    let right = run("4", "WordPiece(\"mine\", size: 10, special: [0, 1, 2, 4, 3])");
    assert!(right.status.success(), "{}", said(&right));
}

#[test]
fn special_tokens_that_are_not_known_cannot_be_spared() {
    let folder = folder("unknown");
    let says = |vocabulary: &str| {
        let model = compile(&model(&folder, vocabulary), &Options::default());
        model.expect_err("is wrong").to_string()
    };
    assert!(says("Bpe(\"mine\", size: 40)").contains("are not known"));
    assert!(says("WordPiece(\"mine\", size: 40, special: [0, 1])").contains("a list of five ids"));
    assert!(says("WordPiece(\"mine\", size: 40, special: [0, 2, 3, -1, 1])").contains("has no token `mask`"));
}
