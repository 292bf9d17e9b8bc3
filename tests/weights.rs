//! `chiasm weights`: tables, accounts, and public files that come back bit for bit, run as a user runs them.

#[path = "parity/case.rs"]
#[allow(dead_code)]
mod case;

use case::Case;
use chiasm::weights::Archive;
use chiasm::weights::write::{Elements, Entry, save};
use safetensors::Dtype;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn chiasm(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chiasm"));
    program.arg("weights").args(arguments).output().expect("a started program")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("a text")
}

fn complained(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("a text")
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("chiasm-weights-{}-{name}", std::process::id()));
    // What an earlier run left there is of no use.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

fn public(name: &str) -> String {
    format!("tests/fixtures/{name}/weights.safetensors")
}

/// `--model … --as official --stage … --set …` of a parity case.
fn options(name: &str) -> Vec<String> {
    let case = Case::open(Path::new("tests/fixtures"), name).expect("a case");
    let mut options = vec!["--model".into(), format!("tests/parity/{name}.chi")];
    options.extend(["--as", "official", "--stage", &case.spec.stage].map(String::from));
    options
        .extend(case.sets().into_iter().flat_map(|(set, value)| ["--set".into(), format!("{set}={value}")]));
    options
}

fn with(command: &[&str], options: &[String]) -> Output {
    let all: Vec<&str> = command.iter().copied().chain(options.iter().map(String::as_str)).collect();
    chiasm(&all)
}

/// Cases whose public files have a map.
const CASES: [&str; 19] = [
    "albef",
    "beit2_pretrain",
    "beit2_vqkd",
    "beit3_captioning",
    "beit3_masked",
    "beit3_retrieval",
    "beit3_vqa",
    "beit_hf",
    "bert_hf",
    "blip",
    "clip_hf",
    "clip_open_clip",
    "coca",
    "deit_hf",
    "vilt",
    "vilt_hf",
    "vit_hf",
    "vlmo",
    "vlmo_base_plus",
];

/// What albef's model does not own.
const OTHERS: [&str; 3] =
    ["queue_ptr", "text_encoder.bert.embeddings.position_ids", "text_encoder_m.bert.embeddings.position_ids"];

fn round_trip(name: &str) -> Vec<String> {
    let (folder, options, file) = (folder(name), options(name), public(name));
    let (run, back, whole) =
        (folder.join("run"), folder.join("back.safetensors"), folder.join("whole.safetensors"));
    let mut faults = Vec::new();
    let mut ok = |output: &Output| {
        if output.status.code() != Some(0) {
            faults.push(format!("{name}: {}", complained(output)));
        }
    };
    ok(&with(&["convert", &file, text(&run)], &options));
    ok(&with(&["convert", text(&run), text(&back)], &options));
    ok(&with(&["convert", text(&run), text(&whole), "--like", &file], &options));
    if !faults.is_empty() {
        return faults;
    }
    let same = chiasm(&["diff", &file, text(&whole)]);
    if same.status.code() != Some(0) {
        faults.push(format!("{name}, like the file: {}", said(&same)));
    }
    let differ = said(&chiasm(&["diff", &file, text(&back)]));
    let lines = differ.lines().filter(|line| !line.ends_with("only in the first") && line.contains("  "));
    faults.extend(lines.map(|line| format!("{name}: {line}")));
    faults
}

#[test]
fn public_files_come_back_bit_for_bit() {
    let faults: Vec<String> = CASES.iter().flat_map(|name| round_trip(name)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn names(path: &Path) -> BTreeSet<String> {
    Archive::open(path).expect("a file").names().map(str::to_string).collect()
}

#[test]
fn what_the_model_does_not_own_is_listed() {
    let (folder, options) = (folder("listed"), options("albef"));
    let (run, back) = (folder.join("run"), folder.join("back.safetensors"));
    let told = said(&with(&["convert", &public("albef"), text(&run)], &options));
    for name in OTHERS {
        assert!(told.lines().any(|line| line.trim() == name), "{name} in {told}");
    }
    with(&["convert", text(&run), text(&back)], &options);
    let (theirs, ours) = (names(Path::new(&public("albef"))), names(&back));
    assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), OTHERS.iter().collect::<Vec<_>>());
    assert!(ours.is_subset(&theirs) && ours.contains("text_encoder.cls.predictions.decoder.weight"));
    // A run folder is not written over, and a folder is no file.
    let again = with(&["convert", &public("albef"), text(&run)], &options);
    assert!(again.status.code() == Some(2) && complained(&again).contains("holds a run already"));
    assert_eq!(with(&["convert", text(&run), text(&folder)], &options).status.code(), Some(2));
}

/// Writes tensors of numbers.
fn write(path: &Path, tensors: &[(&str, &[usize], &[f32])]) {
    let entries: Vec<Entry<'_>> = tensors
        .iter()
        .map(|(name, dims, values)| Entry {
            name: name.to_string(),
            dims,
            elements: Elements::Floats(values),
        })
        .collect();
    save(path, &entries, &BTreeMap::new()).expect("a written file");
}

const MODEL: &str = r#"
set side = 2
input x : [B, 4]
first   = Linear(3)
table   = Param([side * side + 1, 2], zeros, resize: grid)
spare   = Param([2], zeros)
z       = first(x)
loss l  = mean(z * z) + mean(table * table) + mean(spare * spare)
stage s { data = pairs("given")  minimise = l }
"#;

/// A model with a map of these rules, and its options.
fn model(folder: &Path, rules: &str) -> Vec<String> {
    let file = folder.join("model.chi");
    std::fs::write(&file, format!("{MODEL}weights official from \"w\" {{ {rules} }}")).expect("a file");
    vec!["--model".into(), text(&file).into(), "--as".into(), "official".into()]
}

#[test]
fn the_account_has_both_sides() {
    let folder = folder("account");
    let file = folder.join("w.safetensors");
    write(
        &file,
        &[
            ("lin.weight", &[3, 4], &[0.5; 12]),
            ("lin.bias", &[3], &[1.0, f32::NAN, f32::INFINITY]),
            ("table", &[17, 2], &[1.0; 34]),
            ("buffer", &[2], &[0.0, 1.0]),
        ],
    );
    let rules = r#"first = "lin"  table = "table"  spare = fresh"#;
    let output = with(&["show", text(&file)], &model(&folder, rules));
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
    let line = |start: &str| {
        let line = told.lines().find(|line| line.starts_with(start)).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(line("first.w ").ends_with("\"lin.weight\"'") && line("first.w ").contains("loaded"), "{told}");
    assert!(
        line("table ").contains("[5, 2]") && line("table ").ends_with("resized \"table\" [17, 2]"),
        "{told}"
    );
    assert!(line("spare ").ends_with("fresh") && line("buffer ").ends_with("left over"), "{told}");
    assert!(told.ends_with("2 loaded, 1 resized, 1 fresh, 1 left over in the file\n"), "{told}");
    // What a rule names and the file lacks is a failure.
    let short = with(&["show", text(&file)], &model(&folder, r#"first = "other"  table = "lin.bias""#));
    assert_eq!(short.status.code(), Some(1));
    assert!(
        said(&short).ends_with("1 without a rule, 2 missing, 1 does not fit, 3 left over in the file\n"),
        "{}",
        said(&short)
    );
    assert!(complained(&short).contains("has no tensor `other.weight`"), "{}", complained(&short));
    // As objects.
    let objects = with(&["show", text(&file), "--format", "json"], &model(&folder, rules));
    let last: serde_json::Value =
        serde_json::from_str(said(&objects).lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["kind"], &last["loaded"]), (&"account".into(), &2.into()));
    // Without a map: numbers.
    let plain = said(&chiasm(&["show", text(&file)]));
    assert!(
        plain.lines().any(|l| l.starts_with("lin.bias") && l.ends_with("1.0000     0.0000  1 NaN, 1 inf")),
        "{plain}"
    );
    assert!(plain.ends_with("4 tensors, 51 elements, 204 B\n"), "{plain}");
}

/// Names and shapes of a small convolutional tower, as PyTorch and Hugging Face have them.
fn tower() -> Vec<(String, Vec<usize>)> {
    let norm = |name: &str, width: usize| {
        ["weight", "bias", "running_mean", "running_var"].map(|part| (format!("{name}.{part}"), vec![width]))
    };
    let mut all = vec![("stem.conv.weight".to_string(), vec![4, 3, 3, 3])];
    all.extend(norm("stem.bn", 4));
    for (block, out, side) in [("blocks.0", 4, 5), ("blocks.1", 6, 3)] {
        let shapes: [(&str, &[usize]); 7] = [
            ("expansion.expand_conv.weight", &[8, 4, 1, 1]),
            ("depthwise_conv.depthwise_conv.weight", &[8, 1, side, side]),
            ("squeeze_excite.reduce.weight", &[1, 8, 1, 1]),
            ("squeeze_excite.reduce.bias", &[1]),
            ("squeeze_excite.expand.weight", &[8, 1, 1, 1]),
            ("squeeze_excite.expand.bias", &[8]),
            ("projection.project_conv.weight", &[out, 8, 1, 1]),
        ];
        all.extend(shapes.map(|(name, dims)| (format!("{block}.{name}"), dims.to_vec())));
        all.extend(norm(&format!("{block}.expansion.expand_bn"), 8));
        all.extend(norm(&format!("{block}.depthwise_conv.depthwise_norm"), 8));
        all.extend(norm(&format!("{block}.projection.project_bn"), out));
    }
    let convolutions = [("conv1", [2, 6, 1, 1]), ("conv2", [2, 2, 3, 3]), ("conv3", [8, 2, 1, 1])];
    for (at, (name, dims)) in convolutions.into_iter().enumerate() {
        all.push((format!("layer.0.{name}.weight"), dims.to_vec()));
        all.extend(norm(&format!("layer.0.bn{}", at + 1), dims[0]));
    }
    all.push(("layer.0.downsample.0.weight".into(), vec![8, 6, 1, 1]));
    all.extend(norm("layer.0.downsample.1", 8));
    all.push(("attnpool.positional_embedding".into(), vec![5, 8]));
    for (name, out) in [("q_proj", 8), ("k_proj", 8), ("v_proj", 8), ("c_proj", 4)] {
        all.push((format!("attnpool.{name}.weight"), vec![out, 8]));
        all.push((format!("attnpool.{name}.bias"), vec![out]));
    }
    all
}

/// Running statistics are states here, tensors there; all of a tower comes back.
#[test]
fn running_statistics_come_and_go_with_their_norms() {
    let folder = folder("tower");
    let numbers: Vec<(String, Vec<usize>, Vec<f32>)> = tower()
        .into_iter()
        .enumerate()
        .map(|(at, (name, dims))| {
            let count = dims.iter().product::<usize>();
            (name, dims, (0..count).map(|i| at as f32 + i as f32 / 64.0).collect())
        })
        .collect();
    let entries: Vec<(&str, &[usize], &[f32])> =
        numbers.iter().map(|(name, dims, values)| (name.as_str(), &dims[..], &values[..])).collect();
    let (file, run, back) =
        (folder.join("tower.safetensors"), folder.join("run"), folder.join("back.safetensors"));
    write(&file, &entries);
    let options = ["--model", "tests/convolution/tower.chi", "--as", "official", "--stage", "alone"];
    let options: Vec<String> = options.map(String::from).into();
    for command in [["convert", text(&file), text(&run)], ["convert", text(&run), text(&back)]] {
        let output = with(&command, &options);
        assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
    }
    let same = chiasm(&["diff", text(&file), text(&back)]);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
}

#[test]
fn maps_that_do_not_go_back_are_refused_by_name() {
    let folder = folder("refused");
    let file = folder.join("w.safetensors");
    let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
    write(
        &file,
        &[
            ("big", &[6, 4], &values),
            ("grid", &[5, 2], &values[..10]),
            ("one", &[1, 3], &values[..3]),
            ("tied", &[5, 2], &values[..10]),
        ],
    );
    let back = |rules: &str, like: bool, name: &str| {
        let (options, run) = (model(&folder, rules), folder.join(name));
        let there = with(&["convert", text(&file), text(&run)], &options);
        assert_eq!(there.status.code(), Some(0), "{}", complained(&there));
        let to = folder.join(format!("{name}.safetensors"));
        let like: &[&str] = if like { &["--like", text(&file)] } else { &[] };
        (with(&[&["convert", text(&run), text(&to)], like].concat(), &options), to)
    };
    let slice = r#"first.w = "big"[3..6]'  first.b = "one"[0]  table = "grid""#;
    let (refused, _) = back(slice, false, "slice");
    assert_eq!(refused.status.code(), Some(1));
    let why = "`big` cannot be put together again: no rule covers 12 of its 24 elements";
    assert!(complained(&refused).contains(why), "{}", complained(&refused));
    // A copy of what is tied would be old.
    let (old, _) = back(slice, true, "old");
    assert!(
        complained(&old).contains("`tied` cannot be put together again: it equals `grid`"),
        "{}",
        complained(&old)
    );
    let both = slice.replace(r#""grid""#, r#"["grid", "tied"]"#);
    let (done, to) = back(&both, true, "both");
    assert_eq!(done.status.code(), Some(0), "{}", complained(&done));
    assert_eq!(said(&chiasm(&["diff", text(&file), text(&to)])), "nothing differs in 4 tensors\n");
    let joined = r#"first.w = rearrange("big", "(a b) -> a b")  first.b = fresh"#;
    let unknown = with(&["convert", text(&file), text(&folder.join("x"))], &model(&folder, joined));
    assert!(complained(&unknown).contains("cannot be made of `big`"), "{}", complained(&unknown));
}

#[test]
fn pieces_and_half_numbers_are_read_as_one_file() {
    let folder = folder("pieces");
    let half = [0x3c00u16, 0xc000, 0x3555].map(u16::to_le_bytes).concat();
    let brain = [0x3f80u16, 0xc040, 0x0001].map(u16::to_le_bytes).concat();
    let piece = |name: &str, tensor: &str, dtype, bytes| {
        let entry = Entry { name: tensor.into(), dims: &[3], elements: Elements::Bytes(dtype, bytes) };
        save(&folder.join(name), &[entry], &BTreeMap::new()).expect("a written file");
    };
    piece("a.safetensors", "x", Dtype::F16, &half);
    piece("b.safetensors", "y", Dtype::BF16, &brain);
    let index = |map: &str| std::fs::write(folder.join("model.safetensors.index.json"), map).expect("a file");
    index(r#"{ "metadata": {}, "weight_map": { "x": "a.safetensors", "y": "b.safetensors" } }"#);
    let whole = folder.join("whole.safetensors");
    let third = f32::from_bits(0x3eaa_a000);
    write(&whole, &[("x", &[3], &[1.0, -2.0, third]), ("y", &[3], &[1.0, -3.0, f32::from_bits(1 << 16)])]);
    let differ = chiasm(&["diff", text(&folder), text(&whole)]);
    let told = said(&differ);
    assert_eq!(differ.status.code(), Some(1));
    assert!(told.contains("x  F16 and F32, equal numbers\ny  BF16 and F32, equal numbers"), "{told}");
    for (map, why) in [
        (r#"{ "weight_map": { "x": "a.safetensors" , "y": "a.safetensors" } }"#, "`y` is in a.safetensors"),
        (r#"{ "weight_map": { "y": "a.safetensors" } }"#, "`x` is in a.safetensors"),
        (r#"{ "weight_map": { "x": "../a.safetensors" } }"#, "is not a file beside it"),
        (r#"{ "weight_map": 3 }"#, "does not put files together"),
    ] {
        index(map);
        let refused = chiasm(&["show", text(&folder)]);
        assert!(
            refused.status.code() == Some(1) && complained(&refused).contains(why),
            "{}",
            complained(&refused)
        );
    }
}

#[test]
fn differences_are_named() {
    let folder = folder("diff");
    let (a, b) = (folder.join("a.safetensors"), folder.join("b.safetensors"));
    write(
        &a,
        &[
            ("same", &[1], &[1.0]),
            ("far", &[2], &[2.0, 0.0]),
            ("shape", &[2], &[0.0; 2]),
            ("mine", &[1], &[0.0]),
        ],
    );
    write(
        &b,
        &[
            ("same", &[1], &[1.0]),
            ("far", &[2], &[1.0, 0.0]),
            ("shape", &[1, 2], &[0.0; 2]),
            ("yours", &[1], &[0.0]),
        ],
    );
    let output = chiasm(&["diff", text(&a), text(&b)]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1));
    for line in [
        "far    by up to 5.00e-1 of the largest number",
        "mine   only in the first",
        "shape  [2] and [1, 2]",
        "yours  only in the second",
        "4 of 5 tensors differ",
    ] {
        assert!(told.lines().any(|found| found == line), "{line} in {told}");
    }
    assert_eq!(chiasm(&["diff", text(&a), text(&a)]).status.code(), Some(0));
    assert_eq!(chiasm(&["diff", text(&a), "no/such/file"]).status.code(), Some(2));
}

#[test]
fn an_imported_stage_counts_as_trained() {
    let folder = folder("trained");
    let (options, run) = (options("vit_hf"), folder.join("run"));
    let done = with(&["convert", &public("vit_hf"), text(&run)], &options);
    assert_eq!(done.status.code(), Some(0), "{}", complained(&done));
    let stage = run.join("finetune/checkpoints/step-0");
    assert!(stage.join("state.json").is_file() && run.join("spec.lock").is_file());
    // The run folder and its checkpoint are the same.
    assert_eq!(chiasm(&["diff", text(&run), text(&stage)]).status.code(), Some(0));
    let unknown = with(&["show", &public("vit_hf")], &[&options[..3], &["offical".to_string()]].concat());
    assert!(
        unknown.status.code() == Some(1) && complained(&unknown).contains("did you mean `official`?"),
        "{}",
        complained(&unknown)
    );
}

/// The tiny CLIP of the training tests under open_clip's names, and a stage that goes on from it.
const SPECK: &str = r#"
weights official from "w" {
  vision    = "visual" via ClipVit
  embed     = "token_embedding"
  place     = "positional_embedding"
  reader[i] = "transformer.resblocks.{i}" via ClipLayer
  finish    = "ln_final"
  to_image  = "image_projection"
  to_text   = "text_projection"
  scale     = "logit_scale"
}
stage later = pretrain with { start = pretrain  evaluate = none }
"#;

#[test]
fn what_was_trained_goes_out_comes_in_and_goes_on() {
    let folder = folder("trained-out");
    let [file, run, out, back] = ["m.chi", "run", "w.safetensors", "in"].map(|name| folder.join(name));
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/train/speck.chi");
    std::fs::write(&file, format!("extend {base:?}\n{SPECK}")).expect("a file");
    let train = |options: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_chiasm"));
        let output = program.args(["train", text(&file), "--threads", "1"]).args(options).output();
        let output = output.expect("a started program");
        assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
        said(&output)
    };
    train(&["--stage", "pretrain", "--out", text(&run)]);
    let options = ["--model", text(&file), "--as", "official", "--stage", "pretrain"].map(String::from);
    for (from, to) in [(&run, &out), (&out, &back)] {
        let done = with(&["convert", text(from), text(to)], &options);
        assert_eq!(done.status.code(), Some(0), "{}", complained(&done));
    }
    assert_eq!(said(&chiasm(&["diff", text(&run), text(&back)])), "nothing differs in 46 tensors\n");
    let told = train(&["--out", text(&back), "--resume"]);
    assert!(
        told.contains("pretrain: done before") && told.contains("46 loaded, 0 resized, 0 fresh"),
        "{told}"
    );
}
