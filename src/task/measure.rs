//! Means of single numbers over the data. The last batch has fewer rows, and counts so.

use super::report::Scores;
use super::side::Side;
use super::table::Table;
use super::{TaskError, context};
use crate::exec::{Executor, Memory};
use crate::lower::model::Task;
use crate::shape::Batch;
use std::collections::BTreeMap;

/// Runs the task.
///
/// # Errors
/// Broken data, a graph that cannot be run.
pub fn run(
    task: &Task,
    names: &[String],
    executor: &dyn Executor,
    memory: &mut Memory,
    table: &mut dyn Table,
) -> Result<Scores, TaskError> {
    let rows = table.rows();
    let mut sums: BTreeMap<String, f64> = names.iter().map(|name| (name.clone(), 0.0)).collect();
    let (whole, rest) = (rows / task.batch, rows % task.batch);
    for (batch, first, count) in [(task.batch, 0, whole), (rest, whole * task.batch, usize::from(rest > 0))] {
        if count == 0 {
            continue;
        }
        let graph = task.graph.bind(&Batch::of(&task.symbol, batch))?;
        let mut side = Side::new(graph, &task.name, batch, executor, &memory.layout.clone())?;
        for number in 0..count {
            let start = first + number * batch;
            let found = side.whole(table.read(start..start + batch)?, memory, &context(task))?;
            for (name, sum) in &mut sums {
                let value = found.0.iter().find(|(known, _)| known == name).and_then(|(_, t)| t.as_floats());
                *sum += value.map_or(f64::NAN, |value| f64::from(value[0])) * batch as f64;
            }
        }
    }
    let scores = sums.into_iter().map(|(name, sum)| (name, sum / rows.max(1) as f64)).collect();
    Ok(Scores { rows, scores })
}
