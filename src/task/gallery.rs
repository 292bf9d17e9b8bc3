//! The pictures and texts of a retrieval task, and what is kept of each of them.

use super::TaskError;
use crate::tensor::{Tensor, Values};
use std::ops::Range;

/// Pictures with captions, in a fixed order.
pub trait Gallery {
    /// How many pictures.
    fn images(&self) -> usize;
    /// The picture of each text.
    fn owners(&self) -> &[usize];
    /// The inputs that come with these pictures, by name.
    ///
    /// # Errors
    /// A picture that cannot be read.
    fn image_rows(&mut self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, TaskError>;
    /// The inputs that come with these texts, by name.
    ///
    /// # Errors
    /// A text that cannot be read.
    fn text_rows(&mut self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, TaskError>;
    /// What was wrong with them but did not stop the task: counts and first names, a line a kind.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Values by name, with one row for every picture or text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows(pub Vec<(String, Tensor)>);

impl Rows {
    /// The numbers of a name; none if it is not there.
    pub fn floats(&self, name: &str) -> &[f32] {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.and_then(|(_, tensor)| tensor.as_floats()).unwrap_or(&[])
    }

    /// Puts further rows below.
    pub fn append(&mut self, more: Rows) {
        if self.0.is_empty() {
            self.0 = more.0;
            return;
        }
        for ((_, tensor), (_, next)) in self.0.iter_mut().zip(more.0) {
            tensor.dims[0] += next.dims[0];
            match (&mut tensor.values, next.values) {
                (Values::Floats(all), Values::Floats(more)) => all.extend(more),
                (Values::Ids(all), Values::Ids(more)) => all.extend(more),
                (Values::Floats(_), Values::Ids(_)) | (Values::Ids(_), Values::Floats(_)) => {}
            }
        }
    }

    /// Some rows of what the pair part reads.
    pub fn gather(&self, rows: &[usize]) -> Vec<(String, Tensor)> {
        let cuts = self.0.iter().filter(|(name, _)| name.starts_with("cut/"));
        cuts.map(|(name, tensor)| (name.clone(), choose(tensor, rows))).collect()
    }
}

/// Some rows of a tensor, in the given order.
pub fn choose(tensor: &Tensor, rows: &[usize]) -> Tensor {
    let width: usize = tensor.dims.iter().skip(1).product();
    let mut dims = tensor.dims.clone();
    if let Some(first) = dims.first_mut() {
        *first = rows.len();
    }
    let values = match &tensor.values {
        Values::Floats(all) => Values::Floats(pick(all, rows, width)),
        Values::Ids(all) => Values::Ids(pick(all, rows, width)),
    };
    Tensor { dims, values }
}

fn pick<T: Copy>(all: &[T], rows: &[usize], width: usize) -> Vec<T> {
    rows.iter().flat_map(|row| &all[row * width..(row + 1) * width]).copied().collect()
}
