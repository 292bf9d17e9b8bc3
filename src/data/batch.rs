//! What a graph asks of the data, and what it gets: wishes become columns, columns of equal rows become a batch.
//!
//! Invariant: `dims[0]` of every column is the number of rows, and `values` holds the product of `dims`, row by row.
//!
//! ```
//! use chiasm::data::{Column, Values};
//! let column = Column { name: "image_id".into(), dims: vec![2], values: Values::Ids(vec![7, 9]), lengths: None };
//! assert_eq!(column.rows(), 2);
//! ```

use std::sync::Arc;

use super::Vocabulary;

/// One input of the graph.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The name of the input.
    pub name: String,
    /// The column that answers it.
    pub from: String,
    /// Whether it is that of another, random row.
    pub other: bool,
    /// What it holds.
    pub kind: WishKind,
}

/// What an input holds.
#[derive(Clone, Debug)]
pub enum WishKind {
    /// `[rows, 3, side, side]`, red green blue, 0 to 1.
    Image {
        /// Pixels along each side.
        side: usize,
    },
    /// `[rows, length]` token ids, padded, with their lengths.
    Text {
        /// Turns words into ids.
        vocabulary: Arc<Vocabulary>,
        /// Places, first and last token included; at least 2.
        length: usize,
    },
    /// `[rows]`: classes; the number of the picture, which is equal for the captions of one picture.
    Ids,
    /// `[rows, ..dims]`: scores, a weight.
    Numbers {
        /// Sizes of a row.
        dims: Vec<usize>,
    },
}

impl Wish {
    /// Asks for the column of the input's own name.
    pub fn new(name: &str, kind: WishKind) -> Self {
        Self { name: name.into(), from: name.into(), other: false, kind }
    }

    /// Asks for pictures.
    pub fn image(name: &str, side: usize) -> Self {
        Self::new(name, WishKind::Image { side })
    }

    /// Asks for token ids.
    pub fn text(name: &str, vocabulary: Arc<Vocabulary>, length: usize) -> Self {
        Self::new(name, WishKind::Text { vocabulary, length })
    }

    /// Asks for whole numbers.
    pub fn ids(name: &str) -> Self {
        Self::new(name, WishKind::Ids)
    }
}

/// One column of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name of the wish it answers.
    pub name: String,
    /// Sizes; the first is the number of rows.
    pub dims: Vec<usize>,
    /// The numbers, row by row.
    pub values: Values,
    /// Used places of every row of a text, first and last token included.
    pub lengths: Option<Vec<i32>>,
}

impl Column {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.dims.first().copied().unwrap_or(0)
    }
}

/// The numbers of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Pixels, scores.
    Floats(Vec<f32>),
    /// Token ids, classes or picture numbers.
    Ids(Vec<i32>),
}

/// What one step reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// One column a wish, in the order of the wishes.
    pub columns: Vec<Column>,
    /// The rows of the data set that it holds; a broken picture has been replaced.
    pub rows: Vec<usize>,
}
