//! The data set of a task, as its protocol reads it: pictures and texts apart ([`TaskGallery`]), or rows ([`TaskTable`]).

use super::feed::Inputs;
use super::source::{columns, lengths, tables, tensors, wish};
use super::words::words;
use crate::data::{Cells, Column, Dataset, Library, Vocabulary, Wish};
use crate::lower::model::{Answer, Condition, Reading, Task};
use crate::recipe::{Data, Transform};
use crate::task::TaskError;
use crate::task::gallery::Gallery;
use crate::task::table::Table;
use std::ops::Range;
use std::sync::Arc;

pub(super) fn task(error: crate::data::Error) -> TaskError {
    TaskError::Data(error.to_string())
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

/// The rows of a task.
pub struct TaskTable {
    dataset: Dataset,
    wishes: Vec<Wish>,
    /// Inputs that the protocol feeds with texts of its own.
    texts: Vec<(String, Arc<Vocabulary>, usize)>,
    /// Inputs that are the same for all rows.
    fixed: Inputs,
    lengths: Vec<(String, String)>,
    transforms: Vec<Transform>,
}

impl TaskTable {
    /// Opens the data of a task.
    ///
    /// # Errors
    /// Data that is not there, an input that no column feeds.
    pub fn open(asked: &Task, library: &Library) -> Result<Self, TaskError> {
        let recipe = asked.data.as_ref().ok_or_else(|| TaskError::NoData(asked.name.clone()))?;
        let own = matches!(asked.answer, Answer::ZeroShot { .. });
        let (mut wishes, mut texts) = (Vec::new(), Vec::new());
        let (fixed, read) = tables(&asked.inputs, library).map_err(TaskError::Data)?;
        for input in read {
            match &input.reading {
                Reading::Text { vocabulary, length } if own => {
                    let words = words(vocabulary, library).map_err(TaskError::Data)?;
                    texts.push((input.name.clone(), words, *length));
                }
                _ => wishes.push(wish(input, recipe, library).map_err(TaskError::Data)?),
            }
        }
        let dataset = library.open_for(recipe, &columns(&wishes)).map_err(task)?;
        wishes.iter().try_for_each(|wish| dataset.grants(wish)).map_err(task)?;
        let (lengths, transforms) = (lengths(&asked.inputs), recipe.transforms.clone());
        Ok(Self { dataset, wishes, texts, fixed, lengths, transforms })
    }
}

impl TaskTable {
    /// Opens the rows of which a condition keeps some.
    ///
    /// # Errors
    /// Data that is not there, an input that no column feeds.
    pub fn of_condition(asked: &Condition, recipe: &Data, library: &Library) -> Result<Self, TaskError> {
        let inputs = &asked.values.inputs;
        let (fixed, read) = tables(inputs, library).map_err(TaskError::Data)?;
        let wishes = read.into_iter().map(|input| wish(input, recipe, library).map_err(TaskError::Data));
        let wishes: Vec<Wish> = wishes.collect::<Result<_, _>>()?;
        let dataset = library.open_whole(recipe).map_err(task)?;
        wishes.iter().try_for_each(|wish| dataset.grants(wish)).map_err(task)?;
        let (lengths, transforms) = (lengths(inputs), recipe.transforms.clone());
        Ok(Self { dataset, wishes, texts: Vec::new(), fixed, lengths, transforms })
    }
}

impl Table for TaskTable {
    fn rows(&self) -> usize {
        self.dataset.rows()
    }

    fn words(&self, row: usize) -> Option<&str> {
        let texts = self.dataset.cells("text").is_some();
        texts.then(|| self.dataset.text("text", row))
    }

    fn fingerprint(&self) -> String {
        self.dataset.fingerprint()
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Inputs, TaskError> {
        let rows: Vec<usize> = rows.collect();
        let columns = self.dataset.read(&rows, &self.wishes, &self.transforms).map_err(task)?;
        let read = columns.into_iter().flat_map(|column| tensors(column, &self.lengths));
        Ok(self.fixed.iter().cloned().chain(read).collect())
    }

    fn labels(&self) -> Vec<i32> {
        match self.dataset.cells("label") {
            Some(Cells::Ids(labels)) => labels.clone(),
            _ => Vec::new(),
        }
    }

    fn classes(&self) -> Vec<String> {
        self.dataset.classes().to_vec()
    }

    fn texts(&mut self, texts: &[String]) -> Result<Inputs, TaskError> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let column =
            |(name, words, length): &(String, Arc<Vocabulary>, usize)| words.column(name, &texts, *length);
        let columns: Result<Vec<Column>, _> = self.texts.iter().map(column).collect();
        let columns = columns.map_err(task)?.into_iter();
        Ok(columns.flat_map(|column| tensors(column, &self.lengths)).collect())
    }

    fn problems(&self) -> Vec<String> {
        self.dataset.report().lines()
    }
}
