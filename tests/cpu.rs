//! The CPU executor on whole graphs: against the reference, across threads, with faulty inputs.

use chiasm::bench::{self, Net, Sizes, blocks, clip};
use chiasm::exec::cpu::Cpu;
use chiasm::exec::reference::Reference;
use chiasm::exec::{ExecError, Executor, Follow, Group, Layout, Memory, Program, Update};
use chiasm::graph::Verified;
use chiasm::op::{
    Add, Array, Attend, Before, Choose, Compare, Draw, Drop, Dropout, Multiply, Permute, Relation, Reshape,
    Sigmoid, Take, ToFloat, Value,
};
use chiasm::recipe::Method;
use chiasm::shape::Size;
use chiasm::tensor::Tensor;

fn given(net: &Net) -> Vec<(&str, &Tensor)> {
    net.inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
}

/// Largest difference over largest expected number.
fn error(found: &[f32], expected: &Array) -> f64 {
    assert_eq!(found.len(), expected.data.len());
    let largest = expected.data.iter().fold(1e-6_f64, |m, x| m.max(x.abs()));
    found.iter().zip(&expected.data).map(|(a, b)| (f64::from(*a) - b).abs() / largest).fold(0.0, f64::max)
}

/// Forward within 1e-5, gradients within 1e-4, at any number of threads the same digits.
fn check(mut net: Net, loss: Value) {
    let graph = net.finish(loss).expect("a graph");
    let mut reference = Reference.program(&graph, &net.layout).expect("a program");
    let mut memory = bench::memory(&net.layout);
    reference.run(&mut memory.clone(), &given(&net), &bench::context(5)).expect("a run");
    let mut digits: Option<(Tensor, Vec<f32>)> = None;
    for threads in 1..=3 {
        let (loss, gradients) = run(&graph, &net, &mut memory, threads);
        let expected = reference.array("loss").expect("a loss");
        assert!(
            error(loss.as_floats().expect("numbers"), expected) < 1e-5,
            "loss {loss:?}, not {expected:?}"
        );
        for (path, slot) in &net.layout.parameters {
            let expected = reference.array(&format!("grad/{path}")).expect("a gradient");
            let error = error(&gradients[slot.range()], expected);
            assert!(error < 1e-4, "{path}: {error:.1e}");
        }
        let (first_loss, first) = digits.get_or_insert((loss.clone(), gradients.clone()));
        assert!(*first_loss == loss && *first == gradients, "other digits with {threads} threads");
    }
}

fn run(graph: &Verified, net: &Net, memory: &mut Memory, threads: usize) -> (Tensor, Vec<f32>) {
    let cpu = Cpu::new(threads);
    let mut program = cpu.prepare(graph, &net.layout).expect("a program");
    assert_eq!(cpu.cost(graph, &net.layout).expect("a cost").peak as usize, program.peak_bytes());
    for _ in 0..2 {
        memory.gradients.fill(7.0);
        program.run(memory, &given(net), &bench::context(5)).expect("a run");
    }
    (program.output("loss").expect("a loss"), memory.gradients.clone())
}

#[test]
fn two_vit_blocks() {
    let (net, loss) = blocks(Sizes { batch: 2, width: 24, heads: 3, depth: 2 }, 7);
    check(net, loss);
}

#[test]
fn a_small_clip() {
    let (net, loss) = clip(Sizes { batch: 4, width: 16, heads: 2, depth: 2 }, 50);
    check(net, loss);
}

#[test]
fn a_small_bert_that_looks_at_an_image() {
    let mut net = Net::default();
    let image = net.numbers("image", &[3, 9, 16]);
    let ids = net.ids("text", &[3, 5], 11);
    let table = net.parameter("table", &[11, 16]);
    let mut x = net.add("words", Take, &[table, ids]);
    for i in 0..2 {
        x = net.cross_block(&format!("b[{i}]"), x, image, 4);
    }
    let loss = net.mean_square(x);
    check(net, loss);
}

/// Heads apart, quick GELU, a key mask, dropout on weights, entries and rows, one parameter used twice.
#[test]
fn what_the_blocks_do_not_use() {
    let mut net = Net::default();
    let x = net.numbers("x", &[3, 6, 8]);
    let counts = net.ids("counts", &[3], 6);
    let mask = net.add("mask", Before { n: Size::from(6usize) }, &[counts]);
    let w = net.parameter("w", &[8, 8]);
    let twice = |net: &mut Net, x: Value| {
        let op = chiasm::op::Matmul { transpose_left: false, transpose_right: false };
        net.add("twice", op, &[x, w])
    };
    let h = twice(&mut net, x);
    let draw = |path: &str| Draw { path: path.into(), rows: true };
    let h = net.add("drop", Dropout { share: 0.3, per_row: false, draw: draw("a") }, &[h]);
    let h = net.add("path", Dropout { share: 0.4, per_row: true, draw: draw("b") }, &[h]);
    let x = net.add("sum", Add, &[x, h]);
    let sizes = [3_usize, 6, 2, 4].map(Size::from).to_vec();
    let split = net.add("split", Reshape { sizes: sizes.into() }, &[x]);
    let heads = net.add("split", Permute { axes: vec![0, 2, 1, 3] }, &[split]);
    let bias = net.parameter("bias", &[2, 6, 6]);
    let drop = Some(Drop { share: 0.2, draw: draw("c") });
    let op = Attend { heads: None, causal: true, mask: true, bias: true, relation: false, drop };
    let y = net.add("attend", op, &[heads, heads, heads, mask, bias]);
    let y = net.add("join", Permute { axes: vec![0, 2, 1, 3] }, &[y]);
    let y = net.add("join", Reshape { sizes: [3_usize, 6, 8].map(Size::from).to_vec().into() }, &[y]);
    let y = twice(&mut net, y);
    let factor = net.number(1.702);
    let scaled = net.add("quick", Multiply, &[y, factor]);
    let gate = net.add("quick", Sigmoid, &[scaled]);
    let y = net.add("quick", Multiply, &[y, gate]);
    let y = net.linear("end", y, 5);
    let loss = net.mean_square(y);
    check(net, loss);
}

/// Ids beyond 2^24, which `f32` would round to their neighbours.
#[test]
fn ids_of_any_size_are_exact() {
    let mut net = Net::default();
    let (a, b) = (net.ids("a", &[6], 9), net.ids("b", &[6], 9));
    let whole = [16_777_216, 16_777_217, 123_456_789, i32::MAX, -16_777_217, 7];
    net.inputs[0].1 = Tensor::ids([6], whole.to_vec());
    net.inputs[1].1 = Tensor::ids([6], whole.map(|id| id / 2 * 2).to_vec());
    let same = net.add("same", Compare { relation: Relation::Equal }, &[a, b]);
    let larger = net.add("larger", Compare { relation: Relation::Greater }, &[a, b]);
    let chosen = net.add("chosen", Choose, &[larger, a, b]);
    let kept = net.add("kept", Compare { relation: Relation::Equal }, &[chosen, a]);
    let w = net.parameter("w", &[2, 6]);
    let parts = [same, kept].map(|condition| {
        let number = net.add("number", ToFloat, &[condition]);
        let y = net.add("weighed", Multiply, &[w, number]);
        net.mean_square(y)
    });
    let loss = net.add("loss", Add, &parts);
    check(net, loss);
}

#[test]
fn faulty_inputs_are_told() {
    let mut net = Net::default();
    let ids = net.ids("text", &[3, 5], 11);
    let table = net.parameter("table", &[11, 4]);
    let words = net.add("words", Take, &[table, ids]);
    let loss = net.mean_square(words);
    let graph = net.finish(loss).expect("a graph");
    let mut program = Cpu::new(2).prepare(&graph, &net.layout).expect("a program");
    let mut memory = bench::memory(&net.layout);
    let mut run = |tensor: &Tensor| program.run(&mut memory, &[("text", tensor)], &bench::context(0));
    let wrong = Tensor::ids([3, 5], vec![11; 15]);
    assert!(matches!(run(&wrong), Err(ExecError::Index { id: 11, rows: 11, .. })));
    assert!(run(&net.inputs[0].1).is_ok());
    assert!(matches!(run(&Tensor::ids([15], vec![1; 15])), Err(ExecError::Input { .. })));
    assert!(matches!(run(&Tensor::floats([3, 5], vec![1.0; 15])), Err(ExecError::Input { .. })));
    let mut memory = bench::memory(&net.layout);
    assert!(matches!(program.run(&mut memory, &[], &bench::context(0)), Err(ExecError::Missing(_))));
    let mut memory = Memory::for_evaluation(&net.layout);
    assert!(matches!(
        program.run(&mut memory, &given(&net), &bench::context(0)),
        Err(ExecError::Place { .. })
    ));
}

#[test]
fn updates_are_those_of_the_reference() {
    let (betas, eps) = ([0.9, 0.99], 1e-6);
    for method in [
        Method::AdamW { betas, eps },
        Method::Lamb { betas, eps },
        Method::Adafactor { betas },
        Method::Sgd { momentum: 0.9 },
        Method::Sgd { momentum: 0.0 },
    ] {
        updates_like_the_reference(method);
    }
}

/// Three steps over a small matrix, a long vector, a short one, and a matrix that Adafactor factors.
fn updates_like_the_reference(method: Method) {
    let mut layout = Layout::default();
    for (path, dims) in [("a", vec![3, 5]), ("b", vec![40_000]), ("c", vec![7]), ("d", vec![300, 70])] {
        layout.add_parameter(path, &dims);
        layout.add_twin(&format!("slow/{path}"), &dims);
    }
    let mut memory = bench::memory(&layout);
    let numbers = memory.parameters.clone();
    let mut expected = memory.clone();
    let group = |slot: &chiasm::exec::Slot| Group {
        decay: 0.1,
        factor: 2.0,
        clamp: (slot.start > 0).then_some((-0.03, 0.03)),
        ..Group::new(slot.start, &slot.dims)
    };
    let groups: Vec<Group> = layout.parameters.values().map(group).collect();
    let cpu = Cpu::new(2);
    for count in 1..4 {
        for memory in [&mut memory, &mut expected] {
            for at in layout.parameters.values().flat_map(chiasm::exec::Slot::range) {
                let push = if at % 3 == 0 { 0.01 } else { -0.02 };
                memory.gradients[at] = count as f32 * numbers[at] + push;
            }
        }
        let update = Update { method, rate: 1e-3, count, clip: Some(1.0), groups: groups.clone() };
        let norms = [cpu.update(&mut memory, &update), Reference.update(&mut expected, &update)];
        assert!((norms[0] / norms[1] - 1.0).abs() < 1e-5, "{norms:?}");
    }
    let follow = [Follow { prefix: "slow/".into(), rate: 0.9 }];
    cpu.follow(&mut memory, &follow);
    Reference.follow(&mut expected, &follow);
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    for (what, ours, reference) in [
        ("parameters", &memory.parameters, &expected.parameters),
        ("first moments", &memory.first, &expected.first),
        ("second moments", &memory.second, &expected.second),
        ("twins", &memory.twins, &expected.twins),
    ] {
        assert!(close(ours, reference), "{what} of {}", method.name());
    }
}
