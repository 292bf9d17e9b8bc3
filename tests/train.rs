//! Training by the program itself, killed and continued.

#[path = "train/frozen.rs"]
mod frozen;
#[path = "train/ragged.rs"]
mod ragged;

use chiasm::exec::cpu::{Cpu, level::Level};
use chiasm::train::feed::Feed;
use chiasm::train::run::{Event, train};
use chiasm::train::source::StageFeed;
use chiasm::train::stage::Trainer;
use chiasm::train::step::Row;
use chiasm::{Host, Model, TrainOptions, compile};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn chiasm(out: &Path) -> Command {
    on(out, "reference")
}

fn on(out: &Path, device: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chiasm"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/train/speck.chi");
    command.arg("train").arg(file).args(["--device", device, "--save-every", "2", "--seed", "5"]);
    command.arg("--out").arg(out).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// The bytes of the last checkpoint.
fn last(out: &Path) -> Vec<Vec<u8>> {
    let step = out.join("pretrain/checkpoints/step-8");
    ["model.safetensors", "optimiser.safetensors"]
        .map(|file| std::fs::read(step.join(file)).expect("a file"))
        .into()
}

#[test]
#[ignore = "trains for some seconds; run with --ignored"]
fn killed_and_continued_gives_the_same_bytes() {
    let (whole, cut) = (folder("whole"), folder("cut"));
    assert!(chiasm(&whole).status().expect("runs").success());

    let mut killed = chiasm(&cut).spawn().expect("starts");
    let began = Instant::now();
    while !cut.join("pretrain/checkpoints/step-4").exists() && began.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().expect("is killed");
    killed.wait().expect("ends");
    assert!(!cut.join("report.json").exists(), "it ended before it was killed");
    assert!(chiasm(&cut).arg("--resume").status().expect("runs").success());
    assert_eq!(last(&whole), last(&cut));
}

/// A run that is killed between its last checkpoint and its evaluation has neither that line of metrics nor a report.
#[test]
fn an_evaluation_that_was_cut_off_is_made_up_for() {
    let out = folder("unmeasured");
    assert!(on(&out, "cpu").status().expect("runs").success());
    let (metrics, report) = (out.join("pretrain/metrics.jsonl"), out.join("report.json"));
    let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
    let (measured, reported) = (read(&metrics), read(&report));
    let steps: String =
        measured.lines().filter(|row| !row.contains("\"task\"")).map(|row| format!("{row}\n")).collect();
    assert!(steps.len() < measured.len() && reported.contains("recall"), "{reported}");
    std::fs::write(&metrics, steps).expect("writes");
    std::fs::remove_file(&report).expect("removes");

    let again = || assert!(on(&out, "cpu").arg("--resume").status().expect("runs").success());
    again();
    assert_eq!((read(&metrics), read(&report)), (measured.clone(), reported.clone()));
    again();
    assert_eq!(
        (read(&metrics), read(&report)),
        (measured, reported),
        "what was measured is not measured again"
    );
}

/// A model of `tests/golden`.
fn golden(name: &str) -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.chi"));
    compile(&file, &chiasm::Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Trains the first stage, until its end or until somebody asks at a step; tells the steps made.
fn run(model: &Model, out: &Path, resume: bool, stop_at: Option<u64>) -> Vec<u64> {
    let host = Host { threads: Some(1), level: Some(Level::Plain), ..Host::default() };
    let stage = Some("pretrain".to_string());
    let options =
        TrainOptions { out: Some(out.to_path_buf()), stage, resume, save_every: 100, ..Default::default() };
    let (stop, mut steps) = (options.stop.clone(), Vec::new());
    let listener = &mut |event: Event<'_>| {
        if let Event::Step(row) = event {
            steps.push(row.step);
            stop.store(Some(row.step) == stop_at, std::sync::atomic::Ordering::Relaxed);
        }
    };
    train(model, &options, &host, listener).unwrap_or_else(|error| panic!("{error}"));
    steps
}

/// Several sources, every optimiser, a state that begins as a value, a batch in pieces: all go on as if nothing had been.
#[test]
fn going_on_gives_the_same_bytes() {
    for name in ["beside", "pieces", "codes", "lamb", "adafactor", "sgd"] {
        let (model, whole, cut) =
            (golden(name), folder(&format!("{name}-whole")), folder(&format!("{name}-cut")));
        run(&model, &whole, false, None);
        assert_eq!(run(&model, &cut, false, Some(3)), [1, 2, 3], "{name}");
        assert_eq!(run(&model, &cut, true, None)[0], 4, "{name}");
        let length = model.stages[0].length.steps(0);
        let files = |out: &Path| {
            let step = out.join(format!("pretrain/checkpoints/step-{length}"));
            ["model.safetensors", "optimiser.safetensors", "state.json"]
                .map(|file| std::fs::read(step.join(file)).expect("a file"))
        };
        assert!(files(&whole) == files(&cut), "{name}: other bytes");
    }
}

/// Plain gradient steps with momentum keep one moment, others two.
#[test]
fn a_checkpoint_has_the_moments_of_its_optimiser() {
    for (name, kept) in [("sgd", [true, false]), ("adafactor", [true, true])] {
        let out = folder(&format!("{name}-moments"));
        run(&golden(name), &out, false, Some(1));
        let file = out.join("pretrain/checkpoints/step-1/optimiser.safetensors");
        let text = String::from_utf8_lossy(&std::fs::read(file).expect("a file")).into_owned();
        let found = ["optimiser/first/scale", "optimiser/second/scale"].map(|name| text.contains(name));
        assert_eq!(found, kept, "{name}");
    }
}

/// The first steps of a stage of eight rows in so many pieces, and the gradients of the last one.
fn steps_in_pieces(pieces: usize) -> (Vec<Row>, Vec<f32>) {
    let mut model = golden("beside");
    let stage = &mut model.stages[0];
    stage.accumulate = pieces;
    stage.feeds.iter_mut().for_each(|feed| feed.batch = 8);
    let host = Host::default();
    let mut feed = StageFeed::open(stage, &host.library(), 1).expect("data");
    let time = chiasm::recipe::Timeline { length: 8, epoch: feed.epoch() };
    let mut trainer = Trainer::new(stage, Box::new(Cpu::new(1)), 1, time).expect("a trainer");
    let rows = (0..2).map(|_| trainer.step(&feed.next_batch().expect("a batch")).expect("a step"));
    (rows.collect(), trainer.memory.gradients)
}

/// Masks and dropout are drawn by row, and losses are means over what is hidden in the whole batch: pieces change nothing.
#[test]
fn pieces_make_the_step_of_the_batch() {
    let (whole, gradients) = steps_in_pieces(1);
    let largest = gradients.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
    for pieces in [2, 8] {
        let (rows, found) = steps_in_pieces(pieces);
        for (row, whole) in rows.iter().zip(&whole) {
            let losses = row.losses.values().zip(whole.losses.values());
            for (ours, whole) in losses.chain([(&row.loss, &whole.loss), (&row.norm, &whole.norm)]) {
                assert!((ours / whole - 1.0).abs() < 1e-4, "{pieces} pieces: {ours}, whole {whole}");
            }
        }
        for (at, (ours, whole)) in found.iter().zip(&gradients).enumerate() {
            assert!((ours - whole).abs() < 1e-3 * largest, "{pieces} pieces: {at} {ours}, whole {whole}");
        }
    }
}

/// What a stage brings is not computed anew; without it, the state begins as a value of the first batch.
#[test]
fn a_brought_state_is_not_computed() {
    let mut model = golden("codes");
    let mut second = model.stages[0].clone();
    second.name = "again".into();
    second.start = vec![chiasm::lower::model::Start::Stage("pretrain".into())];
    model.stages.push(second);
    let out = folder("brought");
    let host = Host { threads: Some(1), ..Host::default() };
    let options = TrainOptions { out: Some(out.clone()), steps: Some(1), ..Default::default() };
    train(&model, &options, &host, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    let book = |stage: &str| {
        let file = out.join(stage).join("checkpoints/step-1/model.safetensors");
        let bytes = std::fs::read(file).expect("a file");
        let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
        let data = tensors.tensor("state/book").expect("a book").data().to_vec();
        data.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<f32>>()
    };
    let (first, again) = (book("pretrain"), book("again"));
    assert!(first.iter().any(|x| *x != 0.0));
    let apart = first.iter().zip(&again).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // A step moves every word by a tenth of the way at most; words made anew would be others.
    assert!(apart > 0.0 && apart < 0.35, "{apart}");
}
