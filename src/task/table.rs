//! The rows that a task looks at one by one, in a fixed order.

use super::TaskError;
use crate::tensor::Tensor;
use std::ops::Range;

/// Rows with inputs.
pub trait Table {
    /// How many rows.
    fn rows(&self) -> usize;
    /// What a row says, for people; none if it has no text.
    fn words(&self, row: usize) -> Option<&str>;
    /// A hash of the data, by which it is known again.
    fn fingerprint(&self) -> String;
    /// The inputs of some rows, by name.
    ///
    /// # Errors
    /// Rows that cannot be read.
    fn read(&mut self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, TaskError>;
    /// The class of every row; none if rows have no classes.
    fn labels(&self) -> Vec<i32>;
    /// The names of the classes.
    fn classes(&self) -> Vec<String>;
    /// The inputs that hold these texts, by name.
    ///
    /// # Errors
    /// A text that cannot be read.
    fn texts(&mut self, texts: &[String]) -> Result<Vec<(String, Tensor)>, TaskError>;
    /// What was wrong with the data but did not stop the task: counts and first names, a line a kind.
    fn problems(&self) -> Vec<String>;
}
