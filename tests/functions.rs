//! Single functions against values recorded from PyTorch: `tests/fixtures/functions/config.json` says what each file holds.
//!
//! Each op runs as a graph of its own on the reference executor, through differentiation and the other passes.

#[path = "functions/library.rs"]
mod library;
#[path = "functions/schedules.rs"]
mod schedules;

use chiasm::exec::cpu::Cpu;
use chiasm::exec::reference::Reference;
use chiasm::exec::{Executor, Follow, Group, Layout, Memory, Program, Update};
use chiasm::graph::{Graph, Origin};
use chiasm::op::{
    Array, Attend, BinaryCrossEntropy, Context, CrossEntropy, Gelu, Input, LayerNorm, Multiply, Normalize,
    Offsets, Op, Parameter, Pick, Rule, Stretch, SumLeading, Transport, Value, blocks,
};
use chiasm::pass::{differentiate, merge, simplify};
use chiasm::recipe::{Method, Timeline};
use chiasm::shape::{Kind, Shape};
use chiasm::tensor::Tensor;
use safetensors::{Dtype, SafeTensors};

const FORWARD: f64 = 1e-5;
const BACKWARD: f64 = 1e-4;

/// A file of recorded arrays.
struct File(Vec<u8>);

impl File {
    fn open(name: &str) -> Self {
        Self(std::fs::read(format!("tests/fixtures/functions/{name}.safetensors")).expect("a fixture"))
    }

    fn get(&self, name: &str) -> Array {
        let file = SafeTensors::deserialize(&self.0).expect("safetensors");
        let view = file.tensor(name).expect("a recorded array");
        let number = |bytes: &[u8]| match view.dtype() {
            Dtype::F32 => f64::from(f32::from_le_bytes(bytes.try_into().expect("4 bytes"))),
            Dtype::F64 => f64::from_le_bytes(bytes.try_into().expect("8 bytes")),
            Dtype::BOOL => f64::from(bytes[0]),
            Dtype::I64 => i64::from_le_bytes(bytes.try_into().expect("8 bytes")) as f64,
            other => panic!("{other:?}"),
        };
        let width = match view.dtype() {
            Dtype::I64 | Dtype::F64 => 8,
            Dtype::BOOL => 1,
            _ => 4,
        };
        Array { dims: view.shape().to_vec(), data: view.data().chunks(width).map(number).collect() }
    }
}

/// What a graph of one op gives: its result, and the gradient of every float operand.
struct Outcome {
    y: Array,
    gradients: Vec<Option<Array>>,
}

/// Float operands become parameters, the others inputs; `dy` is the cotangent of a result with axes.
fn outcome(op: impl Into<Op>, operands: &[(Kind, Array)], dy: Option<&Array>) -> Outcome {
    let (graph, layout) = graph(op.into(), operands, dy);
    let graph = differentiate(&graph, "loss", &|_| true).expect("gradients");
    let verified = merge(&simplify(&graph, true)).verify().expect("a sound graph");
    let mut memory = Memory::new(&layout);
    let mut inputs: Vec<(String, Tensor)> = Vec::new();
    for (i, (kind, array)) in operands.iter().enumerate() {
        match layout.parameters.get(&format!("x{i}")) {
            Some(slot) => memory.parameters[slot.range()].copy_from_slice(&floats(array)),
            None => inputs.push((format!("x{i}"), tensor(*kind, array))),
        }
    }
    inputs.extend(dy.map(|dy| ("dy".to_string(), tensor(Kind::Float, dy))));
    let inputs: Vec<(&str, &Tensor)> = inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut program = Reference.program(&verified, &layout).expect("a program");
    program.run(&mut memory, &inputs, &context()).expect("a run");
    let gradients = (0..operands.len()).map(|i| program.array(&format!("grad/x{i}")).cloned()).collect();
    Outcome { y: program.array("y").expect("a result").clone(), gradients }
}

/// The only step of a run.
fn context() -> Context {
    let time = Timeline { length: 1, epoch: 1 };
    Context { seed: 1, stage: "test".into(), step: 0, time, first_row: 0 }
}

fn graph(op: Op, operands: &[(Kind, Array)], dy: Option<&Array>) -> (Graph, Layout) {
    let (mut graph, mut layout) = (Graph::default(), Layout::default());
    let mut values: Vec<Value> = Vec::new();
    for (i, (kind, array)) in operands.iter().enumerate() {
        let shape = Shape::float(array.dims.iter().copied()).with_kind(*kind);
        let name = format!("x{i}");
        values.push(if *kind == Kind::Float {
            layout.add_parameter(&name, &array.dims);
            add(&mut graph, Parameter { path: name, shape }, &[])
        } else {
            add(&mut graph, Input { name, shape }, &[])
        });
    }
    let y = add(&mut graph, op, &values);
    graph.name("y", y);
    let loss = match dy {
        None => y,
        Some(dy) => {
            let shape = Shape::float(dy.dims.iter().copied());
            let dy = add(&mut graph, Input { name: "dy".into(), shape: shape.clone() }, &[]);
            let product = add(&mut graph, Multiply, &[y, dy]);
            add(&mut graph, SumLeading { axes: shape.rank() }, &[product])
        }
    };
    graph.name("loss", loss);
    (graph, layout)
}

fn add(graph: &mut Graph, op: impl Into<Op>, operands: &[Value]) -> Value {
    graph.add(op, operands, &Origin::default()).expect("an op that fits")
}

fn floats(array: &Array) -> Vec<f32> {
    array.data.iter().map(|x| *x as f32).collect()
}

fn tensor(kind: Kind, array: &Array) -> Tensor {
    match kind {
        Kind::Ids => Tensor::ids(array.dims.clone(), array.data.iter().map(|x| *x as i32).collect()),
        _ => Tensor::floats(array.dims.clone(), floats(array)),
    }
}

/// Largest difference over largest recorded number.
#[track_caller]
fn close(found: &Array, recorded: &Array, tolerance: f64) {
    assert_eq!(found.dims, recorded.dims);
    let largest = recorded.data.iter().fold(1e-30, |m: f64, x| m.max(x.abs()));
    let error =
        found.data.iter().zip(&recorded.data).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest;
    assert!(error <= tolerance, "off by {error:.1e}");
}

#[track_caller]
fn close_gradient(outcome: &Outcome, operand: usize, recorded: &Array) {
    close(outcome.gradients[operand].as_ref().expect("a gradient"), recorded, BACKWARD);
}

fn float(array: Array) -> (Kind, Array) {
    (Kind::Float, array)
}

#[test]
fn gelu() {
    let file = File::open("gelu");
    let x = file.get("in.x");
    let ones = x.map(|_| 1.0);
    let outcome = outcome(Gelu, &[float(x)], Some(&ones));
    close(&outcome.y, &file.get("out.exact"), FORWARD);
    close_gradient(&outcome, 0, &file.get("out.d_exact"));
}

/// The rows have variances from 1e-10 to 1e2 around means of 1. Those of the first four are near the spacing of float32, so
/// the recorded statistics are themselves off: by 3e-3 for the first row without eps (a float64 computation of the formula
/// from the same inputs shows the same distance). The other rows have to agree as everywhere; so has all of it, within that.
#[test]
fn layer_norm() {
    let file = File::open("layer_norm");
    let dy = file.get("in.dy");
    for (text, eps, noise) in [("1e-05", 1e-5, 1e-5), ("1e-06", 1e-6, 3e-5), ("1e-12", 1e-12, 3e-3)] {
        let operands = ["in.x", "in.w", "in.b"].map(|name| float(file.get(name)));
        let outcome = outcome(LayerNorm { eps }, &operands, Some(&dy));
        let recorded = |name: &str| file.get(&format!("out.{name}_{text}"));
        close(&outcome.y, &recorded("y"), noise);
        close(&last_rows(&outcome.y), &last_rows(&recorded("y")), FORWARD);
        let gradients: Vec<&Array> = outcome.gradients.iter().flatten().collect();
        close(&last_rows(gradients[0]), &last_rows(&recorded("dx")), FORWARD);
        close(gradients[0], &recorded("dx"), noise);
        close(gradients[1], &recorded("dw"), noise);
        close(gradients[2], &recorded("db"), FORWARD);
    }
}

/// Rows with a variance that float32 resolves.
fn last_rows(array: &Array) -> Array {
    Array::from_fn(&[4, array.dims[1]], |at| array.at(&[at[0] + 4, at[1]]))
}

/// The first places of an axis.
fn first(array: &Array, axis: usize, n: usize) -> Array {
    let mut dims = array.dims.clone();
    dims[axis] = n;
    Array::from_fn(&dims, |at| array.at(at))
}

#[test]
fn attention_with_padding() {
    let file = File::open("attention");
    for (case, pad) in [("minus1e4", "in.pad"), ("inf", "in.pad_inf")] {
        let [q, k, v, bias] = ["in.q", "in.k", "in.v", "in.bias"].map(|name| float(file.get(name)));
        let visible = file.get(pad).map(|padded| 1.0 - padded);
        let op = Attend { heads: None, causal: false, mask: true, bias: true, relation: false, drop: None };
        let outcome = outcome(op, &[q, k, v, (Kind::Condition, visible), bias], Some(&file.get("in.do")));
        close(&outcome.y, &file.get(&format!("out.{case}.o")), FORWARD);
        for (operand, name) in [(0, "dq"), (1, "dk"), (2, "dv"), (4, "dbias")] {
            close_gradient(&outcome, operand, &file.get(&format!("out.{case}.{name}")));
        }
    }
}

/// The recorded case has more keys than queries; those beyond the last query are never seen.
#[test]
fn causal_attention() {
    let file = File::open("attention");
    let [k, v] = ["in.k", "in.v"].map(|name| float(first(&file.get(name), 2, 5)));
    let bias = float(first(&file.get("in.bias"), 2, 5));
    let op = Attend { heads: None, causal: true, mask: false, bias: true, relation: false, drop: None };
    let outcome = outcome(op, &[float(file.get("in.q")), k, v, bias], Some(&file.get("in.do")));
    close(&outcome.y, &file.get("out.causal.o"), FORWARD);
    close_gradient(&outcome, 0, &file.get("out.causal.dq"));
    for (operand, name) in [(1, "dk"), (2, "dv"), (3, "dbias")] {
        close_gradient(&outcome, operand, &first(&file.get(&format!("out.causal.{name}")), 2, 5));
    }
}

/// Logits, labels with 0 where they are ignored, and where they are not.
fn labelled(file: &File) -> [(Kind, Array); 3] {
    let labels = file.get("in.labels");
    let only = labels.map(|label| f64::from(u8::from(label >= 0.0)));
    [float(file.get("in.logits")), (Kind::Ids, labels.map(|label| label.max(0.0))), (Kind::Condition, only)]
}

#[test]
fn cross_entropy_of_labels() {
    let file = File::open("losses");
    for (name, smooth) in [("ce", 0.0), ("ce_ls", 0.1)] {
        let outcome = outcome(CrossEntropy { smooth, per_row: false, only: true }, &labelled(&file), None);
        close(&outcome.y, &file.get(&format!("out.{name}")), FORWARD);
        close_gradient(&outcome, 0, &file.get(&format!("out.d_{name}")));
    }
    let ones = Array::filled(&[9], 1.0);
    let outcome =
        outcome(CrossEntropy { smooth: 0.0, per_row: true, only: true }, &labelled(&file), Some(&ones));
    close(&outcome.y, &file.get("out.ce_none"), FORWARD);
    close_gradient(&outcome, 0, &file.get("out.d_ce_sum"));
}

#[test]
fn cross_entropy_of_probabilities() {
    let file = File::open("losses");
    let operands = ["in.logits", "in.soft"].map(|name| float(file.get(name)));
    let outcome = outcome(CrossEntropy { smooth: 0.0, per_row: false, only: false }, &operands, None);
    close(&outcome.y, &file.get("out.soft"), FORWARD);
    close_gradient(&outcome, 0, &file.get("out.d_soft"));
    close_gradient(&outcome, 0, &file.get("out.d_kl"));
}

#[test]
fn normalise() {
    let file = File::open("normalise");
    let outcome = outcome(Normalize, &[float(file.get("in.x"))], Some(&file.get("in.dy")));
    close(&outcome.y, &file.get("out.y_1e-12"), FORWARD);
    close_gradient(&outcome, 0, &file.get("out.dx_1e-12"));
}

/// Recorded is the mean times the number of classes.
#[test]
fn binary_cross_entropy() {
    let file = File::open("losses");
    let [logits, targets] = ["in.logits", "in.multi"].map(|name| float(file.get(name)));
    let share = targets.1.map(|_| 1.0 / targets.1.dims[0] as f64);
    let outcome = outcome(BinaryCrossEntropy, &[logits, targets], Some(&share));
    let total = outcome.y.data.iter().zip(&share.data).map(|(loss, share)| loss * share).sum();
    close(&Array { dims: vec![], data: vec![total] }, &file.get("out.bce"), FORWARD);
    close_gradient(&outcome, 0, &file.get("out.d_bce"));
}

/// The recorded plan has images first; both sides are padded.
#[test]
fn transport() {
    let file = File::open("ipot");
    let valid = |name: &str| (Kind::Condition, file.get(name).map(|padded| 1.0 - padded));
    let operands = [float(file.get("out.cost")), valid("in.text_pad"), valid("in.image_pad")];
    let op = Transport { rounds: 50, beta: 0.5, first: true, second: true };
    let arrays: Vec<&Array> = operands.iter().map(|(_, array)| array).collect();
    let plan = op.eval(&arrays, &context());
    let recorded = file.get("out.plan");
    let turned = Array::from_fn(&plan.dims, |at| recorded.at(&[at[0], at[2], at[1]]));
    close(&plan, &turned, 2e-5);
    let rows = plan.dims[1] * plan.dims[2];
    let costs: Vec<f64> = plan.data.iter().zip(&arrays[0].data).map(|(p, c)| p * c).collect();
    let distance = costs.chunks(rows).map(|row| row.iter().sum()).collect();
    close(&Array { dims: vec![plan.dims[0]], data: distance }, &file.get("out.distance"), 2e-5);
}

/// The recorded draws, in the order in which they were made.
#[test]
fn block_masks() {
    let file = File::open("block_mask");
    for case in 0..6 {
        let setup = file.get(&format!("in.{case}.setup")).data;
        let drawn = file.get(&format!("in.{case}.u")).data;
        let kinds = file.get(&format!("in.{case}.kind")).data;
        let (side, target, least) = (setup[0] as usize, setup[2] as usize, setup[3]);
        let (mut grid, mut at) = (vec![0.0; side * side], 0);
        let mut pick = |pick: Pick| {
            assert_eq!(matches!(pick, Pick::Below(_)), kinds[at] >= 2.0, "case {case}, draw {at}");
            at += 1;
            drawn[at - 1]
        };
        blocks(&mut grid, side, target, least, &mut pick);
        let recorded = file.get(&format!("out.{case}.mask"));
        assert_eq!(grid.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>(), recorded.data, "case {case}");
        assert_eq!(at, drawn.len(), "case {case}");
    }
}

/// Index matrices of an image, of a text, and of a text with an image behind it.
#[test]
fn relative_positions() {
    let file = File::open("relative_index");
    let table = |stretches: Vec<Stretch>, window, reach| {
        let op = Offsets { stretches, window, reach };
        op.eval(&[], &context())
    };
    for (window, words, reach) in [(2, 4, 4), (3, 5, 8)] {
        let name = |part: &str| format!("out.{window}_{words}_{reach}.{part}");
        let (image, text) = (Stretch::Image(window * window + 1), Stretch::Text(words));
        assert_eq!(table(vec![image], window, reach), file.get(&name("image")));
        assert_eq!(table(vec![text], window, reach), file.get(&name("text")));
        assert_eq!(table(vec![text, image], window, reach), file.get(&name("joint")));
    }
    let joint = table(vec![Stretch::Text(40), Stretch::Image(197)], 14, 196);
    let rows = [0, 1, 39, 40, 41, 100, 236];
    let chosen = Array::from_fn(&[7, 237], |at| joint.at(&[rows[at[0]], at[1]]));
    assert_eq!(chosen, file.get("out.14_40_196.joint_rows"));
}

/// Three steps over `w` (with decay), `b` and `s`; the norms before clipping.
fn three_steps(
    executor: &dyn Executor,
    method: Method,
    file: &File,
    rates: [f64; 3],
    clip: Option<f64>,
) -> Vec<f64> {
    steps(executor, &|_| method, 0.1, file, rates, clip)
}

/// The same with a method for each step. Without decay `w` decays by 0.1 after the step.
fn steps(
    executor: &dyn Executor,
    method: &dyn Fn(u64) -> Method,
    decay: f64,
    file: &File,
    rates: [f64; 3],
    clip: Option<f64>,
) -> Vec<f64> {
    let mut layout = Layout::default();
    let names = ["w", "b", "s"];
    names.iter().for_each(|name| layout.add_parameter(name, &file.get(&format!("in.p.{name}")).dims));
    let mut memory = Memory::new(&layout);
    let slots = names.map(|name| layout.parameters[name].range());
    for (name, range) in names.iter().zip(&slots) {
        memory.parameters[range.clone()].copy_from_slice(&floats(&file.get(&format!("in.p.{name}"))));
    }
    let decays = [decay, 0.0, 0.0];
    let group = |(name, decay): (&&str, f64)| {
        let slot = &layout.parameters[*name];
        Group { decay, ..Group::new(slot.start, &slot.dims) }
    };
    let groups: Vec<Group> = names.iter().zip(decays).map(group).collect();
    let mut norms = Vec::new();
    for (k, rate) in rates.into_iter().enumerate() {
        for (name, range) in names.iter().zip(&slots) {
            memory.gradients[range.clone()].copy_from_slice(&floats(&file.get(&format!("in.g{k}.{name}"))));
        }
        let count = k as u64 + 1;
        let update = Update { method: method(count), rate, count, clip, groups: groups.clone() };
        norms.push(executor.update(&mut memory, &update));
        if decay == 0.0 {
            memory.parameters[slots[0].clone()].iter_mut().for_each(|w| *w *= (1.0 - rate * 0.1) as f32);
        }
        for (name, range) in names.iter().zip(&slots) {
            let recorded = file.get(&format!("out.step{count}.{name}"));
            let data = memory.parameters[range.clone()].iter().map(|x| f64::from(*x)).collect();
            close(&Array { dims: recorded.dims.clone(), data }, &recorded, FORWARD);
        }
    }
    norms
}

const ADAMW: Method = Method::AdamW { betas: [0.9, 0.98], eps: 1e-6 };

#[test]
fn adamw() {
    let file = File::open("adamw");
    three_steps(&Reference, ADAMW, &file, [1e-2; 3], None);
    three_steps(&Cpu::new(2), ADAMW, &file, [1e-2; 3], None);
}

#[test]
fn adamw_with_clipping() {
    let file = File::open("adamw_clip");
    for executor in [&Reference as &dyn Executor, &Cpu::new(1)] {
        let norms = three_steps(executor, ADAMW, &file, [1e-2, 5e-3, 2.5e-3], Some(0.5));
        for (k, norm) in norms.into_iter().enumerate() {
            let recorded = file.get(&format!("out.norm{}", k + 1));
            close(&Array { dims: vec![], data: vec![norm] }, &recorded, FORWARD);
        }
    }
}

/// The AdamW with which ViLT and VLMo were trained adds eps before the correction of the second moment, which makes it
/// `eps / sqrt(1 - beta ^ t)` for ours, and decays after the step instead of before it.
#[test]
fn adamw_as_it_was() {
    let file = File::open("adamw_hf_old");
    let corrected = |t: u64| {
        let eps = 1e-6 / (1.0 - 0.98_f64.powi(t as i32)).sqrt();
        Method::AdamW { betas: [0.9, 0.98], eps }
    };
    for executor in [&Reference as &dyn Executor, &Cpu::new(2)] {
        steps(executor, &corrected, 0.0, &file, [1e-2; 3], None);
    }
}

/// timm's LAMB scales the steps of decayed tensors only; so does ours.
#[test]
fn lamb() {
    let (file, method) = (File::open("lamb"), Method::Lamb { betas: [0.9, 0.999], eps: 1e-6 });
    three_steps(&Reference, method, &file, [1e-2; 3], Some(1.0));
    three_steps(&Cpu::new(2), method, &file, [1e-2; 3], Some(1.0));
}

/// A layout of one parameter, its memory with everything one gradient, and the update of all of it.
fn one_step(method: Method, dims: &[usize], gradient: impl Fn(usize) -> f32) -> (Memory, Update) {
    let mut layout = Layout::default();
    layout.add_parameter("w", dims);
    let mut memory = Memory::with_moments(&layout, method.moments());
    let range = layout.parameters["w"].range();
    memory.gradients[range].iter_mut().enumerate().for_each(|(at, g)| *g = gradient(at));
    let group = Group::new(0, dims);
    (memory, Update { method, rate: 0.5, count: 1, clip: None, groups: vec![group] })
}

/// Adafactor divides a gradient of one row times one column by its own size: all words move alike.
#[test]
fn adafactor_knows_gradients_of_rank_one() {
    let method = Method::Adafactor { betas: [0.9, 0.999] };
    for executor in [&Reference as &dyn Executor, &Cpu::new(2)] {
        for (dims, width) in [([40, 33], 33), ([5, 7], 7)] {
            let sign = |at: usize| if at.is_multiple_of(3) { -1.0_f32 } else { 1.0 };
            let size = |at: usize| (1.0 + (at / width) as f32) * 0.01 * (2.0 + (at % width) as f32);
            let (mut memory, update) = one_step(method, &dims, |at| sign(at) * size(at));
            executor.update(&mut memory, &update);
            let words = dims[0] * dims[1];
            for (at, moved) in memory.parameters[..words].iter().enumerate() {
                assert!((moved + 0.5 * 0.1 * sign(at)).abs() < 1e-6, "{}: {at} {moved}", executor.name());
            }
            let kept = memory.second[..words].iter().filter(|v| **v != 0.0).count();
            assert_eq!(kept, if dims[0] > 32 { 40 + 33 } else { words }, "second moments of {dims:?}");
        }
    }
}

/// `torch.optim.SGD(momentum=0.9)`: 1, then 1 + 0.9.
#[test]
fn sgd_keeps_momentum() {
    for executor in [&Reference as &dyn Executor, &Cpu::new(1)] {
        let (mut memory, update) = one_step(Method::Sgd { momentum: 0.9 }, &[2], |at| 1.0 - 2.0 * at as f32);
        executor.update(&mut memory, &update);
        executor.update(&mut memory, &update);
        let moved = &memory.parameters[..2];
        assert!((moved[0] + 0.5 * 2.9).abs() < 1e-6 && (moved[1] - 0.5 * 2.9).abs() < 1e-6, "{moved:?}");
        let (mut memory, update) = one_step(Method::Sgd { momentum: 0.0 }, &[2], |_| 2.0);
        executor.update(&mut memory, &update);
        assert_eq!((memory.parameters[0], memory.first.len(), memory.second.len()), (-1.0, 0, 0));
    }
}

#[test]
fn twins_follow_the_originals_of_their_prefix() {
    let mut layout = Layout::default();
    layout.add_parameter("a.w", &[2]);
    layout.add_twin("slow/a.w", &[2]);
    layout.add_twin("other/a.w", &[2]);
    let mut memory = Memory::for_evaluation(&layout);
    memory.parameters[..2].copy_from_slice(&[1.0, -2.0]);
    Reference.follow(&mut memory, &[Follow { prefix: "slow/".into(), rate: 0.75 }]);
    assert_eq!(memory.twins[layout.twins["slow/a.w"].range()], [0.25, -0.5]);
    assert_eq!(memory.twins[layout.twins["other/a.w"].range()], [0.0, 0.0]);
}
