//! Spans placed in the order of time: each into the smallest gap that is free when it begins, as a best-fit heap does.
//!
//! Invariant: no two gaps touch, and none lies at the end.

use crate::plan::life::Span;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is free and what is taken at one place of the order.
#[derive(Default)]
pub struct Gaps {
    /// Start and end of every gap, in order; they are few.
    gaps: Vec<(usize, usize)>,
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

    /// The first of the smallest gaps that are large enough, or the end.
    fn take(&mut self, words: usize) -> usize {
        let fits = self.gaps.iter().enumerate().filter(|(_, (start, end))| end - start >= words);
        let Some(at) = fits.min_by_key(|(_, (start, end))| end - start).map(|(at, _)| at) else {
            let start = self.end;
            self.end += words;
            self.most = self.most.max(self.end);
            return start;
        };
        let (start, end) = self.gaps[at];
        if end - start == words {
            self.gaps.remove(at);
        } else {
            self.gaps[at].0 += words;
        }
        start
    }

    /// Joins what was taken with the gaps around it.
    fn free(&mut self, start: usize, end: usize) {
        let at = self.gaps.partition_point(|gap| gap.0 < start);
        let before = at.checked_sub(1).filter(|before| self.gaps[*before].1 == start);
        let after = self.gaps.get(at).copied().filter(|after| after.0 == end);
        let joined = (before.map_or(start, |before| self.gaps[before].0), after.map_or(end, |after| after.1));
        self.gaps.drain(before.unwrap_or(at)..at + usize::from(after.is_some()));
        if joined.1 == self.end {
            self.end = joined.0;
        } else {
            self.gaps.insert(before.unwrap_or(at), joined);
        }
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
