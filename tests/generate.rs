//! Tasks that write, on a small model with initial values: what they write depends on neither batches nor threads.

#[path = "generate/first.rs"]
mod first;
#[path = "generate/stretched.rs"]
mod stretched;

use chiasm::exec::Executor;
use chiasm::lower::model::{Model, Task};
use chiasm::task::TaskError;
use chiasm::task::generate::run;
use chiasm::task::report::{Caption, Scores};
use chiasm::train::run::Supply;
use chiasm::{Host, Options, compile};
use first::First;
use stretched::stretched;

const COUNT: usize = 6;

fn model() -> Model {
    compile("tests/generate.chi".as_ref(), &Options::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn task(name: &str, batch: usize) -> Task {
    let found = model().tasks.into_iter().find(|task| task.name == name);
    Task { batch, ..found.expect("the task") }
}

fn try_written(task: &Task, threads: usize) -> Result<(Scores, Vec<Caption>), TaskError> {
    let host = Host { threads: Some(threads), ..Host::default() };
    let executor: Box<dyn Executor> = host.executor().expect("an executor");
    let mut subjects = First(host.subjects(task, "runs".as_ref())?, COUNT);
    assert_eq!(subjects.0.count(), 500, "pictures, not captions");
    let texts = run(task, executor.as_ref(), &mut stretched(task, 7), &mut subjects)?;
    assert_eq!(texts.way, "cached");
    Ok((texts.scores, texts.captions))
}

fn written(task: &Task, threads: usize) -> (Scores, Vec<Caption>) {
    try_written(task, threads).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn batches_and_threads_change_nothing() {
    for name in ["describe", "beam", "drawn"] {
        let (scores, captions) = written(&task(name, 4), 2);
        let texts = |captions: &[Caption]| captions.iter().map(|c| c.text.clone()).collect::<Vec<_>>();
        for (batch, threads) in [(1, 1), (5, 2)] {
            let (again, others) = written(&task(name, batch), threads);
            assert_eq!(texts(&captions), texts(&others), "{name}, batch {batch}");
            assert_eq!(scores.scores.keys().collect::<Vec<_>>(), again.scores.keys().collect::<Vec<_>>());
        }
        let different = texts(&captions).into_iter().collect::<std::collections::BTreeSet<_>>();
        assert!(different.len() > 1, "{name} writes the same about all pictures: {different:?}");
    }
}

#[test]
fn a_seed_draws_other_texts_and_the_same_seed_the_same() {
    let drawn = |seed| written(&Task { seed, ..task("drawn", 4) }, 2).1;
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn five_captions_of_a_picture_are_its_references_and_metrics_are_those_asked_for() {
    let (scores, captions) = written(&task("beam", 4), 2);
    assert_eq!((scores.rows, captions.len()), (COUNT, COUNT));
    assert_eq!(scores.scores.keys().collect::<Vec<_>>(), ["bleu(2)", "cider"]);
    assert!(captions.iter().all(|caption| caption.references.len() == 5 && !caption.text.is_empty()));
    assert!(
        captions.iter().all(|caption| !caption.text.contains("picture of")),
        "the prompt is no part of the text"
    );
    let keys = |name: &str| written(&task(name, 4), 2).0.scores.into_keys().collect::<Vec<_>>();
    assert_eq!(keys("describe"), ["bleu(4)", "cider", "exact", "rouge_l"]);
    assert_eq!(keys("asked"), ["vqa_score"]);
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_read() {
    let chance = try_written(&task("chance", 4), 1).expect_err("draws").to_string();
    assert!(chance.contains("draw at random") && chance.contains("`chance`"), "{chance}");
    let mut long = task("describe", 4);
    if let chiasm::lower::model::Answer::Generate { prompt, .. } = &mut long.answer {
        *prompt = Some("a very long picture of something that is not there".into());
    }
    let error = try_written(&long, 1).expect_err("has no place").to_string();
    assert!(error.contains("no word has a place within 10"), "{error}");
}
