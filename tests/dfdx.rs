//! The dfdx executor trains what the `cpu` executor trains, and says beforehand what it cannot.

use chiasm::exec::dfdx::Dfdx;
use chiasm::exec::{Device, ExecError, Executor, Layout, Memory};
use chiasm::graph::{Graph, Verified};
use chiasm::op::Context;
use chiasm::recipe::Timeline;
use chiasm::tensor::Tensor;
use chiasm::train::run::{Event, train};
use chiasm::{Host, Options, TrainOptions, compile};
use std::path::{Path, PathBuf};

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The loss and the norm of the gradients of every step of a stage.
fn curve(file: &str, stage: &str, device: Device, steps: u64) -> Vec<[f64; 2]> {
    let model = compile(&path(file), &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dfdx-{}-{device:?}", model.name));
    let _ = std::fs::remove_dir_all(&out);
    let host = Host { device, threads: Some(2), ..Host::default() };
    let stage = Some(stage.to_string());
    let options =
        TrainOptions { out: Some(out), seed: Some(0), stage, steps: Some(steps), ..TrainOptions::default() };
    let mut curve = Vec::new();
    let listener = &mut |event: Event<'_>| {
        if let Event::Step(row) = event {
            curve.push([row.loss, row.norm]);
        }
    };
    train(&model, &options, &host, listener).unwrap_or_else(|error| panic!("{error}"));
    curve
}

/// Losses of every step within 1e-3, and the norms of gradients of the first.
fn alike(file: &str, steps: u64) {
    let [cpu, dfdx] = [Device::Cpu, Device::Dfdx].map(|device| curve(file, "pretrain", device, steps));
    assert_eq!((cpu.len(), dfdx.len()), (steps as usize, steps as usize));
    assert!(cpu[0][0] > cpu[cpu.len() - 1][0] + 1.0, "nothing is learnt: {cpu:?}");
    let first = (cpu[0][1] - dfdx[0][1]).abs() / cpu[0][1];
    assert!(first < 1e-4, "norms of the first gradients: {} and {}", cpu[0][1], dfdx[0][1]);
    for (step, (cpu, dfdx)) in cpu.iter().zip(&dfdx).enumerate() {
        assert!((cpu[0] - dfdx[0]).abs() < 1e-3, "step {}: {} on cpu, {} on dfdx", step + 1, cpu[0], dfdx[0]);
    }
}

#[test]
fn a_small_albef_has_one_loss_curve_on_cpu_and_dfdx() {
    alike("tests/dfdx/albef.chi", 50);
}

#[test]
#[ignore = "minutes: the shipped file with 64 rows"]
fn the_shipped_tiny_albef_has_one_loss_curve_on_cpu_and_dfdx() {
    alike("models/tiny/albef.chi", 50);
}

fn verified(text: &str) -> Verified {
    Graph::parse(text).expect("a graph").verify().expect("a sound graph")
}

fn context() -> Context {
    let time = Timeline { length: 1, epoch: 1 };
    Context { seed: 1, stage: "s".into(), step: 0, time, first_row: 0 }
}

const W: &str = r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":["2"]}} () : float[2]  # w
"#;

fn of_w() -> Layout {
    let mut layout = Layout::default();
    layout.add_parameter("w", &[2]);
    layout
}

fn gradient(text: &str) -> Vec<f32> {
    let layout = of_w();
    let mut program =
        Dfdx::cpu(1).prepare(&verified(&format!("{W}{text}output tape/w = %0\n")), &layout).expect("runs");
    let mut memory = Memory::new(&layout);
    memory.parameters[..2].copy_from_slice(&[2.0, 3.0]);
    program.run(&mut memory, &[], &context()).expect("runs");
    memory.gradients[..2].to_vec()
}

#[test]
fn the_tape_ends_at_stop_and_joins_a_value_with_itself() {
    let sum = "%3 = sum {\"axis\":0} (%2) : float[]\noutput objective = %3\n";
    let square = "%1 = multiply (%0, %0) : float[2]\n%2 = add (%1, %1) : float[2]\n";
    assert_eq!(gradient(&format!("{square}{sum}")), [8.0, 12.0]);
    let stopped = "%1 = stop (%0) : float[2]\n%2 = multiply (%0, %1) : float[2]\n";
    assert_eq!(gradient(&format!("{stopped}{sum}")), [2.0, 3.0]);
}

#[test]
fn slices_of_one_value_add_their_gradients() {
    let text = r#"%1 = slice {"axis":0,"start":"0","end":"1"} (%0) : float[1]
%2 = concat {"axis":0} (%1, %0, %1) : float[4]
%3 = sum {"axis":0} (%2) : float[]
output objective = %3
"#;
    assert_eq!(gradient(text), [3.0, 1.0]);
}

#[test]
fn what_the_objective_does_not_reach_has_no_gradient() {
    let text = "%1 = fill {\"shape\":{\"kind\":\"float\",\"sizes\":[]},\"value\":2.0} () : float[]\noutput objective = %1\n";
    assert_eq!(gradient(text), [0.0, 0.0]);
}

#[test]
fn too_many_axes_are_refused_before_anything_runs() {
    let text = format!(
        "{W}%1 = reshape {{\"sizes\":[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"2\"]}} (%0) : float[1, 1, 1, 1, 1, 1, 2]  # deep\noutput y = %1\n"
    );
    let error = Dfdx::cpu(1).prepare(&verified(&text), &of_w()).err().expect("is refused");
    assert!(matches!(error, ExecError::Beyond { op: "reshape", .. }), "{error}");
    assert!(error.to_string().contains("up to 6 axes") && error.to_string().contains("deep"), "{error}");
}

#[test]
fn nothing_at_all_is_refused_before_anything_runs() {
    let text = format!(
        "{W}%1 = slice {{\"axis\":0,\"start\":\"1\",\"end\":\"1\"}} (%0) : float[0]\noutput y = %1\n"
    );
    let error = Dfdx::cpu(1).prepare(&verified(&text), &of_w()).err().expect("is refused");
    assert!(error.to_string().contains("without elements"), "{error}");
}

#[test]
fn an_id_outside_of_its_table_is_an_error() {
    let text = r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":["2"]}} () : float[2]
%1 = input {"name":"id","shape":{"kind":"ids","sizes":["1"]}} () : ids[1]
%2 = take (%0, %1) : float[1]
output y = %2
"#;
    let mut program = Dfdx::cpu(1).prepare(&verified(text), &of_w()).expect("runs");
    let inputs = [("id", &Tensor::ids([1], vec![2]))];
    let error = program.run(&mut Memory::new(&of_w()), &inputs, &context()).expect_err("is refused");
    assert!(matches!(error, ExecError::Index { id: 2, rows: 2, .. }), "{error}");
}

#[cfg(not(feature = "dfdx-cuda"))]
#[test]
fn a_binary_without_cuda_says_so() {
    let error = chiasm::exec::dfdx::on_gpu(0, 1).err().expect("is refused").to_string();
    assert!(error.contains("without the feature `dfdx-cuda`") && error.contains("--device"), "{error}");
}
