//! What the rows of a data set hold: a picture, a text, a whole number or some numbers a row and column.
//!
//! Invariant: all cells of a column are of one kind; of numbers, all have as many.
//!
//! ```
//! use chiasm::data::{Cell, Cells};
//! let mut labels = Cells::of(Cell::Id(3));
//! assert!(labels.push(Cell::Id(5)));
//! assert!(!labels.push(Cell::Text("a rose".into())));
//! assert_eq!(labels.len(), 2);
//! ```

/// What one row holds in one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The number of a picture of the data set.
    Picture(usize),
    /// Words.
    Text(String),
    /// A class, a picture's number.
    Id(i32),
    /// Scores, a weight.
    Numbers(Vec<f32>),
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers of pictures of the data set.
    Pictures(Vec<u32>),
    /// Words.
    Texts(Vec<String>),
    /// Whole numbers.
    Ids(Vec<i32>),
    /// As many numbers a row.
    Numbers {
        /// How many.
        width: usize,
        /// Row by row.
        values: Vec<f32>,
    },
}

impl Cells {
    /// A column of one row.
    pub fn of(cell: Cell) -> Self {
        match cell {
            Cell::Picture(picture) => Self::Pictures(vec![picture as u32]),
            Cell::Text(text) => Self::Texts(vec![text]),
            Cell::Id(id) => Self::Ids(vec![id]),
            Cell::Numbers(values) => Self::Numbers { width: values.len(), values },
        }
    }

    /// One more row; says whether it is of the column's kind.
    pub fn push(&mut self, cell: Cell) -> bool {
        match (self, cell) {
            (Self::Pictures(all), Cell::Picture(one)) => all.push(one as u32),
            (Self::Texts(all), Cell::Text(one)) => all.push(one),
            (Self::Ids(all), Cell::Id(one)) => all.push(one),
            (Self::Numbers { width, values }, Cell::Numbers(more)) if *width == more.len() => {
                values.extend(more);
            }
            _ => return false,
        }
        true
    }

    /// What a row holds. `row < len()`.
    pub fn cell(&self, row: usize) -> Cell {
        match self {
            Self::Pictures(all) => Cell::Picture(all[row] as usize),
            Self::Texts(all) => Cell::Text(all[row].clone()),
            Self::Ids(all) => Cell::Id(all[row]),
            Self::Numbers { width, values } => Cell::Numbers(values[row * width..(row + 1) * width].to_vec()),
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Pictures(all) => all.len(),
            Self::Texts(all) => all.len(),
            Self::Ids(all) => all.len(),
            Self::Numbers { width, values } => values.len() / (*width).max(1),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it holds, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pictures(_) => "pictures",
            Self::Texts(_) => "texts",
            Self::Ids(_) => "whole numbers",
            Self::Numbers { .. } => "numbers",
        }
    }
}
