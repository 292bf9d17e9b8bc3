//! Emitted Rust: what `tests/emit/*.rs` hold is what is emitted today, compiles, and computes what `exec` computes.
//!
//! `UPDATE=1 cargo test --release --test emit` writes the files anew; they are compiled by the next run.

#[allow(dead_code)]
mod albef {
    include!("emit/albef.rs");
}
#[allow(dead_code)]
mod clip {
    include!("emit/clip.rs");
}
#[allow(dead_code)]
mod vlmo {
    include!("emit/vlmo.rs");
}

use chiasm::embed::typed::Part;
use chiasm::embed::{EmbedError, Embedded};
use chiasm::emit::{EmitError, Wanted, emit};
use chiasm::exec::{Executor, Layout, Memory, cpu};
use chiasm::op::{self, Context};
use chiasm::pass::{differentiate, fuse, tidy};
use chiasm::recipe::Timeline;
use chiasm::shape::{Batch, Shape};
use chiasm::tensor;
use chiasm::weights::write::{self, Elements, Entry};
use chiasm::{Host, Model, Network, Options, build, compile};
use dfdx::optim::{Adam, AdamConfig};
use dfdx::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A model, the stage, the values that are emitted.
struct Case {
    name: &'static str,
    file: &'static str,
    stage: &'static str,
    values: &'static [&'static str],
}

const CLIP: Case = Case {
    name: "clip",
    file: "models/tiny/clip.chi",
    stage: "pretrain",
    values: &["image_feat", "text_feat", "con"],
};
const ALBEF: Case = Case {
    name: "albef",
    file: "tests/dfdx/albef.chi",
    stage: "pretrain",
    values: &["image_feat", "text_feat", "match"],
};
const VLMO: Case = Case {
    name: "vlmo",
    file: "models/tiny/vlmo.chi",
    stage: "paired",
    values: &["image_feat", "itc", "match"],
};

fn host() -> Host {
    Host { threads: Some(1), ..Host::default() }
}

impl Case {
    fn model(&self) -> Model {
        compile(self.file.as_ref(), &Options::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn wanted(&self) -> Wanted {
        Wanted { stage: Some(self.stage.into()), values: self.values.iter().map(|v| v.to_string()).collect() }
    }

    fn network(&self, model: &Model) -> Network {
        Network::fresh(model, self.stage, 3, &host()).expect("a network")
    }

    /// A file with the network's numbers.
    fn weights(&self, model: &Model) -> PathBuf {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("emit-{}.safetensors", self.name));
        let embedded = Embedded::new(self.network(model), self.values, Cpu::default()).expect("opens");
        embedded.save(&file).expect("writes");
        file
    }

    fn text_is_todays(&self) {
        let emitted = emit(&self.model(), &self.wanted()).expect("emits");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emit").join(format!("{}.rs", self.name));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &emitted.text).expect("writes");
        }
        let known = std::fs::read_to_string(&file).expect("reads");
        assert!(
            known == emitted.text,
            "{} is not what is emitted today; UPDATE=1 writes it anew",
            file.display()
        );
        assert_eq!(rustfmt(&file), "", "rustfmt would change {}", file.display());
    }
}

/// What rustfmt would change.
fn rustfmt(file: &Path) -> String {
    let check = ["--check", "--edition", "2024", "--config", "max_width=100,use_small_heuristics=Default"];
    let output =
        std::process::Command::new("rustfmt").args(check).arg(file).output().expect("there is a rustfmt");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn texts_are_those_of_today_and_formatted() {
    [CLIP, ALBEF, VLMO].iter().for_each(Case::text_is_todays);
}

const ROWS: usize = 3;

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + 11) % 101) as f32 / 101.0).collect()
}

/// Inputs of both: pixels, and texts as ids with their lengths.
struct Given {
    side: usize,
    words: usize,
    most: usize,
}

impl Given {
    fn pixels(&self) -> Vec<f32> {
        numbers(ROWS * 3 * self.side * self.side)
    }

    /// [CLS] words [SEP], of different lengths.
    fn ids(&self) -> (Vec<usize>, Vec<usize>) {
        let lengths: Vec<usize> = (0..ROWS).map(|row| 5 + 2 * row).collect();
        let id = |row: usize, at: usize| match at {
            0 => 2,
            at if at + 1 == lengths[row] => 3,
            at if at < lengths[row] => 5 + (row * 31 + at * 7) % (self.most - 5),
            _ => 0,
        };
        let ids = (0..ROWS)
            .flat_map(|row| (0..self.words).map(move |at| (row, at)))
            .map(|(row, at)| id(row, at))
            .collect();
        (ids, lengths)
    }

    fn tensors(&self) -> Vec<(&'static str, tensor::Tensor)> {
        let (ids, lengths) = self.ids();
        let small = |ids: Vec<usize>| ids.into_iter().map(|id| id as i32).collect::<Vec<_>>();
        vec![
            ("image", tensor::Tensor::floats([ROWS, 3, self.side, self.side], self.pixels())),
            ("text", tensor::Tensor::ids([ROWS, self.words], small(ids))),
            ("text.lengths", tensor::Tensor::ids([ROWS], small(lengths))),
        ]
    }
}

/// A value and the gradients of the mean of its exponentials, by our own backward on the `cpu` executor.
fn expected(
    case: &Case,
    model: &Model,
    value: &str,
    given: &Given,
) -> (Vec<f32>, BTreeMap<String, Vec<f32>>) {
    let values = model.values(case.stage, &[value]).expect("a value");
    let mut graph = fuse(&values.graph.bind(&Batch::of("B", ROWS)).expect("binds"));
    let output = graph.output(value).expect("named");
    let (axes, count) = (graph.shape(output).rank(), graph.shape(output).elements());
    let origin = Default::default();
    let rising = graph.add(op::Exp, &[output], &origin).expect("fits");
    let sum = graph.add(op::SumLeading { axes }, &[rising], &origin).expect("fits");
    let share = graph
        .add(op::Fill { shape: Shape::scalar(), value: 1.0 / count as f64 }, &[], &origin)
        .expect("fits");
    let mean = graph.add(op::Multiply, &[sum, share], &origin).expect("fits");
    graph.name("objective", mean);
    let graph =
        tidy(&differentiate(&graph, "objective", &|_| true).expect("a gradient")).verify().expect("whole");

    let network = case.network(model);
    let mut layout = Layout::default();
    values.parameters.iter().for_each(|p| layout.add_parameter(&p.path, &p.dims));
    let mut memory = Memory::new(&layout);
    for stored in network.parameters().filter(|stored| layout.parameters.contains_key(stored.path)) {
        memory.parameters[layout.parameters[stored.path].range()].copy_from_slice(stored.values);
    }
    let time = Timeline { length: 1, epoch: 1 };
    let context = Context { seed: 0, stage: case.stage.into(), step: 0, time, first_row: 0 };
    let tensors = given.tensors();
    let read = chiasm::pass::prepare::inputs(&graph);
    let inputs: Vec<(&str, &tensor::Tensor)> = tensors
        .iter()
        .filter(|(name, _)| read.iter().any(|r| r == name))
        .map(|(name, t)| (*name, t))
        .collect();
    let mut program = cpu::Cpu::new(1).prepare(&graph, &layout).expect("prepares");
    program.run(&mut memory, &inputs, &context).expect("runs");
    let numbers = program.output(value).expect("named").into_floats();
    let gradients =
        layout.parameters.iter().map(|(path, slot)| (path.clone(), memory.gradients[slot.range()].to_vec()));
    (numbers, gradients.collect())
}

fn close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let size = expected.iter().fold(1e-6_f32, |most, x| most.max(x.abs()));
    let off = found.iter().zip(expected).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(off <= tolerance * size, "{name}: off by {off} of {size}");
}

/// Gradients of what a loss reaches.
fn slopes<P: Part<Cpu>>(model: &P, gradients: &mut Gradients<f32, Cpu>) -> BTreeMap<String, Vec<f32>> {
    let mut slopes = BTreeMap::new();
    let visit = &mut |path: &str, _: &[usize], row: Tensor<(usize,), f32, Cpu>| {
        gradients.get_or_alloc_mut(&row).expect("memory");
        slopes.insert(path.to_string(), gradients.get(&row).as_vec());
    };
    model.each("", visit).expect("memory");
    slopes
}

/// Holds a value of emitted Rust and its gradients against the `cpu` executor.
fn compare<P: Part<Cpu>, S: dfdx::shapes::Shape>(
    (case, model, value, given): (&Case, &Model, &str, &Given),
    emitted: &P,
    plain: Tensor<S, f32, Cpu>,
    taped: Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>,
) {
    let (numbers, gradients) = expected(case, model, value, given);
    close(value, &plain.as_vec(), &numbers, 1e-5);
    close(value, &taped.as_vec(), &numbers, 1e-5);
    let count = (taped.shape().num_elements(),);
    let mut found = taped.reshape_like(&count).exp().mean::<Rank0, _>().backward();
    let found = slopes(emitted, &mut found);
    let most = gradients.values().flatten().fold(1e-6_f32, |most, x| most.max(x.abs()));
    for (path, slope) in gradients.iter().filter(|(path, _)| found.contains_key(*path)) {
        let off = found[path].iter().zip(slope).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(off <= 1e-4 * most, "{value}, {path}: off by {off} of {most}");
    }
    let reached = gradients.values().filter(|slope| slope.iter().any(|x| *x != 0.0)).count();
    assert!(reached > 3 && gradients.keys().all(|path| found.contains_key(path)), "{value}: {reached}");
}

type Side<const N: usize> = (usize, Const<3>, Const<N>, Const<N>);

fn pixels<const N: usize>(given: &Given) -> Tensor<Side<N>, f32, Cpu> {
    Cpu::default().tensor_from_vec(given.pixels(), (ROWS, Const, Const, Const))
}

fn words<const N: usize>(
    given: &Given,
) -> (Tensor<(usize, Const<N>), usize, Cpu>, Tensor<(usize,), usize, Cpu>) {
    let (device, (ids, lengths)) = (Cpu::default(), given.ids());
    (device.tensor_from_vec(ids, (ROWS, Const)), device.tensor_from_vec(lengths, (ROWS,)))
}

#[test]
fn a_clip_has_the_numbers_and_gradients_of_exec() {
    let (model, given) = (CLIP.model(), Given { side: 48, words: 24, most: 30522 });
    let clip = clip::Clip::load(&CLIP.weights(&model), &Cpu::default()).expect("loads");
    let (image, (text, lengths)) = (pixels::<48>(&given), words::<24>(&given));
    let traced = clip.image_feat(image.leaky_trace()).expect("runs");
    compare(
        (&CLIP, &model, "image_feat", &given),
        &clip,
        clip.image_feat(image.clone()).expect("runs"),
        traced,
    );
    let traced = clip.text_feat(text.leaky_trace(), &lengths).expect("runs");
    compare(
        (&CLIP, &model, "text_feat", &given),
        &clip,
        clip.text_feat(text.clone(), &lengths).expect("runs"),
        traced,
    );
    let traced = clip.con(image.leaky_trace(), &text, &lengths).expect("runs");
    compare((&CLIP, &model, "con", &given), &clip, clip.con(image, &text, &lengths).expect("runs"), traced);
}

#[test]
fn an_albef_has_the_numbers_and_gradients_of_exec() {
    let (model, given) = (ALBEF.model(), Given { side: 32, words: 24, most: 30522 });
    let albef = albef::Albef::load(&ALBEF.weights(&model), &Cpu::default()).expect("loads");
    let (image, (text, lengths)) = (pixels::<32>(&given), words::<24>(&given));
    let traced = albef.image_feat(image.leaky_trace()).expect("runs");
    compare(
        (&ALBEF, &model, "image_feat", &given),
        &albef,
        albef.image_feat(image.clone()).expect("runs"),
        traced,
    );
    let traced = albef.r#match(image.leaky_trace(), &text, &lengths).expect("runs");
    compare(
        (&ALBEF, &model, "match", &given),
        &albef,
        albef.r#match(image, &text, &lengths).expect("runs"),
        traced,
    );
}

#[test]
fn experts_and_relative_bias_have_the_numbers_and_gradients_of_exec() {
    let (model, given) = (VLMO.model(), Given { side: 48, words: 18, most: 40 });
    let vlmo = vlmo::Vlmo::load(&VLMO.weights(&model), &Cpu::default()).expect("loads");
    let (image, (text, lengths)) = (pixels::<48>(&given), words::<18>(&given));
    let traced = vlmo.itc(image.leaky_trace(), &text, &lengths).expect("runs");
    compare(
        (&VLMO, &model, "itc", &given),
        &vlmo,
        vlmo.itc(image.clone(), &text, &lengths).expect("runs"),
        traced,
    );
    let traced = vlmo.r#match(image.leaky_trace(), &text, &lengths).expect("runs");
    compare(
        (&VLMO, &model, "match", &given),
        &vlmo,
        vlmo.r#match(image, &text, &lengths).expect("runs"),
        traced,
    );
}

#[test]
fn an_optimiser_of_dfdx_moves_what_is_emitted_and_a_file_keeps_it() {
    let (model, given) = (CLIP.model(), Given { side: 48, words: 24, most: 30522 });
    let mut clip = clip::Clip::load(&CLIP.weights(&model), &Cpu::default()).expect("loads");
    let (image, (text, lengths)) = (pixels::<48>(&given), words::<24>(&given));
    let mut adam = Adam::new(&clip, AdamConfig { lr: 1e-4, ..AdamConfig::default() });
    let mut losses = Vec::new();
    for _ in 0..4 {
        let loss = clip.con(image.trace(clip.alloc_grads()), &text, &lengths).expect("runs");
        losses.push(loss.array());
        adam.update(&mut clip, &loss.backward()).expect("all are used");
    }
    assert!(losses[3] < losses[0], "{losses:?}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emit-trained.safetensors");
    clip.save(&file).expect("writes");
    let features = clip.image_feat(image.clone()).expect("runs").as_vec();
    let again = clip::Clip::load(&file, &Cpu::default()).expect("reads");
    assert_eq!(again.image_feat(image).expect("runs").as_vec(), features);
    let mut network = Network::saved(&model, "pretrain", &file, &host()).expect("reads");
    let pixels = tensor::Tensor::floats([ROWS, 3, 48, 48], given.pixels());
    let run = network.run("image_feat", &[("image", pixels.into())]).expect("runs").into_floats();
    close("the network", &run, &features, 1e-5);
}

fn says(error: impl std::fmt::Display, parts: &[&str]) {
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn weights_that_do_not_fit_are_errors_with_names_and_shapes() {
    let device = Cpu::default();
    let clip = clip::Clip::load(&CLIP.weights(&CLIP.model()), &device).expect("loads");
    let file = |name: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("emit-{name}.safetensors"));
    let write = |name: &str, change: &dyn Fn(&str, &mut Vec<usize>) -> Option<String>| {
        let mut saved = Vec::new();
        let visit = &mut |path: &str, dims: &[usize], row: Tensor<(usize,), f32, Cpu>| {
            let mut dims = dims.to_vec();
            if let Some(path) = change(path, &mut dims) {
                saved.push((path, dims, row.as_vec()));
            }
        };
        clip.each("", visit).expect("memory");
        let entries: Vec<_> = saved
            .iter()
            .map(|(name, dims, numbers)| Entry {
                name: name.clone(),
                dims,
                elements: Elements::Floats(numbers),
            })
            .collect();
        write::save(&file(name), &entries, &BTreeMap::new()).expect("writes");
        clip::Clip::load(&file(name), &device).err().expect("refused")
    };
    says(
        write("missing", &|path, _| (path != "to_text.w").then(|| path.to_string())),
        &["to_text.w", "emit-missing"],
    );
    let turned = |path: &str, dims: &mut Vec<usize>| {
        if path == "vision.embed.colours.proj.w" {
            dims.reverse();
        }
        Some(path.to_string())
    };
    says(write("turned", &turned), &["vision.embed.colours.proj.w", "[768, 128]", "[128, 768]"]);
    let beside =
        |path: &str, _: &mut Vec<usize>| Some(if path == "scale" { "scales".into() } else { path.into() });
    says(write("beside", &beside), &["scale"]);
    // An embedded model keeps a tensor that these values do not read.
    let more = emit(&CLIP.model(), &Wanted { values: vec!["image_feat".into()], ..Wanted::default() })
        .expect("emits");
    assert!(more.text.contains("const ELSEWHERE: &str = \"embed place reader finish to_text scale\";"));
}

#[test]
fn what_cannot_be_emitted_is_refused_or_listed() {
    let albef = ALBEF.model();
    let emit_one = |value: &str| emit(&albef, &Wanted { values: vec![value.into()], ..Wanted::default() });
    says(emit_one("itc").expect_err("refused"), &["`itc`", "`twin`", "vision.embed", "slow/"]);
    says(emit_one("guess").expect_err("refused"), &["`guess`", "drawn anew"]);
    says(emit_one("macth").expect_err("unknown"), &["macth"]);
    let stage = Wanted { stage: Some("pretain".into()), ..Wanted::default() };
    let error = emit(&albef, &stage).expect_err("unknown");
    assert!(matches!(&error, EmitError::Stage { near: Some(near), .. } if near == "pretrain"), "{error}");
    let all = emit(&albef, &Wanted::default()).expect("emits");
    assert!(all.values.iter().any(|value| value == "match"), "{:?}", all.values);
    let itc = all.left_out.iter().find(|(value, _)| value == "itc").expect("listed");
    assert!(all.text.contains("// - `itc`: `twin`") && itc.1.contains("slow/"));
}

#[test]
fn rows_that_do_not_agree_and_ids_without_a_row_are_errors() {
    let given = Given { side: 48, words: 24, most: 30522 };
    let clip = clip::Clip::load(&CLIP.weights(&CLIP.model()), &Cpu::default()).expect("loads");
    let (text, _) = words::<24>(&given);
    let short: Tensor<(usize,), usize, Cpu> = Cpu::default().tensor_from_vec(vec![5, 5], (2,));
    let error: EmbedError = clip.text_feat(text.clone(), &short).expect_err("three rows and two lengths");
    says(error, &["2", "3"]);
    let mut ids = text.as_vec();
    ids[1] = 40_000;
    let far: Tensor<(usize, Const<24>), usize, Cpu> = Cpu::default().tensor_from_vec(ids, (ROWS, Const));
    let lengths = Cpu::default().tensor_from_vec(vec![5, 7, 9], (ROWS,));
    says(clip.text_feat(far, &lengths).expect_err("no such row"), &["40000", "30522"]);
}

#[test]
fn the_command_says_what_is_wrong_once_and_leaves_no_file() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unwritten.rs");
    for (value, message) in
        [("imagefeat", "error[E0201]: there is no definition"), ("itc", "error: `itc` cannot be emitted")]
    {
        let mut chiasm = std::process::Command::new(env!("CARGO_BIN_EXE_chiasm"));
        chiasm.args(["emit", "rust", ALBEF.file, "--value", value, "--out"]).arg(&out);
        let output = chiasm.output().expect("a started program");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.starts_with(message) && !out.exists(), "{said}");
    }
}

#[test]
#[ignore = "compiles everything anew, for the build script and for the crate"]
fn the_example_crate_is_built_and_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = std::process::Command::new("cargo");
    cargo.args(["run", "--release", "--manifest-path"]).arg(root.join("examples/emitted/Cargo.toml"));
    cargo.env("CARGO_TARGET_DIR", root.join("target/emitted"));
    let output = cargo.output().expect("there is a cargo");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complained}");
    assert_eq!(said.lines().filter(|line| line.starts_with("similarity ")).count(), 5, "{said}");
}

#[test]
fn a_build_script_gets_a_module_and_the_files_that_it_is_made_of() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let wanted = Wanted { values: vec!["image_feat".into()], ..Wanted::default() };
    let built = build::write(ALBEF.file.as_ref(), &Options::default(), &wanted, folder).expect("writes");
    assert_eq!(built.module, folder.join("albef.rs"));
    assert!(std::fs::read_to_string(&built.module).expect("reads").contains("pub fn image_feat<"));
    let read: Vec<_> =
        built.read.iter().map(|file| Path::new(file).canonicalize().expect("a file")).collect();
    let expected = ["tests/dfdx/albef.chi", "models/tiny/albef_photos.chi", "models/albef.chi"];
    assert_eq!(read.len(), expected.len(), "{read:?}");
    assert!(expected.iter().all(|file| read.iter().any(|known| known.ends_with(file))), "{read:?}");
    let wanted = Wanted { values: vec!["itc".into()], ..Wanted::default() };
    let error = build::write(ALBEF.file.as_ref(), &Options::default(), &wanted, folder).expect_err("refused");
    says(error, &["tests/dfdx/albef.chi", "itc", "slow/"]);
}
