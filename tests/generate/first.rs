//! The data of a task that writes, cut to its first subjects: what tests need to be quick.

use chiasm::Tensor;
use chiasm::task::TaskError;
use chiasm::task::subjects::{Reference, Subjects};
use std::ops::Range;

/// The first few subjects of a task.
pub struct First(pub Box<dyn Subjects>, pub usize);

impl Subjects for First {
    fn count(&self) -> usize {
        self.1
    }
    fn rows(&self) -> usize {
        self.0.rows()
    }
    fn row(&self, subject: usize) -> usize {
        self.0.row(subject)
    }
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }
    fn read(&mut self, subjects: Range<usize>) -> Result<Vec<(String, Tensor)>, TaskError> {
        self.0.read(subjects)
    }
    fn references(&self, subject: usize) -> Vec<Reference> {
        self.0.references(subject)
    }
    fn candidates(&self) -> &[String] {
        self.0.candidates()
    }
    fn vocabulary(&self) -> &chiasm::data::Vocabulary {
        self.0.vocabulary()
    }
    fn problems(&self) -> Vec<String> {
        self.0.problems()
    }
}
