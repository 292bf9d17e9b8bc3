//! Classes by their names (Radford et al., 2021): the name within every prompt is a text; the mean of its features, brought to length 1,
//! stands for the class, and a picture belongs to the class whose feature is nearest.

use super::classify::best;
use super::report::Scores;
use super::side::Side;
use super::table::Table;
use super::{TaskError, context};
use crate::exec::{Executor, Memory};
use crate::lower::model::{Reading, Task};
use crate::pass::partition::partition;
use crate::shape::Batch;

/// Runs the task.
///
/// # Errors
/// Data without classes, broken data, a graph that cannot be run.
pub fn run(
    task: &Task,
    prompts: &[String],
    executor: &dyn Executor,
    memory: &mut Memory,
    table: &mut dyn Table,
) -> Result<Scores, TaskError> {
    let (labels, classes) = (table.labels(), table.classes());
    if labels.is_empty() || classes.is_empty() {
        return Err(TaskError::Data(format!("the data of task `{}` has no classes", task.name)));
    }
    let graph = task.graph.bind(&Batch::of(&task.symbol, task.batch))?;
    let (images, texts) = inputs(task);
    let parts = partition(&graph, &images, &texts)?;
    let (layout, context) = (memory.layout.clone(), context(task));
    let side = |graph, name| Side::new(graph, name, task.batch, executor, &layout);
    let (mut image, mut text) = (side(parts.image, "image")?, side(parts.text, "text")?);
    let said: Vec<String> =
        classes.iter().flat_map(|class| prompts.iter().map(move |p| p.replace("{}", class))).collect();
    let of_texts = text.collect(said.len(), |rows| table.texts(&said[rows]), memory, &context)?;
    let of_images = image.collect(table.rows(), |rows| table.read(rows), memory, &context)?;
    let (pictures, words) = (of_images.floats("image"), of_texts.floats("text"));
    let width = pictures.len() / table.rows().max(1);
    let means = means(words, width, prompts.len());
    let chosen = pictures.chunks(width.max(1)).map(|picture| nearest(picture, &means, width));
    let right = chosen.zip(&labels).filter(|(chosen, label)| *chosen as i64 == i64::from(**label)).count();
    let accuracy = 100.0 * right as f64 / labels.len() as f64;
    Ok(Scores { rows: labels.len(), scores: [("accuracy".to_string(), accuracy)].into() })
}

/// Inputs that come with pictures, and inputs that hold texts.
fn inputs(task: &Task) -> (Vec<&str>, Vec<&str>) {
    let (mut images, mut texts) = (Vec::new(), Vec::new());
    for input in &task.inputs {
        match input.reading {
            Reading::Text { .. } => {
                texts.extend([Some(input.name.as_str()), input.lengths.as_deref()].iter().flatten());
            }
            _ => images.push(input.name.as_str()),
        }
    }
    (images, texts)
}

/// For every class the mean of its prompts' features, brought to length 1.
fn means(features: &[f32], width: usize, prompts: usize) -> Vec<f32> {
    let mut means = Vec::new();
    for class in features.chunks((width * prompts).max(1)) {
        let sum = |i: usize| class.chunks(width).map(|feature| feature[i]).sum::<f32>();
        let sums: Vec<f32> = (0..width).map(sum).collect();
        let length = sums.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        means.extend(sums.iter().map(|x| x / length));
    }
    means
}

fn nearest(picture: &[f32], classes: &[f32], width: usize) -> usize {
    let dot = |class: &[f32]| class.iter().zip(picture).map(|(a, b)| a * b).sum::<f32>();
    best(&classes.chunks(width.max(1)).map(dot).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_the_mean_of_its_prompts() {
        let means = means(&[1.0, 0.0, 0.0, 1.0, -2.0, 0.0, -4.0, 0.0], 2, 2);
        let half = 0.5_f32.sqrt();
        assert_eq!(means, [half, half, -1.0, 0.0]);
        assert_eq!(nearest(&[-0.5, 0.1], &means, 2), 1);
    }
}
