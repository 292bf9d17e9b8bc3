//! The memory of a task whose initial values have stretched matrices: otherwise what a model reads makes no difference.

use chiasm::exec::Memory;
use chiasm::lower::model::Task;
use chiasm::train::stage::{fill, layout};

const STRETCH: f32 = 12.0;

/// Initial values of a seed, with matrices so many times as large.
pub fn stretched(task: &Task, seed: u64) -> Memory {
    let mut memory = Memory::for_evaluation(&layout(&task.parameters, &task.twins, &task.states));
    fill(&mut memory, &task.parameters, &task.twins, &task.states, seed);
    for (path, slot) in memory.layout.parameters.clone() {
        if path.ends_with(".w") {
            memory.parameters[slot.range()].iter_mut().for_each(|x| *x *= STRETCH);
        }
    }
    memory
}
