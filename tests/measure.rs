//! Tasks that measure: a value that reads a table over a vocabulary, which no column feeds and no batch cuts.

use chiasm::exec::cpu::Cpu;
use chiasm::exec::reference::Reference;
use chiasm::exec::{Executor, Memory};
use chiasm::lower::model::Answer;
use chiasm::task::measure::run;
use chiasm::train::run::Supply;
use chiasm::train::stage::layout;
use chiasm::{Host, Options, compile};

fn counted(executor: &dyn Executor) -> f64 {
    let model = compile("tests/measure.chi".as_ref(), &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let task = model.tasks.iter().find(|task| task.name == "count").expect("the task");
    let Answer::Measure(names) = &task.answer else { panic!("no measure") };
    let mut memory = Memory::for_evaluation(&layout(&task.parameters, &task.twins, &task.states));
    let mut table = Host::default().table(task, "runs".as_ref()).unwrap_or_else(|e| panic!("{e}"));
    assert_ne!(table.rows() % task.batch, 0, "the last batch is a short one");
    let scores = run(task, names, executor, &mut memory, table.as_mut()).unwrap_or_else(|e| panic!("{e}"));
    scores.scores.into_values().next().expect("a score")
}

#[test]
fn words_are_picked_by_a_table_over_the_vocabulary() {
    let count = counted(&Cpu::new(2));
    assert_eq!(count, counted(&Reference));
    // Captions have six to a dozen words, of which half are picked, in batches of 24 rows.
    assert!((48.0..240.0).contains(&count), "{count}");
}
