//! Spans placed in the order of time: each into the smallest gap that is free when it begins, as a best-fit heap does.
//!
//! Invariant: no two gaps touch, and none lies at the end.

use crate::plan::life::Span;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What is free and what is taken at one place of the order.
#[derive(Default)]
pub struct Gaps {
    /// Ends of gaps by their starts.
    by_start: BTreeMap<usize, usize>,
    /// Words and start of every gap.
    by_words: BTreeSet<(usize, usize)>,
    /// One past the last word that is taken.
    end: usize,
    /// Last places of the spans that are not over, the first to end on top, each with its start and end.
    live: BinaryHeap<Reverse<(usize, usize, usize)>>,
    most: usize,
}

impl Gaps {
    /// The start of a span that begins no earlier than all before.
    pub fn place(&mut self, span: &Span) -> usize {
        while let Some(Reverse((last, start, end))) = self.live.peek().copied()
            && last < span.first
        {
            self.live.pop();
            self.free(start, end);
        }
        let start = self.take(span.words);
        self.live.push(Reverse((span.last, start, start + span.words)));
        start
    }

    /// The most words that were taken.
    pub fn words(&self) -> usize {
        self.most
    }

    fn take(&mut self, words: usize) -> usize {
        match self.by_words.range((words, 0)..).next().copied() {
            Some((free, start)) => {
                self.remove(start, start + free);
                self.add(start + words, start + free);
                start
            }
            None => {
                let start = self.end;
                self.end += words;
                self.most = self.most.max(self.end);
                start
            }
        }
    }

    /// Joins what was taken with the gaps around it.
    fn free(&mut self, mut start: usize, mut end: usize) {
        if let Some((before, until)) = self.by_start.range(..start).next_back().map(|(s, e)| (*s, *e))
            && until == start
        {
            self.remove(before, until);
            start = before;
        }
        if let Some(until) = self.by_start.get(&end).copied() {
            self.remove(end, until);
            end = until;
        }
        if end == self.end { self.end = start } else { self.add(start, end) }
    }

    fn add(&mut self, start: usize, end: usize) {
        if start < end {
            self.by_start.insert(start, end);
            self.by_words.insert((end - start, start));
        }
    }

    fn remove(&mut self, start: usize, end: usize) {
        self.by_start.remove(&start);
        self.by_words.remove(&(end - start, start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_again_is_joined_and_the_smallest_gap_is_taken() {
        let mut gaps = Gaps::default();
        let mut place = |first, last, words| gaps.place(&Span { first, last, words });
        assert_eq!([place(0, 1, 32), place(0, 9, 16), place(0, 1, 16), place(0, 9, 16)], [0, 32, 48, 64]);
        assert_eq!(place(2, 3, 16), 48, "the smallest");
        assert_eq!(place(2, 9, 32), 0);
        assert_eq!([place(4, 9, 48), place(4, 9, 16)], [80, 48], "the end, where no gap is large enough");
        assert_eq!(place(10, 10, 128), 0, "one gap of all, and it lies at the end");
        assert_eq!(gaps.words(), 128);
    }
}
