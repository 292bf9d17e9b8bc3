//! Stages whose data other stages derive: made once, found again, made anew when what made it has changed.

use chiasm::data::derived::{Derived, Head};
use chiasm::data::scenes::Scene;
use chiasm::exec::cpu::level::Level;
use chiasm::recipe::Rows;
use chiasm::train::measure::evaluate;
use chiasm::train::run::{Event, train};
use chiasm::train::spec;
use chiasm::{Host, Model, Options, TrainOptions, compile};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

fn model(sets: &[(&str, &str)]) -> Model {
    let sets = sets.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/train/capfilt.chi");
    compile(&file, &Options { sets, ..Options::default() }).unwrap_or_else(|error| panic!("{error}"))
}

fn host() -> Host {
    Host { threads: Some(1), level: Some(Level::Plain), ..Host::default() }
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// What a run tells of derived data: `made`, `found`, `warned`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    made: Vec<String>,
    found: Vec<String>,
    warned: Vec<String>,
}

/// When a run is asked to stop.
#[derive(Clone, Copy)]
enum Stop {
    Never,
    /// While a stage is at this step.
    At(&'static str, u64),
    /// As soon as rows are derived.
    Deriving,
}

fn run(model: &Model, out: &Path, resume: bool, stop: Stop) -> (bool, Told) {
    let options = TrainOptions {
        out: Some(out.to_path_buf()),
        stage: Some("bootstrap".into()),
        resume,
        save_every: 100,
        ..TrainOptions::default()
    };
    let (flag, mut told, mut stage) = (options.stop.clone(), Told::default(), String::new());
    let listener = &mut |event: Event<'_>| match event {
        Event::Begins(summary) => stage = summary.stage.clone(),
        Event::Step(row) => {
            flag.store(
                matches!(stop, Stop::At(name, step) if name == stage && step == row.step),
                Ordering::Relaxed,
            );
        }
        Event::Deriving(_) => flag.store(matches!(stop, Stop::Deriving), Ordering::Relaxed),
        Event::Derived(ready) if ready.found => told.found.push(ready.derived.clone()),
        Event::Derived(ready) => told.made.push(ready.derived.clone()),
        Event::Warning(text) => told.warned.push(text.to_string()),
        _ => {}
    };
    let outcome = train(model, &options, &host(), listener).unwrap_or_else(|error| panic!("{error}"));
    (outcome.finished, told)
}

/// The files of derived rows: what was written, what was kept.
fn files(model: &Model, out: &Path) -> [PathBuf; 2] {
    let stage = model.stages.iter().find(|stage| stage.name == "bootstrap").expect("the stage");
    let derived = stage.feeds[0].data.rows.derived();
    assert!(matches!(derived[..], [Rows::Recaptioned { .. }, Rows::Kept { .. }]));
    [derived[0], derived[1]].map(|rows| rows.derived_in(out).expect("a place"))
}

fn bytes(out: &Path) -> Vec<Vec<u8>> {
    let step = out.join("bootstrap/checkpoints/step-4");
    let files = ["model.safetensors", "optimiser.safetensors", "state.json"];
    files.map(|file| std::fs::read(step.join(file)).expect("a file")).into()
}

#[test]
fn rows_are_derived_once_and_going_on_gives_the_same_bytes() {
    let (model, whole, cut) = (model(&[]), folder("derived-whole"), folder("derived-cut"));
    let (finished, told) = run(&model, &whole, false, Stop::Never);
    assert!(finished && told.found.is_empty() && told.warned.is_empty(), "{told:?}");
    assert!(told.made[0].starts_with("recaption(") && told.made[1].starts_with("keep("), "{told:?}");

    assert!(!run(&model, &cut, false, Stop::Deriving).0);
    assert!(files(&model, &cut).iter().all(|file| !file.exists()), "half a file was kept");
    let (finished, again) = run(&model, &cut, true, Stop::At("bootstrap", 2));
    assert!(!finished && again.made == told.made);
    let (finished, last) = run(&model, &cut, true, Stop::Never);
    assert!(finished && last.made.is_empty() && last.found == told.made && last.warned.is_empty());
    assert_eq!(bytes(&whole), bytes(&cut));
    for (whole, cut) in files(&model, &whole).iter().zip(files(&model, &cut)) {
        assert_eq!(std::fs::read(whole).expect("a file"), std::fs::read(cut).expect("a file"));
    }
}

#[test]
fn a_picture_gets_a_text_and_rows_that_hold_are_kept() {
    let (model, out) = (model(&[]), folder("derived-rows"));
    run(&model, &out, false, Stop::Never);
    let [written, kept] = files(&model, &out).map(|file| Derived::read(&file).expect("a file"));
    let scenes = Scene::all("few").expect("a split");
    assert_eq!((written.head.rows, written.lines.len()), (5 * scenes.len(), scenes.len()));
    assert!(written.lines.iter().enumerate().all(|(picture, line)| line.row == 5 * picture));
    assert_eq!((written.head.column.as_deref(), kept.head.column), (Some("text"), None));

    // Of web, then what was written about its pictures, with the texts as they are there.
    assert_eq!(kept.head.rows, 6 * scenes.len());
    assert!(!kept.lines.is_empty() && kept.lines.len() < kept.head.rows, "{} rows", kept.lines.len());
    for line in kept.lines.iter().filter(|line| line.row >= 5 * scenes.len()) {
        assert_eq!(line.text, written.lines[line.row - 5 * scenes.len()].text);
    }
    // A batch reads these rows and no others.
    let library = host().library().of_run(&out);
    let stage = model.stages.iter().find(|stage| stage.name == "bootstrap").expect("the stage");
    let data = library.open(&stage.feeds[0].data).expect("opens");
    let texts: Vec<Option<&str>> = (0..data.rows()).map(|row| Some(data.caption(row))).collect();
    assert_eq!(texts, kept.lines.iter().map(|line| line.text.as_deref()).collect::<Vec<_>>());
}

#[test]
fn what_something_else_made_is_made_anew_and_that_is_said() {
    let (model, out) = (model(&[]), folder("derived-other"));
    run(&model, &out, false, Stop::At("bootstrap", 1));
    let [written, kept] = files(&model, &out);
    let before = [&written, &kept].map(|file| std::fs::read(file).expect("a file"));
    let foreign = |file: &Path, change: &dyn Fn(&mut Head)| {
        let mut derived = Derived::read(file).expect("a file");
        change(&mut derived.head);
        derived.lines.truncate(40);
        std::fs::write(file, derived.text()).expect("writes");
    };
    foreign(&kept, &|head| head.checkpoint = "0".into());
    foreign(&written, &|head| head.request = "0".into());
    let (_, told) = run(&model, &out, true, Stop::At("bootstrap", 2));
    assert_eq!((told.made.len(), told.warned.len()), (2, 2), "{told:?}");
    assert!(
        told.warned[0].contains("another request") && told.warned[1].contains("other numbers of `filter`")
    );
    assert_eq!([&written, &kept].map(|file| std::fs::read(file).expect("a file")), before);

    // A changed text changes what is kept of it.
    let mut derived = Derived::read(&written).expect("a file");
    derived.lines[7].text = Some("a red star".into());
    std::fs::write(&written, derived.text()).expect("writes");
    let (_, told) = run(&model, &out, true, Stop::Never);
    assert!(told.found.len() == 1 && told.warned[0].contains("other data"), "{told:?}");
}

#[test]
fn a_task_measures_derived_rows_and_an_untrained_stage_is_named() {
    let (model, out) = (model(&[]), folder("derived-task"));
    let error = evaluate(&model, "loss", Some(&out), &host()).expect_err("is not trained").to_string();
    assert!(error.contains("`bootstrap` has no finished checkpoint"), "{error}");
    run(&model, &out, false, Stop::Never);
    let report = evaluate(&model, "loss", Some(&out), &host()).unwrap_or_else(|error| panic!("{error}"));
    let rows = match &report.found {
        chiasm::task::report::Found::Scores(scores) => scores.rows,
        found => panic!("{found:?}"),
    };
    assert!(rows > 0 && rows < 5000, "{rows}");

    std::fs::remove_dir_all(out.join("filter/checkpoints")).expect("removes");
    let error = evaluate(&model, "loss", Some(&out), &host()).expect_err("is not trained").to_string();
    assert!(error.contains("on: filter) needs the trained model of `filter`"), "{error}");
    let data = model.tasks.iter().find(|task| task.name == "loss").and_then(|task| task.data.as_ref());
    let error = host().library().open(data.expect("data")).expect_err("is not derived").to_string();
    assert!(error.contains("has not been derived") && error.contains("`filter`"), "{error}");
}

#[test]
fn a_stage_depends_on_those_that_derive_its_data() {
    let hash = |model: &Model, seed| {
        let stage = model.stages.iter().find(|stage| stage.name == "bootstrap").expect("the stage");
        spec::of(model, stage, seed, None)
    };
    let plain = model(&[]);
    let mut other = model(&[]);
    assert_eq!(hash(&plain, 1), hash(&other, 1));
    for task in other.tasks.iter_mut().filter(|task| task.name == "write") {
        task.seed = 3;
    }
    assert_ne!(hash(&plain, 1), hash(&other, 1));
    let mut other = model(&[]);
    for stage in other.stages.iter_mut().filter(|stage| stage.name == "filter") {
        stage.clip = Some(1.0);
    }
    assert_ne!(hash(&plain, 1), hash(&other, 1));
    let order = chiasm::train::plan::order(&plain, Some("bootstrap")).expect("an order");
    let order: Vec<&str> = order.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(order, ["pretrain", "captioner", "filter", "bootstrap"]);
}
