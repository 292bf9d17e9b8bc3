//! What texts are written about: pictures, or questions about them, with the texts that people wrote.

use super::TaskError;
use crate::data::Vocabulary;
use crate::tensor::Tensor;
use std::ops::Range;

/// Subjects in a fixed order.
pub trait Subjects {
    /// How many.
    fn count(&self) -> usize;
    /// How many rows of the data they are.
    fn rows(&self) -> usize;
    /// The first row of a subject.
    fn row(&self, subject: usize) -> usize;
    /// A hash of the data, by which it is known again.
    fn fingerprint(&self) -> String;
    /// All inputs but the written one, by name.
    ///
    /// # Errors
    /// A subject that cannot be read.
    fn read(&mut self, subjects: Range<usize>) -> Result<Vec<(String, Tensor)>, TaskError>;
    /// What people wrote about a subject; nothing if nobody did.
    fn references(&self, subject: usize) -> Vec<Reference>;
    /// The texts that an answer is chosen from; none if it is written freely.
    fn candidates(&self) -> &[String];
    /// Turns words into tokens of the written input, and back.
    fn vocabulary(&self) -> &Vocabulary;
    /// What was wrong with the data but did not stop the task: counts and first names, a line a kind.
    fn problems(&self) -> Vec<String>;
}

/// A text that people wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The text.
    pub text: String,
    /// The share of people who gave it as their answer; 1 for captions.
    pub share: f64,
}
