//! How often words stand next to each other: runs of one, two, … n words and their counts.

use std::collections::BTreeMap;

/// Runs of words with counts; `counts[k]` are those of k + 1 words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ngrams<'a> {
    /// By length, from one word on.
    pub counts: Vec<BTreeMap<&'a [String], usize>>,
    /// How many words the text has.
    pub words: usize,
}

impl<'a> Ngrams<'a> {
    /// Counts runs of up to `n` words.
    pub fn new(words: &'a [String], n: usize) -> Self {
        let count = |length: usize| {
            let mut counts = BTreeMap::new();
            words.windows(length).for_each(|run| *counts.entry(run).or_default() += 1);
            counts
        };
        Self { counts: (1..=n).map(count).collect(), words: words.len() }
    }

    /// How many runs of `k + 1` words there are.
    pub fn total(&self, k: usize) -> usize {
        self.words.saturating_sub(k)
    }
}
