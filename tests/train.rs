//! Training by the program itself, killed and continued.

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
