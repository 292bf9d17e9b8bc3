//! STUB
use super::Graph;

/// A graph that keeps every rule: what executors are handed.
#[derive(Clone, Debug)]
pub struct Verified(Graph);

impl Graph {
    /// Checks every rule.
    ///
    /// # Errors
    /// All rules that are broken.
    pub fn verify(self) -> Result<Verified, Vec<String>> {
        Ok(Verified(self))
    }
}

impl std::ops::Deref for Verified {
    type Target = Graph;
    fn deref(&self) -> &Graph {
        &self.0
    }
}
