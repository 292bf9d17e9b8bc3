//! The data sets of a stage as batches, and how an input asks for its column.

use super::TrainError;
use super::feed::{Feed, Inputs};
use super::words::words;
use crate::data::{Batch, Column, Dataset, Library, Loader, LoaderOptions, Values, Wish, WishKind};
use crate::lower::model::{self, Input, Reading, Stage};
use crate::recipe::Data;
use crate::shape::Size;
use crate::tensor::Tensor;
use serde_json::Value;
use std::sync::Arc;

fn data(error: crate::data::Error) -> TrainError {
    TrainError::Data(error.to_string())
}

/// The batches of a stage: one of each of its sources a step. An epoch is one of the first; the others go round by themselves.
pub struct StageFeed {
    sources: Vec<Source>,
    lengths: Vec<(String, String)>,
    /// Inputs that are the same in every batch.
    fixed: Inputs,
}

/// One source of rows, and what reads it ahead.
struct Source {
    dataset: Arc<Dataset>,
    wishes: Vec<Wish>,
    options: LoaderOptions,
    loader: Loader,
}

impl StageFeed {
    /// Opens the data of a stage.
    ///
    /// # Errors
    /// Data that is not there, an input that no column feeds.
    pub fn open(stage: &Stage, library: &Library, seed: u64) -> Result<Self, TrainError> {
        let (fixed, read) = tables(&stage.inputs, library).map_err(TrainError::Data)?;
        let open = |(at, feed): (usize, &model::Feed)| {
            let fed = read.iter().filter(|input| stage.source_of(&input.name) == at);
            let options = LoaderOptions {
                transforms: feed.data.transforms.clone(),
                batch: feed.batch,
                seed,
                stage: named(&stage.name, at),
                ..LoaderOptions::default()
            };
            Source::open(&feed.data, fed, options, library)
        };
        let sources = stage.feeds.iter().enumerate().map(open).collect::<Result<_, _>>()?;
        Ok(Self { sources, lengths: lengths(&stage.inputs), fixed })
    }
}

/// What the draws of a source are kept apart by: sources of as many rows would else come in one order.
fn named(stage: &str, at: usize) -> String {
    if at == 0 { stage.to_string() } else { format!("{stage}/{at}") }
}

impl Source {
    fn open<'i>(
        recipe: &Data,
        inputs: impl Iterator<Item = &'i &'i Input>,
        options: LoaderOptions,
        library: &Library,
    ) -> Result<Self, TrainError> {
        let wishes = inputs.map(|input| wish(input, recipe, library).map_err(TrainError::Data));
        let wishes: Vec<Wish> = wishes.collect::<Result<_, _>>()?;
        let dataset = Arc::new(library.open_for(recipe, &columns(&wishes)).map_err(data)?);
        let loader = Loader::new(dataset.clone(), wishes.clone(), options.clone()).map_err(data)?;
        Ok(Self { dataset, wishes, options, loader })
    }

    /// Begins at another step.
    fn seek(&mut self, step: u64) -> Result<(), TrainError> {
        self.options.start = step;
        self.loader =
            Loader::new(self.dataset.clone(), self.wishes.clone(), self.options.clone()).map_err(data)?;
        Ok(())
    }
}

impl Feed for StageFeed {
    fn epoch(&self) -> u64 {
        self.sources.first().map_or(0, |source| source.loader.epoch_steps())
    }

    fn next_batch(&mut self) -> Result<Inputs, TrainError> {
        let mut inputs = self.fixed.clone();
        for source in &mut self.sources {
            let Batch { columns, .. } = source.loader.next().map_err(data)?;
            inputs.extend(columns.into_iter().flat_map(|column| tensors(column, &self.lengths)));
        }
        Ok(inputs)
    }

    /// The step: every source gives one batch in each, so one number says where all of them stand.
    fn position(&self) -> Value {
        self.sources.first().map_or(0, |source| source.loader.step()).into()
    }

    fn seek(&mut self, position: &Value) -> Result<(), TrainError> {
        let wrong = || TrainError::Data(format!("{position} is not a step of the loader"));
        let step = position.as_u64().ok_or_else(wrong)?;
        self.sources.iter_mut().try_for_each(|source| source.seek(step))
    }

    fn problems(&self) -> Vec<String> {
        self.sources.iter().flat_map(|source| source.dataset.report().lines()).collect()
    }
}

/// The inputs that are tables over a vocabulary, the same in every batch, and those that columns feed.
pub(super) fn tables<'i>(inputs: &'i [Input], library: &Library) -> Result<(Inputs, Vec<&'i Input>), String> {
    let (mut fixed, mut read) = (Inputs::new(), Vec::new());
    for input in inputs {
        match &input.reading {
            Reading::WordMarks { vocabulary } => {
                let mut marks = words(vocabulary, library)?.word_marks();
                // A table of words may be larger than its vocabulary, as BEiT-3's is.
                marks.resize(input.shape.elements(), 0.0);
                fixed.push((input.name.clone(), Tensor::floats([marks.len()], marks)));
            }
            _ => read.push(input),
        }
    }
    Ok((fixed, read))
}

/// What an input asks of the columns of its data.
pub(super) fn wish(input: &Input, recipe: &Data, library: &Library) -> Result<Wish, String> {
    let kind = match &input.reading {
        Reading::Image { side } => WishKind::Image { side: *side },
        Reading::Text { vocabulary, length } => {
            WishKind::Text { vocabulary: words(vocabulary, library)?, length: *length }
        }
        Reading::Ids => WishKind::Ids,
        Reading::Numbers => {
            WishKind::Numbers { dims: input.shape.sizes.iter().skip(1).map(Size::len).collect() }
        }
        Reading::WordMarks { .. } => return Err(format!("`{}` is a table, no column", input.name)),
    };
    let wish = Wish::new(&input.name, kind);
    let column = recipe.columns.iter().find(|column| column.name == input.name);
    Ok(column.map_or(wish.clone(), |c| Wish { from: c.from.clone(), other: c.other, ..wish }))
}

/// The columns that are read.
pub(super) fn columns(wishes: &[Wish]) -> Vec<&str> {
    wishes.iter().map(|wish| wish.from.as_str()).collect()
}

/// Columns with lengths, and the inputs that hold these.
pub(crate) fn lengths(inputs: &[Input]) -> Vec<(String, String)> {
    inputs.iter().filter_map(|input| Some((input.name.clone(), input.lengths.clone()?))).collect()
}

/// A column as inputs: itself, and its lengths under the name that the graph has for them.
pub(crate) fn tensors(column: Column, lengths: &[(String, String)]) -> Inputs {
    let named = lengths.iter().find(|(name, _)| *name == column.name).map(|(_, input)| input.clone());
    let used = named.zip(column.lengths).map(|(input, used)| (input, Tensor::ids([used.len()], used)));
    let tensor = match column.values {
        Values::Floats(values) => Tensor::floats(column.dims, values),
        Values::Ids(values) => Tensor::ids(column.dims, values),
    };
    [Some((column.name, tensor)), used].into_iter().flatten().collect()
}
