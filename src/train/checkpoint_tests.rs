use super::*;
use crate::train::feed::{Feed, Repeat};
use crate::train::r#loop::{Course, End, Observer, run};
use crate::train::metrics::Metrics;
use crate::train::step::Row;
use crate::train::testing::{folder, stage, trainer};
use std::sync::atomic::{AtomicBool, Ordering};

fn feed() -> Repeat {
    let batch = |x: f32| vec![("x".to_string(), Tensor::floats([2], vec![x, x * 0.3]))];
    Repeat { batches: vec![batch(0.5), batch(-1.5), batch(2.0)], given: 0 }
}

/// Asks to stop after a step.
struct StopAfter<'a>(u64, &'a AtomicBool);

impl Observer for StopAfter<'_> {
    fn step(&mut self, row: &Row) -> Result<(), TrainError> {
        self.1.store(row.step == self.0, Ordering::Relaxed);
        Ok(())
    }
    fn saved(&mut self, _: &Path) -> Result<(), TrainError> {
        Ok(())
    }
    fn between(&mut self, _: &mut Trainer, _: &mut Metrics) -> Result<(), TrainError> {
        Ok(())
    }
}

fn train(path: &Path, stop_after: u64) -> (End, Trainer) {
    let stop = AtomicBool::new(false);
    let course = Course { folder: path, spec: "s".into(), save_every: 3, stop: &stop };
    let (mut trainer, mut feed) = (trainer(&stage(), 10), feed());
    course.resume(&mut trainer, &mut feed).expect("resumes");
    let end = run(&mut trainer, &mut feed, &course, &mut StopAfter(stop_after, &stop)).expect("trains");
    (end, trainer)
}

#[test]
fn going_on_gives_the_same_bits() {
    let (whole, cut) = (folder("whole"), folder("cut"));
    let (end, one) = train(&whole, 0);
    assert_eq!(end, End::Finished);
    assert_eq!(train(&cut, 5).0, End::Interrupted);
    let (end, two) = train(&cut, 0);
    assert_eq!(end, End::Finished);
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    for (a, b) in [
        (&one.memory.parameters, &two.memory.parameters),
        (&one.memory.twins, &two.memory.twins),
        (&one.memory.second, &two.memory.second),
    ] {
        assert_eq!(bits(a), bits(b));
    }
    assert_eq!(steps(&cut.join("checkpoints")), [9, 10]);
    let lines =
        |path: &Path| std::fs::read_to_string(path.join("metrics.jsonl")).expect("metrics").lines().count();
    assert_eq!((lines(&whole), lines(&cut)), (10, 10));
}

fn state(step: u64) -> State {
    let (version, stage, spec) = ("0".into(), "pretrain".into(), "s".into());
    State { version, stage, spec, step, length: 10, seed: 3, position: 0.into() }
}

#[test]
fn a_failing_disk_leaves_the_old_checkpoint() {
    let path = folder("full");
    let trainer = trainer(&stage(), 10);
    save(&path, &trainer, &state(1)).expect("saves");
    let full: Save = |path, _, _| {
        std::fs::write(path, b"half of it").expect("a file");
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Err(WeightsError::Write { path: path.display().to_string(), source })
    };
    let error = save_by(full, &path, &trainer, &state(2)).expect_err("is full").to_string();
    assert!(error.contains("unchanged"), "{error}");
    assert_eq!(std::fs::read_dir(&path).expect("a folder").count(), 1);
    assert_eq!(latest(&path).expect("reads").expect("is there").state.step, 1);
}

#[test]
fn refuses_what_does_not_belong() {
    let path = folder("foreign");
    let mut trainer = trainer(&stage(), 10);
    save(&path, &trainer, &state(1)).expect("saves");
    let found = latest(&path).expect("reads").expect("is there");
    let error = found.restore(&mut trainer, "another").expect_err("differs").to_string();
    assert!(error.contains("another model or recipe"), "{error}");

    let mut other = stage();
    other.parameters[0].dims = vec![3, 3];
    other.twins.clear();
    let mut wider = crate::train::testing::trainer(&other, 10);
    let error = found.restore(&mut wider, "s").expect_err("differs").to_string();
    assert!(error.contains("`a.w`") && error.contains("[3, 3]") && error.contains("[3, 2]"), "{error}");

    other.parameters.push(crate::train::testing::parameter("c", &[1]));
    other.parameters[0].dims = vec![3, 2];
    let mut longer = crate::train::testing::trainer(&other, 10);
    let error = found.restore(&mut longer, "s").expect_err("differs").to_string();
    assert!(error.contains("no tensor `c`"), "{error}");
}

#[test]
fn a_nan_in_a_file_is_found() {
    let path = folder("nan");
    let mut trainer = trainer(&stage(), 10);
    trainer.memory.parameters[2] = f32::NAN;
    save(&path, &trainer, &state(1)).expect("saves");
    let found = latest(&path).expect("reads").expect("is there");
    let error = found.restore(&mut trainer, "s").expect_err("is damaged").to_string();
    assert!(error.contains("NaN at element 2"), "{error}");
}

#[test]
fn a_nan_loss_stops_before_anything_moves() {
    let mut trainer = trainer(&stage(), 10);
    let before = trainer.memory.parameters.clone();
    let batch = vec![("x".to_string(), Tensor::floats([1], vec![f32::NAN]))];
    let error = trainer.step(&batch).expect_err("diverged");
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().starts_with("step 0: `the objective` is NaN"), "{error}");
    assert_eq!(trainer.memory.parameters, before);
    let mut feed = feed();
    trainer.step(&feed.next_batch().expect("a batch")).expect("goes on");
}
