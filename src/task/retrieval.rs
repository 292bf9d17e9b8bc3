//! Retrieval: all pictures against all texts, then the best of every query once more by the rerank score.
//!
//! 1. Features of all pictures and all texts, by batches; a short last batch is filled up and its extra rows forgotten.
//! 2. Inner products of features.
//! 3. With `rerank`: the `top` best of each query are scored as pairs. The graph is cut ([`partition`]), so whatever depends
//!    on a picture or a text alone was computed in 1 and is only gathered here. The others stay below, in their order.
//! 4. Recall at k, both ways ([`super::recall`]).

use super::gallery::{Gallery, Rows};
use super::recall::both_ways;
use super::report::Retrieval;
use super::side::Side;
use super::{TaskError, context};
use crate::exec::{Executor, Layout, Memory};
use crate::lower::model::{Answer, Metric, Reading, Task};
use crate::op::Context;
use crate::pass::partition::partition;
use crate::shape::Batch;

/// Below every score of a pair.
const BELOW: f32 = 1e4;

/// Runs a task with given parameters.
///
/// # Errors
/// A protocol that this version does not have, broken data, a graph that cannot be run.
pub fn run(
    task: &Task,
    executor: &dyn Executor,
    memory: &mut Memory,
    gallery: &mut dyn Gallery,
) -> Result<Retrieval, TaskError> {
    let rerank = protocol(task)?;
    let layout = memory.layout.clone();
    let mut machine = Machine::new(task, executor, &layout)?;
    let (images, texts) = (gallery.images(), gallery.owners().len());
    let image = machine.image.collect(images, |rows| gallery.image_rows(rows), memory, &machine.context)?;
    let text = machine.text.collect(texts, |rows| gallery.text_rows(rows), memory, &machine.context)?;
    let close = products(&image, &text, images, texts);
    let cut_offs = cut_offs(task);
    let owners = gallery.owners().to_vec();
    let top = rerank.filter(|_| task.graph.output("rerank").is_some());
    let recall = match top {
        None => both_ways(&close, &close, &owners, images, &cut_offs),
        Some(top) => {
            let mut score = |pairs: &[(usize, usize)]| machine.score(pairs, &image, &text, memory);
            let of_image = again(&close, &by_image(&close, images, texts, top), texts, &mut score)?;
            let of_text = again(&close, &by_text(&close, images, texts, top), texts, &mut score)?;
            both_ways(&of_image, &of_text, &owners, images, &cut_offs)
        }
    };
    Ok(Retrieval { images, texts, reranked: top, recall })
}

fn protocol(task: &Task) -> Result<Option<usize>, TaskError> {
    match &task.answer {
        Answer::Retrieval { rerank, .. } => Ok(*rerank),
        other => Err(TaskError::Later { task: task.name.clone(), protocol: other.name().to_string() }),
    }
}

fn cut_offs(task: &Task) -> Vec<usize> {
    let recall = task.report.iter().find_map(|metric| match metric {
        Metric::Recall(at) => Some(at.clone()),
        _ => None,
    });
    recall.unwrap_or_else(|| vec![1, 5, 10])
}

/// Scores pairs (picture, text).
type Score<'a> = dyn FnMut(&[(usize, usize)]) -> Result<Vec<f32>, TaskError> + 'a;

/// The three prepared parts.
struct Machine {
    image: Side,
    text: Side,
    pair: Option<Side>,
    batch: usize,
    context: Context,
}

impl Machine {
    fn new(task: &Task, executor: &dyn Executor, layout: &Layout) -> Result<Self, TaskError> {
        let graph = task.graph.bind(&Batch::of(&task.symbol, task.batch))?;
        let (images, texts) = groups(task);
        let parts = partition(&graph, &images, &texts)?;
        let has_pair = parts.pair.output("rerank").is_some();
        let side = |graph, name| Side::new(graph, name, task.batch, executor, layout);
        let pair = if has_pair { Some(side(parts.pair, "rerank")?) } else { None };
        let (image, text) = (side(parts.image, "image")?, side(parts.text, "text")?);
        Ok(Self { image, text, pair, batch: task.batch, context: context(task) })
    }

    /// The rerank score of pairs (picture, text).
    fn score(
        &mut self,
        pairs: &[(usize, usize)],
        image: &Rows,
        text: &Rows,
        memory: &mut Memory,
    ) -> Result<Vec<f32>, TaskError> {
        let Some(side) = &mut self.pair else { return Ok(Vec::new()) };
        let mut scores = Vec::with_capacity(pairs.len());
        for part in pairs.chunks(self.batch.max(1)) {
            let of_image = image.gather(&part.iter().map(|p| p.0).collect::<Vec<_>>());
            let of_text = text.gather(&part.iter().map(|p| p.1).collect::<Vec<_>>());
            let inputs = of_image.into_iter().chain(of_text).collect();
            let found = side.run(inputs, part.len(), memory, &self.context)?;
            scores.extend_from_slice(found.floats("rerank"));
        }
        Ok(scores)
    }
}

/// Inputs that come with pictures, and inputs that come with texts.
fn groups(task: &Task) -> (Vec<&str>, Vec<&str>) {
    let (mut images, mut texts) = (Vec::new(), Vec::new());
    for input in &task.inputs {
        match input.reading {
            Reading::Image { .. } => images.push(input.name.as_str()),
            Reading::Text { .. } => {
                texts.extend([Some(input.name.as_str()), input.lengths.as_deref()].iter().flatten())
            }
            Reading::Ids | Reading::Numbers | Reading::WordMarks { .. } => {}
        }
    }
    (images, texts)
}

/// Inner products of all features; zeros if a side has none.
fn products(image: &Rows, text: &Rows, images: usize, texts: usize) -> Vec<f32> {
    let (a, b) = (image.floats("image"), text.floats("text"));
    let mut close = vec![0.0; images * texts];
    let width = a.len() / images.max(1);
    if width == 0 || b.len() != texts * width {
        return close;
    }
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    for (row, x) in close.chunks_mut(texts.max(1)).zip(a.chunks(width)) {
        row.iter_mut().zip(b.chunks(width)).for_each(|(place, y)| *place = dot(x, y));
    }
    close
}

/// The `top` best texts of every picture, as pairs; equal ones by their index.
fn by_image(close: &[f32], images: usize, texts: usize, top: usize) -> Vec<(usize, usize)> {
    let best = |i: usize| best(texts, top, |t| close[i * texts + t]).into_iter().map(move |t| (i, t));
    (0..images).flat_map(best).collect()
}

/// The `top` best pictures of every text, as pairs.
fn by_text(close: &[f32], images: usize, texts: usize, top: usize) -> Vec<(usize, usize)> {
    let best = |t: usize| best(images, top, |i| close[i * texts + t]).into_iter().map(move |i| (i, t));
    (0..texts).flat_map(best).collect()
}

fn best(count: usize, top: usize, score: impl Fn(usize) -> f32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| score(*b).total_cmp(&score(*a)));
    order.truncate(top);
    order
}

/// The products put below all pairs, then the pairs with their scores.
fn again(
    close: &[f32],
    pairs: &[(usize, usize)],
    texts: usize,
    score: &mut Score<'_>,
) -> Result<Vec<f32>, TaskError> {
    let mut scores: Vec<f32> = close.iter().map(|s| s - BELOW).collect();
    for ((i, t), found) in pairs.iter().zip(score(pairs)?) {
        scores[i * texts + t] = found;
    }
    Ok(scores)
}
