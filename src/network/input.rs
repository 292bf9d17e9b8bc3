//! What a caller gives, turned into what a graph reads: pictures become pixels, texts become ids with their lengths.

use super::{Network, NetworkError};
use crate::data::image::Pixels;
use crate::data::transform::Augmentation;
use crate::data::{Column, Values, Vocabulary};
use crate::lower::model::{self, Reading};
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::train::{source, words};
use chiasm_dsl::diagnostic::nearest;
use std::sync::Arc;

/// The rows of one input.
#[derive(Clone, Debug)]
pub enum Input {
    /// Numbers or ids as the graph reads them, rows first. Pixels are `[rows, 3, side, side]` in 0..1.
    Tensor(Tensor),
    /// Decoded pictures of any size, made square as the stage's data does it without chance: squashed, or `center`.
    Images(Vec<Pixels>),
    /// Texts for the input's own tokenizer, cut to its length.
    Texts(Vec<String>),
    /// Ids of each row, first and last token included; shorter rows are padded, and say their lengths so.
    Tokens(Vec<Vec<i32>>),
}

impl From<Tensor> for Input {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

impl From<Vec<Pixels>> for Input {
    fn from(images: Vec<Pixels>) -> Self {
        Self::Images(images)
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Texts(vec![text.to_string()])
    }
}

impl<S: ToString, const N: usize> From<[S; N]> for Input {
    fn from(texts: [S; N]) -> Self {
        Self::Texts(texts.iter().map(S::to_string).collect())
    }
}

impl From<Vec<String>> for Input {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<Vec<Vec<i32>>> for Input {
    fn from(rows: Vec<Vec<i32>>) -> Self {
        Self::Tokens(rows)
    }
}

impl Network {
    /// Everything that the values read, checked but for the number of rows.
    pub(crate) fn read_inputs(
        &mut self,
        at: usize,
        given: &[(&str, Input)],
    ) -> Result<Vec<(String, Tensor)>, NetworkError> {
        self.known(given)?;
        let wanted = self.wanted[at].clone();
        let find = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, input)| input);
        let mut found = Vec::new();
        for input in &wanted.values.inputs {
            let Some(rows) = find(&input.name) else {
                let (value, name) = (wanted.names.join(", "), input.name.clone());
                return Err(NetworkError::MissingInput { value, name, expected: input.shape.to_string() });
            };
            found.extend(self.read(input, rows)?);
            let Some(lengths) = &input.lengths else { continue };
            if let Some(Input::Tensor(tensor)) = find(lengths) {
                found.push((lengths.clone(), tensor.clone()));
            } else if !found.iter().any(|(name, _)| name == lengths) {
                return Err(NetworkError::Lengths { name: input.name.clone(), lengths: lengths.clone() });
            }
        }
        Ok(found)
    }

    /// Names that the file does not have are refused even where nothing reads them.
    fn known(&self, given: &[(&str, Input)]) -> Result<(), NetworkError> {
        let known = self.model.inputs();
        let is_known = |name: &str| known.contains(&name.strip_suffix(".lengths").unwrap_or(name));
        let Some((name, _)) = given.iter().find(|(name, _)| !is_known(name)) else { return Ok(()) };
        let near = nearest(name, known.iter().copied()).map(str::to_string);
        let known = known.iter().map(|name| name.to_string()).collect();
        Err(NetworkError::UnknownInput { name: name.to_string(), near, known })
    }

    fn read(&mut self, input: &model::Input, rows: &Input) -> Result<Vec<(String, Tensor)>, NetworkError> {
        let unreadable = |given| {
            let (name, expected) = (input.name.clone(), input.shape.to_string());
            Err(NetworkError::Unreadable { name, expected, given })
        };
        match (rows, &input.reading) {
            (Input::Tensor(tensor), _) => Ok(vec![(input.name.clone(), tensor.clone())]),
            (Input::Images(images), Reading::Image { side }) => {
                Ok(vec![(input.name.clone(), self.pixels(&input.name, images, *side))])
            }
            (Input::Texts(texts), Reading::Text { vocabulary, length }) => {
                let words = self.vocabulary(vocabulary)?;
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let column = words.column(&input.name, &texts, *length);
                Ok(inputs(input, column.map_err(|error| NetworkError::Words(error.to_string()))?))
            }
            (Input::Tokens(rows), Reading::Text { vocabulary, length }) => {
                let pad = self.vocabulary(vocabulary)?.pad();
                Ok(inputs(input, tokens(input, rows, *length, pad)?))
            }
            (Input::Images(_), _) => unreadable("pictures"),
            (Input::Texts(_), _) => unreadable("texts"),
            (Input::Tokens(_), _) => unreadable("rows of ids"),
        }
    }

    fn pixels(&self, input: &str, images: &[Pixels], side: usize) -> Tensor {
        let feed = self.stage.feeds.get(self.stage.source_of(input));
        let augmentation = Augmentation::fixed(feed.map_or(&[], |feed| &feed.data.transforms));
        let size = 3 * side * side;
        let mut values = vec![0.0; images.len() * size];
        for (image, out) in images.iter().zip(values.chunks_mut(size.max(1))) {
            augmentation.apply(image.clone(), side, None).write_on(side, out);
        }
        Tensor::floats([images.len(), 3, side, side], values)
    }

    fn vocabulary(&mut self, named: &model::Vocabulary) -> Result<Arc<Vocabulary>, NetworkError> {
        if let Some(known) = self.vocabularies.get(named) {
            return Ok(known.clone());
        }
        let opened = words::words(named, &self.library).map_err(NetworkError::Words)?;
        self.vocabularies.insert(named.clone(), opened.clone());
        Ok(opened)
    }
}

/// A column under the names that the graph has for it and its lengths.
fn inputs(input: &model::Input, column: Column) -> Vec<(String, Tensor)> {
    source::tensors(column, &source::lengths(std::slice::from_ref(input)))
}

/// Rows of ids as a padded column.
fn tokens(input: &model::Input, rows: &[Vec<i32>], length: usize, pad: i32) -> Result<Column, NetworkError> {
    if let Some(long) = rows.iter().find(|row| row.len() > length || row.is_empty()) {
        let (name, found) = (input.name.clone(), format!("a row of {} ids", long.len()));
        return Err(NetworkError::Shape { name, expected: format!("1 to {length} ids a row"), found });
    }
    let padded =
        |row: &Vec<i32>| row.iter().copied().chain(std::iter::repeat(pad)).take(length).collect::<Vec<_>>();
    let values = Values::Ids(rows.iter().flat_map(padded).collect());
    let lengths = Some(rows.iter().map(|row| row.len() as i32).collect());
    Ok(Column { name: input.name.clone(), dims: vec![rows.len(), length], values, lengths })
}

/// A tensor's shape as messages write it.
pub(super) fn shape_of(tensor: &Tensor) -> Shape {
    Shape::float(tensor.dims.iter().copied()).with_kind(tensor.kind())
}
