//! The peers' own code, recorded: forward values, every gradient and the state after a step, on all executors; the gradients of
//! `dfdx` are its tape's.
//!
//! `CHIASM_FIXTURES=DIR` runs the cases of another folder of the same layout; sizes come from its config.json files.
//! `CHIASM_CASES=vlmo,blip` runs these alone. A case that the folder lacks is named and skipped.

#![allow(clippy::print_stderr)]

#[path = "parity/case.rs"]
mod case;
#[path = "parity/compare.rs"]
mod compare;
#[path = "parity/given.rs"]
mod given;
#[path = "parity/written.rs"]
mod written;

use case::Case;
use chiasm::exec::Executor;
use chiasm::exec::cpu::Cpu;
use chiasm::exec::dfdx::Dfdx;
use chiasm::exec::reference::Reference;
use chiasm::recipe::Timeline;
use chiasm::train::stage::Trainer;
use std::path::Path;

fn faults(case: &Case, executor: Box<dyn Executor>) -> Vec<String> {
    let stage = case.stage();
    let time = Timeline { length: 1000, epoch: 1000 };
    let mut trainer = Trainer::new(&stage, executor, 0, time).expect("a trainer");
    given::bring(case, &stage, &mut trainer);
    let inputs = given::inputs(case, &stage);
    trainer.step(&inputs).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let mut faults = Vec::new();
    compare::values(case, &trainer, &inputs, &mut faults);
    compare::gradients(case, &trainer, &stage, &mut faults);
    compare::after(case, &trainer, &stage, &mut faults);
    faults
}

#[test]
fn recorded_cases_are_met_on_all_executors() {
    let folder = std::env::var("CHIASM_FIXTURES").unwrap_or_else(|_| "tests/fixtures".into());
    let chosen = std::env::var("CHIASM_CASES").ok();
    let wanted = |name: &String| chosen.as_ref().is_none_or(|names| names.split(',').any(|n| n == name));
    let mut report = Vec::new();
    let mut run = 0;
    for name in case::names().into_iter().filter(wanted) {
        let Some(case) = Case::open(Path::new(&folder), &name) else {
            eprintln!("skipped: there is no case {name} in {folder}");
            continue;
        };
        run += 1;
        let executors: [Box<dyn Executor>; 3] =
            [Box::new(Reference), Box::new(Cpu::new(2)), Box::new(Dfdx::cpu(2))];
        for executor in executors {
            let kind = executor.name();
            let found = faults(&case, executor);
            report.extend(found.iter().map(|fault| format!("{name} on {kind}: {fault}")));
        }
        eprintln!("{name}: compared");
    }
    assert!(run > 0, "no case in {folder}");
    assert!(report.is_empty(), "{} differences\n{}", report.len(), report.join("\n"));
}

/// The executors, each made anew.
const EXECUTORS: [fn() -> Box<dyn Executor>; 2] = [|| Box::new(Reference), || Box::new(Cpu::new(2))];

#[test]
fn recorded_captions_are_written_by_any_batch_size() {
    let case = Case::open(Path::new("tests/fixtures"), "beit3_captioning").expect("the case");
    for executor in EXECUTORS {
        let mut desk = written::Desk::open(&case, executor);
        for (beams, penalty) in written::SEARCHES {
            let recorded = written::recorded(&case, beams);
            for batch in [4, 3, 1] {
                let ours = desk.beam(batch, beams, penalty);
                for (ours, theirs) in ours.iter().zip(&recorded) {
                    assert_eq!(ours.tokens, theirs.tokens, "{beams} beams, batch {batch}");
                    let far = (ours.score - theirs.score).abs() / theirs.score.abs();
                    assert!(far < 1e-5, "{beams} beams: {} for {}", ours.score, theirs.score);
                }
            }
        }
    }
}

#[test]
fn one_beam_without_penalty_is_greedy() {
    let case = Case::open(Path::new("tests/fixtures"), "beit3_captioning").expect("the case");
    let mut desk = written::Desk::open(&case, EXECUTORS[1]);
    assert_eq!(desk.greedy(), desk.beam(4, 1, 0.0));
}
