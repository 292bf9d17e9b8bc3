//! Models embedded in dfdx: their values are a network's, their gradients an executor's, dfdx's optimisers move them.

use chiasm::embed::{EmbedError, Embedded, Inputs, Tower};
use chiasm::exec::{Executor, Layout, Memory, cpu};
use chiasm::lower::Model;
use chiasm::op::Context;
use chiasm::pass::prepare;
use chiasm::recipe::Timeline;
use chiasm::shape::Batch;
use chiasm::{Host, Network, Options, compile, tensor};
use dfdx::optim::{Sgd, SgdConfig};
use dfdx::prelude::*;

type Pictures = (usize, Const<3>, Const<16>, Const<16>);
type Features = (usize, Const<8>);

fn speck() -> Model {
    compile("tests/train/speck.chi".as_ref(), &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn network(model: &Model) -> Network {
    Network::fresh(model, "pretrain", 3, &host()).expect("a network")
}

fn host() -> Host {
    Host { threads: Some(1), ..Host::default() }
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + 11) % 101) as f32 / 101.0).collect()
}

fn pictures(device: &Cpu, rows: usize) -> Tensor<Pictures, f32, Cpu> {
    device.tensor_from_vec(numbers(rows * 3 * 16 * 16), (rows, Const, Const, Const))
}

/// Two texts as ids: `text` and `text.lengths`.
const IDS: [i32; 24] =
    [101, 1037, 2417, 4418, 102, 0, 0, 0, 0, 0, 0, 0, 101, 2048, 2630, 14320, 102, 0, 0, 0, 0, 0, 0, 0];
const LENGTHS: [i32; 2] = [5, 5];

fn tokens(device: &Cpu) -> (Tensor<(usize, Const<12>), usize, Cpu>, Tensor<(usize,), usize, Cpu>) {
    let whole = |ids: &[i32]| ids.iter().map(|id| *id as usize).collect::<Vec<_>>();
    (device.tensor_from_vec(whole(&IDS), (2, Const)), device.tensor_from_vec(whole(&LENGTHS), (2,)))
}

fn close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let size = expected.iter().fold(1e-4_f32, |most, x| most.max(x.abs()));
    let off = found.iter().zip(expected).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(off <= tolerance * size, "{name}: off by {off} of {size}");
}

#[test]
fn values_are_those_of_a_network() {
    let (model, device) = (speck(), Cpu::default());
    let mut plain = network(&model);
    let pixels = tensor::Tensor::floats([2, 3, 16, 16], numbers(2 * 3 * 16 * 16));
    let images = plain.run("image_feat", &[("image", pixels.into())]).expect("runs").into_floats();
    let texts = ["a red circle", "two blue squares"];
    let read = plain.run("text_feat", &[("text", texts.into())]).expect("runs").into_floats();
    let ids = [
        ("text", tensor::Tensor::ids([2, 12], IDS.to_vec()).into()),
        ("text.lengths", tensor::Tensor::ids([2], LENGTHS.to_vec()).into()),
    ];
    let counted = plain.run("text_feat", &ids).expect("runs").into_floats();

    let tower = Tower::<Pictures, Features, _>::new(network(&model), "image", "image_feat", device.clone());
    let features = tower.expect("fits").call(pictures(&device, 2)).expect("runs");
    close("pictures", &features.as_vec(), &images, 1e-5);
    let embedded = Embedded::new(network(&model), &["text_feat"], device.clone()).expect("opens");
    let features = embedded.run::<Features, _>("text_feat", Inputs::new().rows("text", texts)).expect("runs");
    close("texts", &features.as_vec(), &read, 1e-5);
    let (text, lengths) = tokens(&device);
    let inputs = Inputs::new().ids("text", text).ids("text.lengths", lengths);
    let features = embedded.run::<(Const<2>, usize), _>("text_feat", inputs).expect("runs");
    close("ids", &features.as_vec(), &counted, 1e-5);
}

/// The gradients of the stage's objective, by our own backward on the `cpu` executor.
fn expected(model: &Model, network: &Network) -> (Layout, Memory) {
    let stage = &model.stages[0];
    let graph = prepare::training(stage, &Batch::of("B", 2), prepare::Backward::Graph).expect("a graph");
    let mut layout = Layout::default();
    stage.parameters.iter().for_each(|p| layout.add_parameter(&p.path, &p.dims));
    let mut memory = Memory::new(&layout);
    for stored in network.parameters().filter(|stored| layout.parameters.contains_key(stored.path)) {
        memory.parameters[layout.parameters[stored.path].range()].copy_from_slice(stored.values);
    }
    let inputs = [
        ("image", &tensor::Tensor::floats([2, 3, 16, 16], numbers(2 * 3 * 16 * 16))),
        ("text", &tensor::Tensor::ids([2, 12], IDS.to_vec())),
        ("text.lengths", &tensor::Tensor::ids([2], LENGTHS.to_vec())),
    ];
    let time = Timeline { length: 1, epoch: 1 };
    let context = Context { seed: 0, stage: stage.name.clone(), step: 0, time, first_row: 0 };
    let mut program = cpu::Cpu::new(1).prepare(&graph, &layout).expect("prepares");
    program.run(&mut memory, &inputs, &context).expect("runs");
    (layout, memory)
}

#[test]
fn the_tape_brings_the_gradients_of_parameters_and_inputs() {
    let (model, device) = (speck(), Cpu::default());
    let (layout, memory) = expected(&model, &network(&model));
    let embedded = Embedded::new(network(&model), &["con"], device.clone()).expect("opens");
    let loss = |image: Tensor<Pictures, f32, Cpu, OwnedTape<f32, Cpu>>| {
        let (text, lengths) = tokens(&device);
        let inputs = Inputs::of("image", image).ids("text", text).ids("text.lengths", lengths);
        embedded.run::<(), _>("con", inputs).expect("runs")
    };
    let image = pictures(&device, 2);
    let gradients = loss(image.leaky_trace()).backward();
    let all = gradients.get(&embedded.parameters().expect("there")).as_vec();
    for (path, slot) in &layout.parameters {
        let (place, dims) = embedded.place(path).expect("a parameter");
        assert_eq!(dims, slot.dims, "{path}");
        close(path, &all[place], &memory.gradients[slot.range()], 1e-3);
    }
    // The picture's: along its gradient the loss rises by its square.
    let slope = gradients.get(&image);
    let square = slope.clone().square().sum::<Rank0, _>().array();
    assert!(square > 0.0);
    let step = slope * (0.02 / square.sqrt());
    let up = loss((image.clone() + step.clone()).leaky_trace()).array();
    let down = loss((image - step).leaky_trace()).array();
    let found = (up - down) / 0.04;
    assert!((found - square.sqrt()).abs() < 0.03 * square.sqrt(), "{found} and {}", square.sqrt());
}

#[test]
fn an_optimiser_moves_the_model_and_a_head_behind_it() {
    let (model, device) = (speck(), Cpu::default());
    let tower = Tower::<Pictures, Features, _>::new(network(&model), "image", "image_feat", device.clone());
    let mut both = (tower.expect("fits"), device.build_module::<Linear<8, 2>, f32>());
    let wanted: Tensor<(usize, Const<2>), f32, Cpu> =
        device.tensor_from_vec(vec![1.0, 0.0, 0.0, 1.0], (2, Const));
    let [before, head] = [both.0.model().parameters().expect("there").as_vec(), both.1.weight.as_vec()];
    let first = both.0.call(pictures(&device, 2)).expect("runs").as_vec();
    let mut sgd = Sgd::new(&both, SgdConfig { lr: 0.05, ..SgdConfig::default() });
    let mut losses = Vec::new();
    for _ in 0..8 {
        let features = both.0.call(pictures(&device, 2).trace(both.alloc_grads())).expect("runs");
        let loss = mse_loss(both.1.forward(features), wanted.clone());
        losses.push(loss.array());
        sgd.update(&mut both, &loss.backward()).expect("all are used");
    }
    assert!(losses[7] < 0.9 * losses[0], "{losses:?}");
    assert_ne!(both.1.weight.as_vec(), head);
    let (place, _) = both.0.model().place("to_image.w").expect("a parameter");
    assert_ne!(both.0.model().parameters().expect("there").as_vec()[place.clone()], before[place]);
    let features = both.0.call(pictures(&device, 2)).expect("runs").as_vec();
    assert_ne!(features, first);

    // What was learnt goes into a file, and from there into a network.
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedded.safetensors");
    both.0.model().save(&file).expect("writes");
    let mut saved = Network::saved(&model, "pretrain", &file, &host()).expect("reads");
    let pixels = tensor::Tensor::floats([2, 3, 16, 16], numbers(2 * 3 * 16 * 16));
    let given = [("image", pixels.into())];
    close("saved", &saved.run("image_feat", &given).expect("runs").into_floats(), &features, 1e-5);
    let mut inside = both.0.into_model().into_network();
    close("kept", &inside.run("image_feat", &given).expect("runs").into_floats(), &features, 1e-5);
}

#[test]
fn what_does_not_agree_is_an_error_with_both() {
    let (model, device) = (speck(), Cpu::default());
    let says = |error: EmbedError, parts: &[&str]| {
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    };
    let other =
        Tower::<Pictures, (usize, Const<9>), _>::new(network(&model), "image", "image_feat", device.clone());
    says(other.err().expect("refused"), &["image_feat", "8]", "(usize, Const<9>)"]);
    type Large = (usize, Const<3>, Const<32>, Const<32>);
    let other = Tower::<Large, Features, _>::new(network(&model), "image", "image_feat", device.clone());
    says(
        other.err().expect("refused"),
        &["`image`", "3, 16, 16]", "(usize, Const<3>, Const<32>, Const<32>)"],
    );
    let other = Tower::<Pictures, (), _>::new(network(&model), "image", "con", device.clone());
    says(other.err().expect("refused"), &["`con` reads image, text"]);

    let embedded = Embedded::new(network(&model), &["image_feat"], device.clone()).expect("opens");
    let run = |picture: Tensor<(usize, usize, usize, usize), f32, Cpu>| {
        embedded.run::<Features, _>("image_feat", Inputs::of("image", picture)).expect_err("refused")
    };
    says(run(device.zeros_like(&(2, 3, 16, 15))), &["3, 16, 16]", "2, 3, 16, 15]"]);
    says(run(device.zeros_like(&(0, 3, 16, 16))), &["0, 3, 16, 16]"]);
    let one = embedded.run::<(Const<3>, usize), _>("image_feat", Inputs::of("image", pictures(&device, 2)));
    says(one.expect_err("refused"), &["[2, 8]", "(Const<3>, usize)"]);
    let unknown = embedded.run::<Features, NoneTape>("image_fea", Inputs::new());
    says(unknown.expect_err("refused"), &["did you mean `image_feat`?"]);
    let missing = embedded.run::<Features, NoneTape>("image_feat", Inputs::new());
    says(missing.expect_err("refused"), &["reads the input `image`"]);
    says(Embedded::new(network(&model), &["nothing"], device).err().expect("refused"), &["nothing"]);
}
