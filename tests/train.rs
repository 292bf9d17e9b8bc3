//! Training by the program itself, killed and continued.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn chiasm(out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chiasm"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/train/speck.chi");
    command.arg("train").arg(file).args(["--device", "reference", "--save-every", "2", "--seed", "5"]);
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
