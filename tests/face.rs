//! The library face: named values on given inputs, spec.lock as a file of its own, refusals before anything is loaded.

use chiasm::data::image::Pixels;
use chiasm::{Host, Input, Model, Network, Options, Tensor, TrainOptions, compile, train};
use std::path::{Path, PathBuf};

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn model(file: &str, sets: &[(&str, &str)]) -> Model {
    let sets = sets.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    compile(&path(file), &Options { sets, ..Options::default() }).expect("a model")
}

fn fresh(file: &str) -> Network {
    Network::fresh(&model(file, &[]), "pretrain", 3, &Host::default()).expect("a network")
}

/// A folder that is not there yet.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[test]
fn rows_do_not_know_each_other() {
    let mut network = fresh("tests/train/speck.chi");
    let texts = ["a red circle", "a large blue square above a small green star"];
    let both = network.run("text_feat", &[("text", texts.into())]).expect("runs");
    for (i, text) in texts.into_iter().enumerate() {
        let one = network.run("text_feat", &[("text", text.into())]).expect("runs").into_floats();
        let row = &both.clone().into_floats()[i * one.len()..(i + 1) * one.len()];
        assert!(row.iter().zip(&one).all(|(a, b)| (a - b).abs() < 1e-5), "{row:?} {one:?}");
    }
    assert_eq!(both.dims, [2, 8]);
}

#[test]
fn ids_are_texts_and_planes_are_pictures() {
    let mut network = fresh("tests/train/speck.chi");
    let text = network.run("text_feat", &[("text", "a cat.".into())]).expect("runs");
    let ids = vec![vec![101, 1037, 4937, 1012, 102]];
    assert_eq!(network.run("text_feat", &[("text", ids.into())]).expect("runs"), text);
    let picture = Pixels::filled(40, 30, [255, 0, 51]);
    let planes = [1.0, 0.0, 0.2].iter().flat_map(|c| [*c as f32; 256]).collect();
    let given: Input = Tensor::floats([1, 3, 16, 16], planes).into();
    let planes = network.run("image_feat", &[("image", given)]).expect("runs");
    assert_eq!(network.run("image_feat", &[("image", vec![picture].into())]).expect("runs"), planes);
}

#[test]
fn mistakes_are_named() {
    let mut network = fresh("tests/train/speck.chi");
    let text = || ("text", Input::from("a cat"));
    let planes = |side: usize| Tensor::floats([2, 3, side, side], vec![0.5; 6 * side * side]).into();
    let mut says = |name: &str, inputs: &[(&str, Input)], wanted: &[&str]| {
        let error = network.run(name, inputs).expect_err("is wrong").to_string();
        assert!(wanted.iter().all(|part| error.contains(part)), "{error}");
    };
    says("text_feet", &[text()], &["E0201", "did you mean `text_feat`?"]);
    says("vision", &[text()], &["E0315", "module"]);
    says("text_feat", &[], &["`text_feat` reads the input `text`"]);
    says("text_feat", &[text(), ("imag", planes(16))], &["no input `imag`", "did you mean `image`?"]);
    says("image_feat", &[("image", planes(8))], &["float[2, 3, 16, 16]", "float[2, 3, 8, 8]"]);
    says("image_feat", &[("image", "a cat".into())], &["cannot be read from texts"]);
    says("con", &[text(), ("image", planes(16))], &["`text`", "1", "2"]);
    let error = network.parameter("to_image.v").expect_err("is wrong").to_string();
    assert!(error.contains("did you mean `to_image.w`?"), "{error}");
}

#[test]
fn trained_values_come_from_the_run_folder() {
    let (out, model) = (folder("face"), model("tests/train/speck.chi", &[]));
    let options = TrainOptions { out: Some(out.clone()), steps: Some(3), ..TrainOptions::default() };
    train(&model, &options, &Host::default(), &mut |_| {}).expect("trains");
    let mut network = Network::trained(&model, "pretrain", &out, &Host::default()).expect("opens");
    let fresh = fresh("tests/train/speck.chi");
    assert_eq!(network.parameters().count(), fresh.parameters().count());
    let moved = |path| network.parameter(path).expect("is there") != fresh.parameter(path).expect("is there");
    assert!(moved("to_image.w") && moved("to_text.w"));
    let found = network.run("text_feat", &[("text", "a cat".into())]).expect("runs");
    assert!(found.as_floats().is_some_and(|values| values.iter().all(|x| x.is_finite())));
}

#[test]
fn finished_stages_are_found_elsewhere() {
    let (first, second) = (folder("from-1"), folder("from-2"));
    let model = model("tests/train/speck.chi", &[]);
    let options = TrainOptions { steps: Some(2), ..TrainOptions::default() };
    let options = |out: &Path| TrainOptions { out: Some(out.to_path_buf()), ..options.clone() };
    train(&model, &options(&first), &Host::default(), &mut |_| {}).expect("trains");
    let mut events = Vec::new();
    let again = TrainOptions { from: vec![first], ..options(&second) };
    train(&model, &again, &Host::default(), &mut |event| events.push(format!("{event:?}"))).expect("finds");
    assert!(events.iter().all(|event| event.starts_with("Found")) && events.len() == 1, "{events:?}");
}

#[test]
fn what_cannot_fit_is_refused_before_anything_is_written() {
    let out = folder("small");
    let options = TrainOptions { out: Some(out.clone()), memory: Some(1 << 20), ..TrainOptions::default() };
    let model = model("tests/train/speck.chi", &[]);
    let error = train(&model, &options, &Host::default(), &mut |_| {}).expect_err("is too large");
    assert!(error.exit_code() == 3 && error.to_string().contains("1.0 MiB"), "{error}");
    assert!(!out.exists());
}

/// Everything of a model that changes its numbers, as text; places in files do not.
fn meaning(model: &Model) -> String {
    let mut text = String::new();
    let mut graph = |name: &str, graph: &chiasm::graph::Graph| {
        text += name;
        for value in graph.values() {
            text += &format!("{:?}{:?}\n", graph.node(value).op, graph.operands(value));
        }
        text += &format!("{:?}\n", graph.outputs());
    };
    model.stages.iter().for_each(|stage| graph(&stage.name, &stage.graph));
    model.tasks.iter().for_each(|task| graph(&task.name, &task.graph));
    for stage in &model.stages {
        let recipe = (&stage.feeds, &stage.optimiser, stage.length, &stage.start, stage.clip);
        text += &format!("{:?}{:?}{recipe:?}\n", stage.parameters, stage.twins);
    }
    text
}

#[test]
fn a_merged_file_means_the_same() {
    let cases = [
        ("models/clip.chi", &[][..]),
        ("models/tiny/clip.chi", &[("width", "64"), ("text_width", "64")][..]),
        ("models/albef.chi", &[][..]),
        ("models/tiny/albef.chi", &[][..]),
        ("models/variants/albef_gated.chi", &[][..]),
    ];
    for (file, sets) in cases {
        let original = model(file, sets);
        let lock = folder("spec.lock");
        std::fs::write(&lock, original.merged(&[])).expect("a file");
        let merged = compile(&lock, &Options::default()).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(meaning(&merged), meaning(&original), "{file}");
    }
}
