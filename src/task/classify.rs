//! Classes: the best of the logits against the truth, which is an id a row or a score for every class (VQA).
//!
//! Accuracy is the share of rows whose chosen class is the true one, or has the highest score; the VQA score is the mean score of the
//! chosen class. Both are in percent.

use super::report::Scores;
use super::side::Side;
use super::table::Table;
use super::{TaskError, context};
use crate::exec::{Executor, Memory};
use crate::lower::model::Task;
use crate::shape::Batch;
use crate::tensor::{Tensor, Values};

/// Runs the task.
///
/// # Errors
/// Broken data, a graph that cannot be run.
pub fn run(
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    table: &mut dyn Table,
) -> Result<Scores, TaskError> {
    let graph = task.graph.bind(&Batch::of(&task.symbol, task.batch))?;
    let mut side = Side::new(graph, &task.name, task.batch, executor, &memory.layout.clone())?;
    let found = side.collect(table.rows(), |rows| table.read(rows), memory, &context(task))?;
    let output = |name: &str| found.0.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor);
    let (Some(logits), Some(truth)) = (output("logits"), output("truth")) else {
        return Err(TaskError::Data(format!("the task `{}` found no row", task.name)));
    };
    Ok(Scores { rows: table.rows(), scores: scores(logits, truth) })
}

/// Accuracy, and of scores the VQA score.
fn scores(logits: &Tensor, truth: &Tensor) -> std::collections::BTreeMap<String, f64> {
    let classes = logits.dims.get(1).copied().unwrap_or(1).max(1);
    let chosen: Vec<usize> = logits.as_floats().unwrap_or(&[]).chunks(classes).map(best).collect();
    let percent = |sum: f64| 100.0 * sum / chosen.len().max(1) as f64;
    match &truth.values {
        Values::Ids(ids) => {
            let right = chosen.iter().zip(ids).filter(|(chosen, id)| **chosen as i64 == i64::from(**id));
            [("accuracy".to_string(), percent(right.count() as f64))].into()
        }
        Values::Floats(scores) => {
            let rows = || chosen.iter().zip(scores.chunks(classes));
            let worth = rows().map(|(chosen, row)| f64::from(row[*chosen])).sum();
            let right =
                rows().filter(|(chosen, row)| row[**chosen] > 0.0 && row.iter().all(|s| *s <= row[**chosen]));
            let right = right.count() as f64;
            [("vqa_score".to_string(), percent(worth)), ("accuracy".to_string(), percent(right))].into()
        }
    }
}

/// The place of the largest number; of equal ones the first.
pub(super) fn best(row: &[f32]) -> usize {
    let better = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
    (0..row.len()).reduce(better).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_class_is_compared_with_ids_and_with_scores() {
        let logits = Tensor::floats([3, 2], vec![0.1, 0.9, 0.7, 0.2, -1.0, -2.0]);
        let found = scores(&logits, &Tensor::ids([3], vec![1, 1, 0]));
        assert_eq!(found["accuracy"].round(), 67.0);
        let found = scores(&logits, &Tensor::floats([3, 2], vec![0.0, 0.3, 0.6, 1.0, 0.0, 0.0]));
        assert_eq!((found["vqa_score"].round(), found["accuracy"].round()), (30.0, 33.0));
    }
}
