//! Tasks that choose among given texts, against scoring every text by itself from the logits at all of its places.

#[path = "generate/stretched.rs"]
mod stretched;

use chiasm::exec::Executor;
use chiasm::lower::model::{Answer, Model, Task};
use chiasm::pass::prepare;
use chiasm::shape::Batch;
use chiasm::task::TaskError;
use chiasm::task::rank::run;
use chiasm::task::report::{Caption, Scores};
use chiasm::train::run::Supply;
use chiasm::{Host, Options, Tensor, compile};
use std::path::{Path, PathBuf};
use stretched::stretched;

const QUESTIONS: [(&str, &str); 6] = [
    ("what color is it", "red"),
    ("is it a circle", "yes"),
    ("is it a circle", "no"),
    ("what is to the left of it", "a red circle"),
    ("what shape is it", "circle"),
    ("what is behind it", "a red box"),
];

/// With these initial values the questions have different answers.
const SEED: u64 = 1;

/// Several begin alike, and are of several lengths.
const ANSWERS: [&str; 9] =
    ["red", "yes", "a red circle", "circle", "no", "a red box", "a blue box with a hole", "a box", "blue"];

fn model() -> Model {
    compile("tests/rank.chi".as_ref(), &Options::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// A folder of questions about pictures of one colour each.
fn toys(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    let folder = root.join("toys/val/images");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut triples = Vec::new();
    for (number, (question, answer)) in QUESTIONS.into_iter().enumerate() {
        let tone = 40 * number as u8;
        let pixels = image::RgbImage::from_pixel(16, 16, image::Rgb([tone, 255 - tone, 90]));
        pixels.save(folder.join(format!("{number}.png"))).expect("a picture");
        triples.push((question, answer, number));
    }
    let json = |value: &str| std::fs::write(root.join("toys/val/questions.json"), value).expect("writes");
    json(&serde_json::to_string(&triples).expect("json"));
    let lines: Vec<String> = ANSWERS.iter().map(|answer| format!("{answer}\t7")).collect();
    std::fs::write(root.join("toys/answers.txt"), lines.join("\n")).expect("writes");
    root
}

fn host(root: &Path, threads: usize) -> Host {
    Host { data: vec![root.to_path_buf()], threads: Some(threads), ..Host::default() }
}

fn task(name: &str, batch: usize) -> Task {
    let found = model().tasks.into_iter().find(|task| task.name == name);
    Task { batch, ..found.expect("the task") }
}

fn try_ranked(task: &Task, host: &Host) -> Result<(Scores, Vec<Caption>), TaskError> {
    let executor: Box<dyn Executor> = host.executor().expect("an executor");
    let mut subjects = host.subjects(task, "runs".as_ref())?;
    run(task, executor.as_ref(), &mut stretched(task, SEED), subjects.as_mut())
}

fn ranked(task: &Task, host: &Host) -> (Scores, Vec<Caption>) {
    try_ranked(task, host).unwrap_or_else(|error| panic!("{error}"))
}

fn log_p(logits: &[f32], id: i32) -> f64 {
    let sum: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
    f64::from(logits[id as usize]) - sum.ln()
}

/// For every question and text the log-probability of its first token, and that of the whole text.
fn scored(task: &Task, host: &Host) -> Vec<Vec<(f64, f64)>> {
    let mut subjects = host.subjects(task, "runs".as_ref()).expect("opens");
    let Answer::Rank { token, .. } = &task.answer else { panic!("no rank") };
    let input = task.inputs.iter().find(|input| input.name == *token).expect("the input");
    let places = input.shape.sizes[1].len();
    let graph = task.graph.bind(&Batch::of(&task.symbol, 1)).expect("one row");
    let graph = prepare::evaluation("logits", &graph).expect("a graph");
    let mut memory = stretched(task, SEED);
    let layout = memory.layout.clone();
    let mut program = host.executor().expect("an executor").prepare(&graph, &layout).expect("a program");
    let context = chiasm::bench::context(0);
    let mut all = Vec::new();
    for subject in 0..subjects.count() {
        let mut scores = Vec::new();
        for text in ANSWERS {
            let tokens = subjects.vocabulary().tokens(text, places);
            let ids = (0..places).map(|place| tokens.get(place).copied().unwrap_or(0)).collect();
            let mut given = subjects.read(subject..subject + 1).expect("a subject");
            given.push((token.clone(), Tensor::ids([1, places], ids)));
            given.extend(
                input.lengths.iter().map(|name| (name.clone(), Tensor::ids([1], vec![tokens.len() as i32]))),
            );
            let given: Vec<(&str, &Tensor)> = given.iter().map(|(name, t)| (name.as_str(), t)).collect();
            program.run(&mut memory, &given, &context).expect("a run");
            let logits = program.output("logits").expect("logits");
            let rows: Vec<&[f32]> = logits.as_floats().expect("numbers").chunks(logits.dims[2]).collect();
            let each = |place: usize| log_p(rows[place], tokens[place + 1]);
            scores.push((each(0), (0..tokens.len() - 1).map(each).sum()));
        }
        all.push(scores);
    }
    all
}

/// The best by both together, among the `top` by their first token.
fn best(scores: &[(f64, f64)], top: usize) -> (&'static str, f64) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].0.total_cmp(&scores[*a].0));
    let total = |place: &usize| scores[*place].0 + scores[*place].1;
    let best = order[..top].iter().max_by(|a, b| total(a).total_cmp(&total(b))).expect("a text");
    (ANSWERS[*best], total(best))
}

#[test]
fn the_answer_is_that_of_scoring_every_text_by_itself() {
    let root = toys("rank");
    let host = host(&root, 2);
    let scores = scored(&task("ask", 4), &host);
    let mut different = std::collections::BTreeSet::new();
    for (name, top) in [("ask", ANSWERS.len()), ("some", 3)] {
        for batch in [1, 4, 6] {
            let (_, answers) = ranked(&task(name, batch), &host);
            assert_eq!(answers.len(), QUESTIONS.len());
            for (answer, scores) in answers.iter().zip(&scores) {
                let (text, total) = best(scores, top);
                assert_eq!(answer.text, text, "{name}, batch {batch}: {scores:?}");
                assert!((answer.score - total).abs() < 1e-3 * total.abs(), "{} for {total}", answer.score);
                different.insert(total.to_bits());
            }
        }
    }
    assert!(different.len() > QUESTIONS.len() / 2, "questions and pictures make no difference");
}

#[test]
fn metrics_are_those_of_answers() {
    let root = toys("rank-metrics");
    let host = host(&root, 1);
    let (scores, answers) = ranked(&task("ask", 4), &host);
    assert_eq!(scores.scores.keys().collect::<Vec<_>>(), ["accuracy", "exact", "vqa_score"]);
    let right = answers.iter().filter(|answer| answer.references.contains(&answer.text)).count();
    let percent = 100.0 * right as f64 / QUESTIONS.len() as f64;
    assert!(scores.scores.values().all(|score| (score - percent).abs() < 1e-9), "{scores:?}, not {percent}");
    assert_eq!(ranked(&task("some", 4), &host).0.scores.keys().collect::<Vec<_>>(), ["accuracy"]);
}

#[test]
fn what_cannot_be_ranked_is_refused() {
    let root = toys("rank-errors");
    let refused =
        |name: &str| try_ranked(&task(name, 4), &host(&root, 1)).expect_err("is refused").to_string();
    let absent = refused("absent");
    assert!(absent.contains("no list `toys/replies`") && absent.contains("replies.json"), "{absent}");
    let chance = refused("chance");
    assert!(chance.contains("draw at random"), "{chance}");
    std::fs::write(root.join("toys/answers.txt"), "\n\n").expect("writes");
    let empty = refused("ask");
    assert!(empty.contains("list of candidates is empty"), "{empty}");
    let long = "one two three four five six seven eight nine ten eleven";
    std::fs::write(root.join("toys/answers.json"), format!("[\"yes\", \"{long}\"]")).expect("writes");
    let long = refused("ask");
    assert!(long.contains("has 13 tokens, which do not fit into 12"), "{long}");
}
