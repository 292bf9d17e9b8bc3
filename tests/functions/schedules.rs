//! Learning rates a step: Hugging Face's linear and cosine with warm-up, BLIP's of an epoch, ALBEF's and the BEiT family's.
//!
//! ALBEF says the length without its warm-up; ours with it. The BEiT family reaches the peak in the last step of its warm-up, ours
//! in the step after it: its warm-up is ours of one step less, and then one step at the peak.

use super::File;
use chiasm::recipe::{Duration, Schedule, Timeline};

/// A schedule of so many steps, an epoch being one.
fn check(name: &str, schedule: Schedule, length: u64) {
    let all = File::open("schedules").get(name).data.len();
    check_steps(name, schedule, length, 0..all);
}

fn check_steps(name: &str, schedule: Schedule, length: u64, steps: std::ops::Range<usize>) {
    let recorded = File::open("schedules").get(name).data;
    for (step, recorded) in recorded.iter().enumerate().take(steps.end).skip(steps.start) {
        let found = schedule.at(step as u64, Timeline { length, epoch: 1 });
        assert!(
            (found - recorded).abs() <= 1e-9 * recorded.abs().max(1e-9),
            "{name} at {step}: {found}, {recorded}"
        );
    }
}

#[test]
fn schedules_are_those_of_the_peers() {
    let params = File::open("schedules").get("in.params").data;
    let [warmup, total, peak, epochs, factor] = [6, 7, 8, 9, 10].map(|at| params[at]);
    let (steps, none) = (|n: f64| Duration::Steps(n as u64), Duration::Steps(0));
    let whole = |length: f64| length as u64;
    let linear = Schedule::Linear { value: 1.0, to: 0.0, warmup: steps(warmup), from: 0.0 };
    check("out.hf_linear", linear, whole(total));
    let cosine = Schedule::Cosine { value: 1.0, to: 0.0, warmup: steps(warmup), from: 0.0 };
    check("out.hf_cosine", cosine, whole(total));
    let cosine = Schedule::Cosine { value: peak, to: 0.0, warmup: none, from: 0.0 };
    check("out.blip_cosine", cosine, whole(epochs));
    let decay = Schedule::Decay { value: peak, by: factor, every: steps(1.0), least: 1e-6, warmup: none };
    check("out.blip_step", decay, 60);
    let ramp = Schedule::Ramp { from: 1e-6, to: peak, over: steps(20.0) };
    check("out.blip_warmup", ramp, 60);
    let cosine = Schedule::Cosine { value: 1e-4, to: 1e-5, warmup: steps(20.0), from: 1e-5 };
    check("out.albef_cosine", cosine, 20 + 30);
}

#[test]
fn beit_ends_its_warm_up_a_step_earlier() {
    let params = File::open("schedules").get("in.params").data;
    let [value, to, epochs, steps, warm, from] = [0, 1, 2, 3, 4, 5].map(|at| params[at]);
    let (whole, warmup) = ((epochs * steps) as usize, (warm * steps) as u64);
    let cosine = |warmup| Schedule::Cosine { value, to, warmup: Duration::Steps(warmup), from };
    check_steps("out.beit_cosine", cosine(warmup - 1), whole as u64, 0..warmup as usize);
    check_steps("out.beit_cosine", cosine(warmup), whole as u64, warmup as usize..whole);
}
