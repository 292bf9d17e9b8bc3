//! What holds for every op, on its own samples: shapes agree with values, written gradients with numeric ones, `eval` with
//! `expand`, every executor with `eval`, the gradients of dfdx's tape with the written ones, and the text form reads back.

use chiasm::exec::dfdx::Dfdx;
use chiasm::exec::reference::Reference;
use chiasm::exec::{ExecError, Executor, Layout, Memory};
use chiasm::graph::{Builder, Graph, Origin};
use chiasm::op::{
    Array, Backward, Build, Context, Input, Multiply, Op, Parameter, Reshape, Sample, SumLeading, Value,
};
use chiasm::pass::mark;
use chiasm::random::Stream;
use chiasm::recipe::Timeline;
use chiasm::shape::{Kind, Shape};
use chiasm::tensor::{Tensor, Values};

const SEEDS: [u64; 3] = [1, 2, 3];

/// Ops whose numbers come from outside of the graph.
const OUTSIDE: [&str; 4] = ["input", "parameter", "twin", "state"];

/// Ops that have no gradient though their numbers move: `stop` and `transport` by their meaning, `put` because only
/// decoding makes it, the others stand in gradients only.
const UNDIFFERENTIATED: [&str; 10] = [
    "stop",
    "put",
    "gelu_slope",
    "softmax_grad",
    "normalize_grad",
    "layer_norm_grad",
    "layer_norm_scale_grad",
    "attend_grad",
    "cross_entropy_grad",
    "transport",
];

fn context() -> Context {
    Context {
        seed: 5,
        stage: "samples".into(),
        step: 3,
        time: Timeline { length: 10, epoch: 5 },
        first_row: 0,
    }
}

/// The samples of all ops, with numbers that `f32` holds.
fn samples() -> Vec<(&'static str, Sample)> {
    let of_seed = |seed: &u64| Op::all_samples(*seed).into_iter();
    let all = SEEDS
        .iter()
        .flat_map(of_seed)
        .flat_map(|(name, samples)| samples.into_iter().map(move |s| (name, s)));
    all.filter(|(name, _)| !OUTSIDE.contains(name)).map(|(name, sample)| (name, rounded(sample))).collect()
}

fn rounded(mut sample: Sample) -> Sample {
    sample.operands.iter_mut().for_each(|(_, array)| *array = round(array));
    sample
}

fn round(array: &Array) -> Array {
    array.map(|x| f64::from(x as f32))
}

fn shape(kind: Kind, array: &Array) -> Shape {
    Shape::float(array.dims.iter().copied()).with_kind(kind)
}

fn result_shape(sample: &Sample) -> Shape {
    let shapes: Vec<Shape> = sample.operands.iter().map(|(kind, array)| shape(*kind, array)).collect();
    sample.op.infer(&shapes.iter().collect::<Vec<_>>()).expect("operands that fit")
}

fn eval(sample: &Sample) -> Array {
    sample.op.eval(&sample.operands.iter().map(|(_, array)| array).collect::<Vec<_>>(), &context())
}

fn tensor(kind: Kind, array: &Array) -> Tensor {
    match kind {
        Kind::Ids => Tensor::ids(array.dims.clone(), array.data.iter().map(|x| *x as i32).collect()),
        _ => Tensor::floats(array.dims.clone(), array.data.iter().map(|x| *x as f32).collect()),
    }
}

/// A graph with an input for every array, `x0`, `x1`, ...
fn inputs(operands: &[(Kind, Array)]) -> (Graph, Vec<Value>) {
    let mut graph = Graph::default();
    let leaf = |(i, (kind, array)): (usize, &(Kind, Array))| {
        let input = Input { name: format!("x{i}"), shape: shape(*kind, array) };
        graph.add(input, &[], &Origin::default()).expect("an input")
    };
    let values = operands.iter().enumerate().map(leaf).collect();
    (graph, values)
}

/// Runs a graph made by [`inputs`] and gives its named values.
fn run(executor: &dyn Executor, graph: Graph, operands: &[(Kind, Array)]) -> Result<Vec<Tensor>, String> {
    let names: Vec<String> = graph.outputs().iter().map(|(name, _)| name.clone()).collect();
    let verified = graph.verify().map_err(|faults| format!("{faults:?}"))?;
    let mut program = executor.prepare(&verified, &Layout::default()).map_err(|e| e.to_string())?;
    let given: Vec<(String, Tensor)> = operands
        .iter()
        .enumerate()
        .map(|(i, (kind, array))| (format!("x{i}"), tensor(*kind, array)))
        .collect();
    let given: Vec<(&str, &Tensor)> = given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    program.run(&mut Memory::default(), &given, &context()).map_err(|e| e.to_string())?;
    names.iter().map(|name| program.output(name).ok_or_else(|| format!("no output {name}"))).collect()
}

/// The same in `f64` on the reference.
fn arrays(graph: Graph, operands: &[(Kind, Array)]) -> Result<Vec<(String, Array)>, String> {
    let names: Vec<String> = graph.outputs().iter().map(|(name, _)| name.clone()).collect();
    let verified = graph.verify().map_err(|faults| format!("{faults:?}"))?;
    let mut program = Reference.program(&verified, &Layout::default()).map_err(|e| e.to_string())?;
    let given: Vec<(String, Tensor)> = operands
        .iter()
        .enumerate()
        .map(|(i, (kind, array))| (format!("x{i}"), tensor(*kind, array)))
        .collect();
    let given: Vec<(&str, &Tensor)> = given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    chiasm::exec::Program::run(&mut program, &mut Memory::default(), &given, &context())
        .map_err(|e| e.to_string())?;
    Ok(names
        .into_iter()
        .filter_map(|name| program.array(&name).cloned().map(|array| (name, array)))
        .collect())
}

/// Largest difference over largest expected number.
fn error(found: &Array, expected: &Array) -> f64 {
    if found.dims != expected.dims || found.data.len() != expected.data.len() {
        return f64::INFINITY;
    }
    let largest = expected.data.iter().fold(1e-3, |m: f64, x| m.max(x.abs()));
    let apart = |(a, b): (&f64, &f64)| if a == b { 0.0 } else { (a - b).abs() / largest };
    found
        .data
        .iter()
        .zip(&expected.data)
        .map(apart)
        .fold(0.0, |m, x| if x.is_nan() { f64::INFINITY } else { m.max(x) })
}

fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_op_has_samples_that_fit() {
    for (name, samples) in Op::all_samples(1) {
        assert!(OUTSIDE.contains(&name) || !samples.is_empty(), "`{name}` has no samples");
    }
    let wrong = |(name, sample): &(&str, Sample)| {
        let (shape, array) = (result_shape(sample), eval(sample));
        let fits = shape.dims() == array.dims && array.data.len() == shape.elements();
        (!fits).then(|| format!("{name}: infer gives {shape}, eval {:?}\n  {:?}", array.dims, sample.op))
    };
    assert_none(samples().iter().filter_map(wrong).collect());
}

#[test]
fn every_op_prints_and_reads_back() {
    for (_, sample) in samples() {
        let (mut graph, values) = inputs(&sample.operands);
        graph.add(sample.op.clone(), &values, &Origin::default()).expect("an op that fits");
        let again = Graph::parse(&graph.to_string()).expect("a graph");
        assert_eq!(again.to_string(), graph.to_string());
        assert_eq!(again.node(Value(values.len() as u32)).op, sample.op);
    }
}

/// The written gradients of a sample for a cotangent, by operand.
fn written(sample: &Sample, cotangent: &Array) -> Result<Vec<Option<Array>>, String> {
    let mut operands = sample.operands.clone();
    operands.push((Kind::Float, cotangent.clone()));
    let (mut graph, mut values) = inputs(&operands);
    let dy = values.pop().expect("the cotangent");
    let result = graph.add(sample.op.clone(), &values, &Origin::default()).map_err(|e| e.to_string())?;
    let wanted: Vec<bool> = sample.operands.iter().map(|(kind, _)| *kind == Kind::Float).collect();
    let mut build = Builder::new(&mut graph, Origin::default());
    let gradients =
        sample.op.grad(&mut Backward { build: &mut build, operands: &values, result, dy, wanted: &wanted });
    if let Some(misfit) = build.misfit.take() {
        return Err(misfit.to_string());
    }
    let named: Vec<_> = gradients.iter().enumerate().filter_map(|(i, g)| Some((i, (*g)?))).collect();
    named.iter().for_each(|(i, gradient)| graph.name(format!("g{i}"), *gradient));
    let found = arrays(graph, &operands)?;
    let of =
        |i: usize| found.iter().find(|(name, _)| *name == format!("g{i}")).map(|(_, array)| array.clone());
    Ok((0..operands.len() - 1).map(of).collect())
}

/// The gradient of one operand by central differences.
fn numeric(sample: &Sample, operand: usize, cotangent: &Array) -> Array {
    const STEP: f64 = 1e-5;
    let mut moved = sample.clone();
    let mut gradient = sample.operands[operand].1.map(|_| 0.0);
    for i in 0..gradient.data.len() {
        let mut at = |offset: f64| {
            moved.operands[operand].1.data[i] = sample.operands[operand].1.data[i] + offset;
            eval(&moved).data.iter().zip(&cotangent.data).map(|(y, c)| y * c).sum::<f64>()
        };
        gradient.data[i] = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        at(0.0);
    }
    gradient
}

/// Numbers to weigh the elements of a result with.
fn cotangent(name: &str, shape: &Shape) -> Array {
    let stream = Stream::new(9, "cotangent", name);
    let mut element = 0;
    round(&Array::from_fn(&shape.dims(), |_| {
        element += 1;
        stream.normal(0, element)
    }))
}

fn gradient_faults(name: &str, sample: &Sample) -> Vec<String> {
    let shape = result_shape(sample);
    // A row of zeros is normalized with slope 1e12 up to a length of 1e-12: no difference is that small.
    let steep = name == "normalize" && sample.operands[0].1.rows().any(|row| row.iter().all(|x| *x == 0.0));
    if shape.kind != Kind::Float || UNDIFFERENTIATED.contains(&name) || steep {
        return Vec::new();
    }
    let cotangent = cotangent(name, &shape);
    let at = |what: String| {
        format!(
            "{name}: {what}\n  {:?} on {:?}",
            sample.op,
            sample.operands.iter().map(|(k, a)| (k, &a.dims)).collect::<Vec<_>>()
        )
    };
    let written = match written(sample, &cotangent) {
        Ok(written) => written,
        Err(message) => return vec![at(message)],
    };
    let floats = (0..written.len()).filter(|i| sample.operands[*i].0 == Kind::Float);
    let fault = |i: usize| {
        let numeric = numeric(sample, i, &cotangent);
        let written = written[i].clone().unwrap_or_else(|| numeric.map(|_| 0.0));
        let error = error(&written, &numeric);
        (error > 1e-6).then(|| at(format!("operand {i} off by {error:.1e}: {written:?} for {numeric:?}")))
    };
    floats.filter_map(fault).collect()
}

#[test]
fn written_gradients_are_the_numeric_ones() {
    assert_none(samples().iter().flat_map(|(name, sample)| gradient_faults(name, sample)).collect());
}

#[test]
fn eval_and_expand_mean_the_same() {
    let mut faults = Vec::new();
    for (name, sample) in samples() {
        let (mut graph, values) = inputs(&sample.operands);
        let mut build = Builder::new(&mut graph, Origin::default());
        let Some(value) = sample.op.expand(&mut build as &mut dyn Build, &values) else { continue };
        let misfit = build.misfit.take();
        graph.name("y", value);
        let found = match misfit {
            Some(misfit) => Err(misfit.to_string()),
            None => arrays(graph, &sample.operands).map(|found| error(&found[0].1, &eval(&sample))),
        };
        if !matches!(found, Ok(error) if error < 1e-9) {
            faults.push(format!("{name}: {found:?}\n  {:?}", sample.op));
        }
    }
    assert_none(faults);
}

/// Where an executor differs from `eval` by more than the op's tolerance (`exact`: at all).
fn compare(executor: &dyn Executor, exact: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, sample) in samples() {
        let (mut graph, values) = inputs(&sample.operands);
        let y = graph.add(sample.op.clone(), &values, &Origin::default()).expect("an op that fits");
        graph.name("y", y);
        let shapes: Vec<Shape> = values.iter().map(|value| graph.shape(*value).clone()).collect();
        let facts = sample.op.facts(&shapes.iter().collect::<Vec<_>>(), graph.shape(y));
        let whole = exact || graph.shape(y).kind != Kind::Float;
        let tolerance = if whole { 0.0 } else { facts.tolerance };
        match run(executor, graph, &sample.operands)
            .map(|found| error(&array(&found[0]), &round(&eval(&sample))))
        {
            Ok(error) if error <= tolerance => {}
            other => faults.push(format!("{name}: {other:?}, tolerance {tolerance:.0e}\n  {:?}", sample.op)),
        }
    }
    faults
}

fn array(tensor: &Tensor) -> Array {
    let data = match &tensor.values {
        Values::Floats(values) => values.iter().map(|x| f64::from(*x)).collect(),
        Values::Ids(values) => values.iter().map(|x| f64::from(*x)).collect(),
    };
    Array { dims: tensor.dims.clone(), data }
}

#[test]
fn the_reference_equals_eval() {
    assert_none(compare(&Reference, true));
}

#[test]
fn the_cpu_executor_is_close_to_eval() {
    for threads in 1..=2 {
        assert_none(compare(&chiasm::exec::cpu::Cpu::new(threads), false));
    }
}

#[test]
fn the_dfdx_executor_is_close_to_eval() {
    assert_none(compare(&Dfdx::cpu(1), false));
}

/// The gradients of a sample that dfdx's tape gives, by operand.
fn taped(sample: &Sample, cotangent: &Array) -> Result<Vec<Option<Array>>, ExecError> {
    let (mut graph, mut layout) = (Graph::default(), Layout::default());
    let origin = Origin::default();
    let mut leaf = |(i, (kind, array)): (usize, &(Kind, Array))| {
        let (name, shape) = (format!("x{i}"), shape(*kind, array));
        match kind {
            Kind::Float => {
                layout.add_parameter(&name, &array.dims);
                graph.add(Parameter { path: name, shape }, &[], &origin).expect("a parameter")
            }
            _ => graph.add(Input { name, shape }, &[], &origin).expect("an input"),
        }
    };
    let values: Vec<Value> = sample.operands.iter().enumerate().map(&mut leaf).collect();
    let y = graph.add(sample.op.clone(), &values, &origin).expect("an op that fits");
    let weights = Input { name: "dy".into(), shape: shape(Kind::Float, cotangent) };
    let weights = graph.add(weights, &[], &origin).expect("an input");
    let product = graph.add(Multiply, &[y, weights], &origin).expect("a product");
    let sizes = vec![cotangent.data.len().into()];
    let flat = graph.add(Reshape { sizes: sizes.into() }, &[product], &origin).expect("a row");
    let sum = graph.add(SumLeading { axes: 1 }, &[flat], &origin).expect("a sum");
    graph.name("objective", sum);
    let marked =
        mark(&graph, "objective", &|_| true).expect("a marked graph").verify().expect("a sound graph");

    let mut program = Dfdx::cpu(1).prepare(&marked, &layout)?;
    let mut memory = Memory::new(&layout);
    let mut given = vec![("dy".to_string(), tensor(Kind::Float, cotangent))];
    for (i, (kind, array)) in sample.operands.iter().enumerate() {
        match layout.parameters.get(&format!("x{i}")) {
            Some(slot) => memory.parameters[slot.range()]
                .copy_from_slice(tensor(*kind, array).as_floats().expect("numbers")),
            None => given.push((format!("x{i}"), tensor(*kind, array))),
        }
    }
    let given: Vec<(&str, &Tensor)> = given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    program.run(&mut memory, &given, &context())?;
    let gradient = |i: usize| {
        let slot = layout.parameters.get(&format!("x{i}"))?;
        let data = memory.gradients[slot.range()].iter().map(|x| f64::from(*x)).collect();
        Some(Array { dims: slot.dims.clone(), data })
    };
    Ok((0..sample.operands.len()).map(gradient).collect())
}

#[test]
fn the_tape_of_dfdx_agrees_with_the_written_gradients() {
    let (mut faults, mut refused) = (Vec::new(), std::collections::BTreeSet::new());
    for (name, sample) in samples() {
        let shape = result_shape(&sample);
        if shape.kind != Kind::Float || UNDIFFERENTIATED.contains(&name) {
            continue;
        }
        let cotangent = cotangent(name, &shape);
        let written = written(&sample, &cotangent).expect("written gradients");
        let taped = match taped(&sample, &cotangent) {
            Err(ExecError::Beyond { op, .. }) => {
                refused.insert(op);
                continue;
            }
            taped => taped.unwrap_or_else(|error| panic!("{name}: {error}")),
        };
        for (i, taped) in taped.into_iter().enumerate() {
            let Some(taped) = taped else { continue };
            let written = written[i].clone().unwrap_or_else(|| taped.map(|_| 0.0));
            let error = error(&taped, &written);
            if error > 1e-4 {
                faults.push(format!(
                    "{name}: operand {i} off by {error:.1e}\n  {:?}: {taped:?} for {written:?}",
                    sample.op
                ));
            }
        }
    }
    assert_none(faults);
    assert_eq!(
        refused.into_iter().collect::<Vec<_>>(),
        ["depthwise_grad", "depthwise_weight_grad", "fold"],
        "what dfdx says it cannot differentiate"
    );
}
