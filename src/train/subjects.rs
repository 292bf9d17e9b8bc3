//! The data of a task that writes: rows whose other inputs are equal are one subject, and the column of the written input holds what
//! people wrote about it.
//!
//! Of pairs, the captions of a picture are its references; of questions, the answers with the shares of their votes.

use super::asked::task;
use super::feed::Inputs;
use super::source::{lengths, tables, tensors, wish};
use super::words::words;
use crate::data::{Cells, Dataset, Library, Vocabulary, Wish};
use crate::lower::model::{Answer, Input, Reading, Task};
use crate::recipe::Transform;
use crate::task::TaskError;
use crate::task::subjects::{Reference, Subjects};
use std::ops::Range;
use std::sync::Arc;

/// The subjects of a task.
pub struct TaskSubjects {
    dataset: Dataset,
    /// The first row of every subject, and the number of rows.
    first: Vec<usize>,
    wishes: Vec<Wish>,
    /// Inputs that are the same for all.
    fixed: Inputs,
    /// The column that holds what people wrote.
    written: String,
    vocabulary: Arc<Vocabulary>,
    candidates: Vec<String>,
    lengths: Vec<(String, String)>,
    transforms: Vec<Transform>,
}

impl TaskSubjects {
    /// Opens the data of a task that writes an input.
    ///
    /// # Errors
    /// Data that is not there, an input that no column feeds, a written input that is no text.
    pub fn open(asked: &Task, library: &Library) -> Result<Self, TaskError> {
        let recipe = asked.data.as_ref().ok_or_else(|| TaskError::NoData(asked.name.clone()))?;
        let token = token(asked)?;
        let Reading::Text { vocabulary, .. } = &token.reading else {
            return Err(TaskError::Data(format!(
                "`{}`, which task `{}` writes, is no text",
                token.name, asked.name
            )));
        };
        let vocabulary = words(vocabulary, library).map_err(TaskError::Data)?;
        let (fixed, read) = tables(&asked.inputs, library).map_err(TaskError::Data)?;
        let others = read.into_iter().filter(|input| input.name != token.name);
        let wishes: Vec<Wish> = others
            .map(|input| wish(input, recipe, library))
            .collect::<Result<_, _>>()
            .map_err(TaskError::Data)?;
        let written = wish(token, recipe, library).map_err(TaskError::Data)?.from;
        let dataset = library.open_whole(recipe).map_err(task)?;
        wishes.iter().try_for_each(|wish| dataset.grants(wish)).map_err(task)?;
        let first = subjects(&dataset, &wishes);
        let (lengths, transforms) = (lengths(&asked.inputs), recipe.transforms.clone());
        let candidates = match &asked.answer {
            Answer::Rank { candidates, .. } => library.list(candidates).map_err(task)?,
            _ => Vec::new(),
        };
        Ok(Self { dataset, first, wishes, fixed, written, vocabulary, candidates, lengths, transforms })
    }
}

/// The input that a task writes.
fn token(asked: &Task) -> Result<&Input, TaskError> {
    let found = match &asked.answer {
        Answer::Generate { token, .. } | Answer::Rank { token, .. } => {
            asked.inputs.iter().find(|input| input.name == *token)
        }
        _ => None,
    };
    found.ok_or_else(|| {
        TaskError::Data(format!("the answer of task `{}` depends on no text that it writes", asked.name))
    })
}

fn subjects(dataset: &Dataset, wishes: &[Wish]) -> Vec<usize> {
    let cells: Vec<&Cells> = wishes.iter().filter_map(|wish| dataset.cells(&wish.from)).collect();
    let begins = |row: &usize| *row == 0 || !cells.iter().all(|cells| equal(cells, row - 1, *row));
    (0..dataset.rows()).filter(begins).chain([dataset.rows()]).collect()
}

/// Whether two rows of a column hold the same.
fn equal(cells: &Cells, a: usize, b: usize) -> bool {
    match cells {
        Cells::Pictures(pictures) => pictures[a] == pictures[b],
        Cells::Texts(texts) => texts[a] == texts[b],
        Cells::Ids(ids) => ids[a] == ids[b],
        Cells::Numbers { width, values } => {
            let row = |row: usize| &values[row * width..(row + 1) * width];
            row(a) == row(b)
        }
    }
}

impl Subjects for TaskSubjects {
    fn count(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    fn rows(&self) -> usize {
        self.dataset.rows()
    }

    fn row(&self, subject: usize) -> usize {
        self.first[subject]
    }

    fn fingerprint(&self) -> String {
        self.dataset.fingerprint()
    }

    fn read(&mut self, subjects: Range<usize>) -> Result<Inputs, TaskError> {
        let rows = &self.first[subjects];
        let columns = self.dataset.read(rows, &self.wishes, &self.transforms).map_err(task)?;
        let read = columns.into_iter().flat_map(|column| tensors(column, &self.lengths));
        Ok(self.fixed.iter().cloned().chain(read).collect())
    }

    fn references(&self, subject: usize) -> Vec<Reference> {
        let Some(Cells::Texts(texts)) = self.dataset.cells(&self.written) else { return Vec::new() };
        let share = |row: usize| match self.dataset.cells("weight") {
            Some(Cells::Numbers { width: 1, values }) => f64::from(values[row]),
            _ => 1.0,
        };
        let rows = self.first[subject]..self.first[subject + 1];
        rows.map(|row| Reference { text: texts[row].clone(), share: share(row) }).collect()
    }

    fn candidates(&self) -> &[String] {
        &self.candidates
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn problems(&self) -> Vec<String> {
        self.dataset.report().lines()
    }
}
