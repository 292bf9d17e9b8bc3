//! Data sets as a run wants them: batches of a stage, pictures and texts of a task.

use super::TrainError;
use super::feed::{Feed, Inputs};
use crate::data::{Batch, Column, Dataset, Kind, Library, Loader, LoaderOptions, Values, Vocabulary, Wish};
use crate::lower::model::{self, Input, Reading, Stage, Task, VocabularyKind};
use crate::recipe::Transform;
use crate::task::TaskError;
use crate::task::gallery::Gallery;
use crate::tensor::Tensor;
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;

fn data(error: crate::data::Error) -> TrainError {
    TrainError::Data(error.to_string())
}

fn task(error: crate::data::Error) -> TaskError {
    TaskError::Data(error.to_string())
}

/// The batches of a stage, from its loader.
pub struct StageFeed {
    dataset: Arc<Dataset>,
    wishes: Vec<Wish>,
    lengths: Vec<(String, String)>,
    /// Inputs that are the same in every batch.
    fixed: Inputs,
    options: LoaderOptions,
    loader: Loader,
}

impl StageFeed {
    /// Opens the data of a stage.
    ///
    /// # Errors
    /// Data that is not there, an input that no column feeds.
    pub fn open(stage: &Stage, library: &Library, seed: u64) -> Result<Self, TrainError> {
        let [feed] = stage.feeds.as_slice() else {
            let what = format!("several sources side by side (stage `{}`)", stage.name);
            return Err(TrainError::Later { what, instead: "train on one source".into() });
        };
        let dataset = Arc::new(library.open(&feed.data).map_err(data)?);
        let (fixed, read): (Vec<&Input>, Vec<&Input>) =
            stage.inputs.iter().partition(|input| matches!(input.reading, Reading::WordMarks { .. }));
        let fixed: Inputs = fixed.into_iter().map(|input| marks(input, library)).collect::<Result<_, _>>()?;
        let wishes: Vec<Wish> =
            read.into_iter().map(|input| wish(input, library)).collect::<Result<_, _>>()?;
        let (transforms, stage_name) = (feed.data.transforms.clone(), stage.name.clone());
        let options = LoaderOptions {
            transforms,
            batch: feed.batch,
            seed,
            stage: stage_name,
            ..LoaderOptions::default()
        };
        let loader = Loader::new(dataset.clone(), wishes.clone(), options.clone()).map_err(data)?;
        Ok(Self { dataset, wishes, lengths: lengths(&stage.inputs), fixed, options, loader })
    }
}

impl Feed for StageFeed {
    fn epoch(&self) -> u64 {
        self.loader.epoch_steps()
    }

    fn next_batch(&mut self) -> Result<Inputs, TrainError> {
        let Batch { columns, .. } = self.loader.next().map_err(data)?;
        let read = columns.into_iter().flat_map(|column| tensors(column, &self.lengths));
        Ok(read.chain(self.fixed.iter().cloned()).collect())
    }

    fn position(&self) -> Value {
        self.loader.step().into()
    }

    fn seek(&mut self, position: &Value) -> Result<(), TrainError> {
        let wrong = || TrainError::Data(format!("{position} is not a step of the loader"));
        self.options.start = position.as_u64().ok_or_else(wrong)?;
        self.loader =
            Loader::new(self.dataset.clone(), self.wishes.clone(), self.options.clone()).map_err(data)?;
        Ok(())
    }

    fn problems(&self) -> Vec<String> {
        self.dataset.report().lines()
    }
}

/// A table over a vocabulary.
fn marks(input: &Input, library: &Library) -> Result<(String, Tensor), TrainError> {
    let Reading::WordMarks { vocabulary } = &input.reading else {
        return Err(TrainError::Data(format!("`{}` is no table over a vocabulary", input.name)));
    };
    let marks = words(vocabulary, library).map_err(TrainError::Data)?.word_marks();
    Ok((input.name.clone(), Tensor::floats([marks.len()], marks)))
}

fn wish(input: &Input, library: &Library) -> Result<Wish, TrainError> {
    match &input.reading {
        Reading::Image { side } => Ok(Wish::image(&input.name, *side)),
        Reading::Text { vocabulary, length } => {
            Ok(Wish::text(&input.name, words(vocabulary, library).map_err(TrainError::Data)?, *length))
        }
        Reading::Ids => Ok(Wish::ids(&input.name)),
        Reading::Numbers | Reading::WordMarks { .. } => Err(TrainError::Later {
            what: format!("reading the input `{}`", input.name),
            instead: "only images, texts and ids of pairs(…) are read".into(),
        }),
    }
}

/// Opens a vocabulary as the file names it.
pub(crate) fn words(vocabulary: &model::Vocabulary, library: &Library) -> Result<Arc<Vocabulary>, String> {
    let kind = match vocabulary.kind {
        VocabularyKind::WordPiece => Kind::WordPiece,
        VocabularyKind::Bpe => Kind::Bpe,
        VocabularyKind::SentencePiece => {
            return Err(format!("the SentencePiece vocabulary `{}` is not in this version", vocabulary.name));
        }
    };
    let opened = Vocabulary::open(kind, &vocabulary.name, &vocabulary.extra, library);
    opened.map(Arc::new).map_err(|error| error.to_string())
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

/// The pictures and texts of a task.
pub struct TaskGallery {
    dataset: Dataset,
    owners: Vec<usize>,
    images: Vec<(String, usize)>,
    texts: Vec<(String, Arc<Vocabulary>, usize)>,
    lengths: Vec<(String, String)>,
    transforms: Vec<Transform>,
}

impl TaskGallery {
    /// Opens the data of a task.
    ///
    /// # Errors
    /// Data that is not there, a vocabulary that is not known.
    pub fn open(asked: &Task, library: &Library) -> Result<Self, TaskError> {
        let recipe = asked.data.as_ref().ok_or_else(|| TaskError::NoData(asked.name.clone()))?;
        let dataset = library.open(recipe).map_err(task)?;
        let (mut images, mut texts) = (Vec::new(), Vec::new());
        for input in &asked.inputs {
            match &input.reading {
                Reading::Image { side } => images.push((input.name.clone(), *side)),
                Reading::Text { vocabulary, length } => {
                    texts.push((
                        input.name.clone(),
                        words(vocabulary, library).map_err(TaskError::Data)?,
                        *length,
                    ));
                }
                Reading::Ids | Reading::Numbers | Reading::WordMarks { .. } => {}
            }
        }
        let owners = (0..dataset.rows()).map(|row| dataset.image_of(row)).collect();
        let (lengths, transforms) = (lengths(&asked.inputs), recipe.transforms.clone());
        Ok(Self { dataset, owners, images, texts, lengths, transforms })
    }
}

impl Gallery for TaskGallery {
    fn images(&self) -> usize {
        self.dataset.pictures()
    }

    fn owners(&self) -> &[usize] {
        &self.owners
    }

    fn image_rows(&mut self, rows: Range<usize>) -> Result<Inputs, TaskError> {
        let pictures: Vec<usize> = rows.collect();
        let mut inputs = Inputs::new();
        for (name, side) in &self.images {
            let column = self.dataset.images(&pictures, *side, &self.transforms).map_err(task)?;
            inputs.extend(tensors(Column { name: name.clone(), ..column }, &self.lengths));
        }
        Ok(inputs)
    }

    fn text_rows(&mut self, rows: Range<usize>) -> Result<Inputs, TaskError> {
        let rows: Vec<usize> = rows.collect();
        let mut inputs = Inputs::new();
        for (name, vocabulary, length) in &self.texts {
            let column = self.dataset.texts(&rows, vocabulary, *length).map_err(task)?;
            inputs.extend(tensors(Column { name: name.clone(), ..column }, &self.lengths));
        }
        Ok(inputs)
    }

    fn problems(&self) -> Vec<String> {
        self.dataset.report().lines()
    }
}
