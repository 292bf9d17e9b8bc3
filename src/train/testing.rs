//! For tests: a stage without graph, and an executor that pulls parameters towards the mean of an input.

use super::stage::Trainer;
use crate::exec::reference::Reference;
use crate::exec::{ExecError, Executor, Follow, Layout, Memory, Program, Update};
use crate::graph::{Graph, Origin, Verified};
use crate::lower::model::{Feed, Parameter, Stage, Twin};
use crate::op::{Context, Fill};
use crate::plan::Cost;
use crate::recipe::{Data, Duration, Init, Method, Optimiser, Precision, Schedule, Timeline};
use crate::shape::Shape;
use crate::tensor::Tensor;
use chiasm_dsl::span::Span;
use std::path::PathBuf;

pub fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("chiasm-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

pub fn parameter(path: &str, dims: &[usize]) -> Parameter {
    Parameter {
        path: path.into(),
        dims: dims.to_vec(),
        init: Init::Normal(1.0),
        clamp: None,
        resize: None,
        trained: true,
        factor: 1.0,
        owners: [].into(),
    }
}

pub fn stage() -> Stage {
    let rate = Schedule::Linear { value: 0.1, to: 0.0, warmup: Duration::Steps(2), from: 0.0 };
    let slow =
        Twin { key: "slow/a.w".into(), of: "a.w".into(), dims: vec![3, 2], rate: Schedule::Constant(0.9) };
    Stage {
        name: "pretrain".into(),
        span: Span::default(),
        graph: graph(),
        sets: Default::default(),
        inputs: Vec::new(),
        parameters: vec![parameter("a.w", &[3, 2]), parameter("b", &[])],
        twins: vec![slow],
        states: Vec::new(),
        feeds: vec![Feed { data: Data::pairs(["scenes"]), symbol: "B".into(), batch: 4 }],
        accumulate: 1,
        start: Vec::new(),
        rates: Vec::new(),
        optimiser: Optimiser {
            method: Method::AdamW { betas: [0.9, 0.98], eps: 1e-8 },
            rate,
            decay: 0.01,
            no_decay: Vec::new(),
        },
        clip: None,
        precision: Precision::F32,
        length: Duration::Steps(10),
        seed: None,
        idle: Vec::new(),
        outline: Default::default(),
        evaluate: Vec::new(),
    }
}

pub fn trainer(stage: &Stage, length: u64) -> Trainer {
    Trainer::new(stage, Box::new(Pull), 3, Timeline { length, epoch: 3 }).expect("a trainer")
}

/// Something to differentiate; the executor here looks at none of it.
fn graph() -> Graph {
    let mut graph = Graph::default();
    let fill = Fill { shape: Shape::scalar(), value: 1.0 };
    let value = graph.add(fill, &[], &Origin::default()).expect("a number");
    graph.name("objective", value);
    graph
}

pub struct Pull;

struct Pulled(f32);

impl Executor for Pull {
    fn name(&self) -> &'static str {
        "pull"
    }

    fn prepare(&self, _: &Verified, _: &Layout) -> Result<Box<dyn Program>, ExecError> {
        Ok(Box::new(Pulled(0.0)))
    }

    fn cost(&self, _: &Verified, _: &Layout) -> Result<Cost, ExecError> {
        Ok(Cost::default())
    }

    fn follow(&self, memory: &mut Memory, rates: &[Follow]) {
        for (key, slot) in memory.layout.twins.clone() {
            let rate = rates.iter().find(|r| key.starts_with(&r.prefix)).map_or(1.0, |r| r.rate as f32);
            let original = memory.layout.parameters[&key["slow/".len()..]].range();
            for (twin, original) in memory.twins[slot.range()].iter_mut().zip(&memory.parameters[original]) {
                *twin = rate * *twin + (1.0 - rate) * original;
            }
        }
    }

    fn update(&self, memory: &mut Memory, update: &Update) -> f64 {
        Reference.update(memory, update)
    }
}

impl Program for Pulled {
    fn run(&mut self, memory: &mut Memory, inputs: &[(&str, &Tensor)], _: &Context) -> Result<(), ExecError> {
        let values = inputs[0].1.as_floats().expect("numbers");
        let target = values.iter().sum::<f32>() / values.len() as f32;
        let slow: f32 = memory.twins.iter().sum();
        self.0 = 0.0;
        for slot in memory.layout.parameters.values() {
            for i in slot.range() {
                memory.gradients[i] = memory.parameters[i] - target + 0.01 * slow;
                self.0 += memory.gradients[i].powi(2);
            }
        }
        Ok(())
    }

    fn output(&self, _: &str) -> Option<Tensor> {
        Some(Tensor::floats([], vec![self.0]))
    }

    fn peak_bytes(&self) -> usize {
        0
    }
}
