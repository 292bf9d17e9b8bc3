//! Where a stage's batches come from: the loader of `data` in life, a list of tensors in tests and in other programs.

use super::TrainError;
use crate::tensor::Tensor;
use serde_json::Value;

/// The inputs of one step, by name.
pub type Inputs = Vec<(String, Tensor)>;

/// A source of batches that can be asked where it stands and be put there again.
pub trait Feed {
    /// Full batches of one epoch.
    fn epoch(&self) -> u64;

    /// The next batch.
    ///
    /// # Errors
    /// The data cannot be read.
    fn next_batch(&mut self) -> Result<Inputs, TrainError>;

    /// Where it stands, for a checkpoint.
    fn position(&self) -> Value;

    /// Goes where a checkpoint stood.
    ///
    /// # Errors
    /// The position belongs to other data.
    fn seek(&mut self, position: &Value) -> Result<(), TrainError>;

    /// What was wrong with the data but did not stop it: counts and first names, a line a kind.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The same batches again and again.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// What it gives, in turn.
    pub batches: Vec<Inputs>,
    /// How many it gave.
    pub given: u64,
}

impl Feed for Repeat {
    fn epoch(&self) -> u64 {
        self.batches.len().max(1) as u64
    }

    fn next_batch(&mut self) -> Result<Inputs, TrainError> {
        let batch = self.batches.get((self.given % self.epoch()) as usize).cloned();
        self.given += 1;
        batch.ok_or_else(|| TrainError::Data("there are no batches".into()))
    }

    fn position(&self) -> Value {
        self.given.into()
    }

    fn seek(&mut self, position: &Value) -> Result<(), TrainError> {
        let place = position.as_u64();
        self.given =
            place.ok_or_else(|| TrainError::Data(format!("{position} is not a number of batches")))?;
        Ok(())
    }
}
