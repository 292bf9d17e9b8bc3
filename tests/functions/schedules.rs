//! Learning rates a step: Hugging Face's linear and cosine with warm-up, BLIP's of an epoch.
//!
//! Two recordings have no counterpart: BEiT-3 ends its warm-up a step earlier, and ALBEF counts epochs from behind its own.

use super::File;
use chiasm::recipe::{Duration, Schedule, Timeline};

/// A schedule of so many steps, an epoch being one.
fn check(name: &str, schedule: Schedule, length: u64) {
    let recorded = File::open("schedules").get(name).data;
    for (step, recorded) in recorded.iter().enumerate() {
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
}
