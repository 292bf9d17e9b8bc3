//! What the library makes of primitives: the quantiser of BEiT v2, k-means, contrast over several processes.
//!
//! Each is a model in which what is given are parameters, so that their gradients can be compared too.

use super::{Array, BACKWARD, Cpu, Executor, FORWARD, File, Reference, Timeline, close, floats};
use chiasm::lower::model::Stage;
use chiasm::tensor::Values;
use chiasm::train::stage::Trainer;
use chiasm::{Options, compile};

const EXECUTORS: [fn() -> Box<dyn Executor>; 2] = [|| Box::new(Reference), || Box::new(Cpu::new(2))];

fn stage(file: &str, stage: &str, sets: &[(&str, &str)], values: &[&str]) -> Stage {
    let sets = sets.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let options = Options { sets, values: values.iter().map(|v| v.to_string()).collect(), given: true };
    let model = compile(format!("tests/functions/{file}.chi").as_ref(), &options);
    let model = model.unwrap_or_else(|error| panic!("{error}"));
    model.stages.into_iter().find(|s| s.name == stage).expect("the stage")
}

struct Run(Trainer);

impl Run {
    fn new(stage: &Stage, executor: Box<dyn Executor>) -> Self {
        Self(Trainer::new(stage, executor, 0, Timeline { length: 10, epoch: 10 }).expect("a trainer"))
    }

    fn give(&mut self, path: &str, array: &Array) {
        let range = self.0.memory.layout.parameters[path].range();
        self.0.memory.parameters[range].copy_from_slice(&floats(array));
    }

    fn begin(&mut self, state: &str, array: &Array) {
        let range = self.0.memory.layout.states[state].range();
        self.0.memory.states[range].copy_from_slice(&floats(array));
    }

    fn step(&mut self) -> f64 {
        self.0.step(&[]).expect("a step").loss
    }

    fn gradient(&self, path: &str) -> Array {
        let slot = &self.0.memory.layout.parameters[path];
        array(&slot.dims, &self.0.memory.gradients[slot.range()])
    }

    fn state(&self, name: &str) -> Array {
        let slot = &self.0.memory.layout.states[name];
        array(&slot.dims, &self.0.memory.states[slot.range()])
    }

    fn value(&self, name: &str) -> Array {
        let tensor = self.0.output(&format!("value/{name}")).expect("the value");
        let data = match &tensor.values {
            Values::Floats(values) => values.iter().map(|x| f64::from(*x)).collect(),
            Values::Ids(ids) => ids.iter().map(|x| f64::from(*x)).collect(),
        };
        Array { dims: tensor.dims, data }
    }
}

fn array(dims: &[usize], values: &[f32]) -> Array {
    Array { dims: dims.to_vec(), data: values.iter().map(|x| f64::from(*x)).collect() }
}

fn flat(array: &Array) -> Array {
    Array { dims: vec![array.data.len()], data: array.data.clone() }
}

#[test]
fn quantiser() {
    let file = File::open("quantiser");
    let stage = stage("quantiser", "step", &[], &["words", "code", "near"]);
    for executor in EXECUTORS {
        let mut run = Run::new(&stage, executor());
        run.give("z", &file.get("in.z"));
        run.give("pull", &file.get("in.dzq"));
        run.begin("book", &file.get("in.weight"));
        run.begin("usage", &file.get("in.cluster_size"));
        run.step();
        assert_eq!(flat(&run.value("code")).data, file.get("out.codes").data);
        close(&run.value("words"), &file.get("out.z_q"), FORWARD);
        close(&run.value("near"), &file.get("out.loss"), FORWARD);
        close(&run.gradient("z"), &file.get("out.dz"), BACKWARD);
        close(&run.state("book"), &file.get("out.weight_after"), FORWARD);
        close(&run.state("usage"), &file.get("out.cluster_size_after"), FORWARD);
        // Out of training the original chooses the same words; its usage moves on, ours is a state and stays.
        assert_eq!(file.get("out.eval.codes").data, file.get("out.codes").data);
        close(&run.value("words"), &file.get("out.eval.z_q"), FORWARD);
    }
}

/// The centres after some rounds over rows in this order.
fn centres(samples: &Array, rounds: usize, executor: Box<dyn Executor>) -> Array {
    let mut run = Run::new(&stage("kmeans", "step", &[("rounds", &rounds.to_string())], &[]), executor);
    run.give("samples", samples);
    run.step();
    run.state("book")
}

fn nearest(row: &[f64], rows: &Array) -> usize {
    let width = rows.dims[1];
    let likeness = |other: &[f64]| other.iter().zip(row).map(|(a, b)| a * b).sum::<f64>();
    let best = rows.data.chunks(width).map(likeness).enumerate();
    best.max_by(|a, b| a.1.total_cmp(&b.1)).expect("a row").0
}

/// Ours draws its first centres itself, so the rows are put in an order in which it draws the recorded ones.
#[test]
fn kmeans() {
    let file = File::open("kmeans");
    let (samples, start) = (file.get("in.samples"), file.get("in.start"));
    let row = |at: usize| samples.data[at * 4..at * 4 + 4].to_vec();
    for executor in EXECUTORS {
        let drawn: Vec<usize> =
            centres(&samples, 0, executor()).data.chunks(4).map(|c| nearest(c, &samples)).collect();
        let mut order: Vec<usize> = (0..40).collect();
        for (place, wanted) in drawn.iter().zip(&start.data) {
            let now = order.iter().position(|row| *row == *wanted as usize).expect("a row");
            order.swap(*place, now);
        }
        let sorted = Array { dims: samples.dims.clone(), data: order.into_iter().flat_map(row).collect() };
        let means = centres(&sorted, 10, executor());
        close(&means, &file.get("out.means"), FORWARD);
        let before = centres(&sorted, 9, executor());
        let mut bins = vec![0.0; 6];
        sorted.data.chunks(4).for_each(|row| bins[nearest(row, &before)] += 1.0);
        assert_eq!(bins, file.get("out.bins").data);
    }
}

/// Rows of one process.
fn part(array: &Array, process: usize) -> Array {
    let half = array.data.len() / 2;
    Array { dims: vec![3, 6], data: array.data[process * half..(process + 1) * half].to_vec() }
}

/// A loss is over the whole batch, on however many devices. What a process computes before averaging is then its rows of
/// our gradient; twice that, where its gather passes on the gradients of both processes.
#[test]
fn gather() {
    let file = File::open("gather");
    let whole = |name: &str| Array { dims: vec![6, 6], ..file.get(name) };
    let variants = [
        ("open_clip_default", "single", 1.0),
        ("open_clip_full_grad", "single", 2.0),
        ("open_clip_local_full_grad", "single", 2.0),
        ("beit3", "single", 2.0),
        ("vlmo", "double", 1.0),
    ];
    for (variant, name, times) in variants {
        let stage = stage("gather", name, &[], &[]);
        for executor in EXECUTORS {
            let mut run = Run::new(&stage, executor());
            run.give("pictures", &whole("in.image"));
            run.give("captions", &whole("in.text"));
            run.give("scale", &file.get("in.logit_scale"));
            if name == "double" {
                run.give("pictures_joint", &whole("in.image_vl"));
                run.give("captions_joint", &whole("in.text_vl"));
                run.give("scale_joint", &file.get("in.logit_vl_scale"));
            }
            let loss = run.step();
            let recorded =
                |process: usize, what: &str| file.get(&format!("out.rank{process}.{variant}.{what}"));
            let mean = |what: &str| (recorded(0, what).data[0] + recorded(1, what).data[0]) / 2.0;
            let number = |data: f64| Array { dims: vec![], data: vec![data] };
            close(&number(loss), &number(mean("loss")), FORWARD);
            close(&run.gradient("scale"), &number(mean("d_logit_scale")), BACKWARD);
            for (path, what) in [("pictures", "d_image"), ("captions", "d_text")] {
                let ours = run.gradient(path).map(|x| x * times);
                for process in 0..2 {
                    close(&part(&ours, process), &recorded(process, what), BACKWARD);
                }
            }
        }
    }
}
