use super::*;
use crate::lower::model::{Beginning, State};
use crate::recipe::Init;
use crate::shape::{Kind, Shape};
use crate::tensor::Tensor;
use crate::train::feed::Repeat;
use crate::train::testing::{Pull, folder, parameter, stage};
use std::sync::atomic::Ordering;

struct Given;

impl Supply for Given {
    fn feed(&self, _: &Stage, _: u64, _: &Path) -> Result<Box<dyn Feed>, TrainError> {
        let batch = |x: f32| vec![("x".to_string(), Tensor::floats([1], vec![x]))];
        Ok(Box::new(Repeat { batches: vec![batch(0.5), batch(1.0), batch(-2.0)], given: 0 }))
    }
    fn gallery(&self, task: &Task, _: &Path) -> Result<Box<dyn Gallery>, TaskError> {
        Err(TaskError::NoData(task.name.clone()))
    }
    fn table(&self, task: &Task, _: &Path) -> Result<Box<dyn Table>, TaskError> {
        Err(TaskError::NoData(task.name.clone()))
    }
    fn subjects(&self, task: &Task, _: &Path) -> Result<Box<dyn Subjects>, TaskError> {
        Err(TaskError::NoData(task.name.clone()))
    }
    fn rows(&self, condition: &Condition, _: &Data, _: &Path) -> Result<Box<dyn Table>, TaskError> {
        Err(TaskError::NoData(condition.condition.clone()))
    }
    fn executor(&self) -> Result<Box<dyn Executor>, TrainError> {
        Ok(Box::new(Pull))
    }
}

/// A stage, and one that starts from it with one parameter more and one less.
fn model() -> Model {
    let first = stage();
    let mut second = stage();
    second.name = "finetune".into();
    second.start = vec![Start::Stage("pretrain".into())];
    second.parameters = vec![parameter("a.w", &[3, 2]), parameter("c", &[2])];
    Model { name: "tiny".into(), stages: vec![second, first], ..Model::default() }
}

fn options(out: &Path) -> TrainOptions {
    TrainOptions { out: Some(out.to_path_buf()), ..TrainOptions::default() }
}

#[test]
fn stages_run_after_those_they_start_from() {
    let out = folder("stages");
    let mut begun = Vec::new();
    let outcome = train(&model(), &options(&out), &Given, &mut |event| {
        if let Event::Begins(summary) = event {
            begun.push((summary.stage.clone(), summary.account.clone()));
        }
    });
    assert!(outcome.expect("trains").finished);
    assert_eq!((begun[0].0.as_str(), begun[1].0.as_str()), ("pretrain", "finetune"));
    let account = &begun[1].1;
    assert!(account.loaded.contains("a.w") && account.loaded.contains("slow/a.w"));
    assert!(account.fresh.contains("c") && account.carried.contains("b"));
    let last = checkpoint::latest(&out.join("finetune/checkpoints")).expect("reads").expect("is there");
    assert_eq!(last.model().expect("opens").dims("b"), Some([].as_slice()));

    let error = train(&model(), &options(&out), &Given, &mut |_| {}).expect_err("is used").to_string();
    assert!(error.contains("--resume"), "{error}");
    let mut found = 0;
    let again = TrainOptions { resume: true, ..options(&out) };
    train(&model(), &again, &Given, &mut |event| found += u32::from(matches!(event, Event::Found(..))))
        .expect("finds everything");
    assert_eq!(found, 2);
}

/// A task reads what its stage trains, what it brought along, and nothing else.
#[test]
fn a_task_reads_what_the_stage_holds() {
    let mut trainer = crate::train::testing::trainer(&stage(), 10);
    trainer.carried.insert("head.w".into(), Tensor::floats([2], vec![4.0, 5.0]));
    let task = |path: &str, dims: &[usize]| Task {
        name: "find".into(),
        stage: "pretrain".into(),
        parameters: vec![parameter("a.w", &[3, 2]), parameter(path, dims)],
        span: chiasm_dsl::span::Span::default(),
        graph: crate::graph::Graph::default(),
        inputs: Vec::new(),
        twins: Vec::new(),
        states: Vec::new(),
        answer: crate::lower::model::Answer::Retrieval { image: true, text: true, rerank: None },
        data: None,
        report: Vec::new(),
        symbol: "B".into(),
        batch: 1,
        seed: 0,
    };
    let memory = plan::memory_of(&task("head.w", &[2]), &trainer).expect("is held");
    assert_eq!(memory.parameters[memory.layout.parameters["head.w"].range()], [4.0, 5.0]);
    let held = &trainer.memory.layout.parameters["a.w"];
    let read = &memory.layout.parameters["a.w"];
    assert_eq!(memory.parameters[read.range()], trainer.memory.parameters[held.range()]);
    let state = State {
        name: "seen".into(),
        shape: Shape::float([2_i64]).with_kind(Kind::Ids),
        start: Beginning::Drawn(Init::Fill(0.0)),
        advanced: true,
    };
    let remembers = Task { states: vec![state], ..task("head.w", &[2]) };
    let error = plan::memory_of(&remembers, &trainer).expect_err("is not held").to_string();
    assert!(error.contains("reads `state/seen`"), "{error}");
    trainer.carried.insert("state/seen".into(), Tensor::ids([2], vec![7, -1]));
    let memory = plan::memory_of(&remembers, &trainer).expect("is held");
    let words = &memory.states[memory.layout.states["seen"].range()];
    assert_eq!(words.iter().map(|word| word.to_bits() as i32).collect::<Vec<_>>(), [7, -1]);
    for (path, dims) in [("head.w", [3]), ("other.w", [2])] {
        let error = plan::memory_of(&task(path, &dims), &trainer).expect_err("is not held");
        assert!(error.to_string().contains(&format!("reads `{path}`")), "{error}");
    }
}

#[test]
fn stops_when_asked_and_goes_on() {
    let out = folder("stops");
    let options = TrainOptions { stage: Some("pretrain".into()), ..options(&out) };
    let stop = options.stop.clone();
    let outcome = train(&model(), &options, &Given, &mut |event| {
        if let Event::Step(row) = event {
            stop.store(row.step == 4, Ordering::Relaxed);
        }
    });
    assert!(!outcome.expect("stops").finished);
    let mut steps = Vec::new();
    let again = TrainOptions { resume: true, stop: Arc::default(), ..options };
    train(&model(), &again, &Given, &mut |event| {
        if let Event::Step(row) = event {
            steps.push(row.step);
        }
    })
    .expect("goes on");
    assert_eq!(steps, [5, 6, 7, 8, 9, 10]);
    let error =
        train(&model(), &TrainOptions { seed: Some(9), ..again }, &Given, &mut |_| {}).expect_err("differs");
    assert!(error.to_string().contains("another seed"), "{error}");
}
