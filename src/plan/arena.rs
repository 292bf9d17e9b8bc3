//! Offsets in one arena: spans that meet in time share no word.
//!
//! Spans are placed one after another, each into the smallest gap between those it meets that is large enough. Two
//! sequences are tried, largest first and earliest first, and the shorter arena is kept.

use super::life::Span;
use std::cmp::Reverse;

/// Where spans lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// First word of every span.
    pub starts: Vec<usize>,
    /// Words of the arena: one past the last word that any span has.
    pub words: usize,
}

/// Places all spans.
pub fn place(spans: &[Span]) -> Placed {
    let mut largest: Vec<usize> = (0..spans.len()).collect();
    largest.sort_by_key(|i| (Reverse(spans[*i].words), spans[*i].first));
    let mut earliest: Vec<usize> = (0..spans.len()).collect();
    earliest.sort_by_key(|i| (spans[*i].first, Reverse(spans[*i].last)));
    let (by_size, by_time) = (place_in(spans, &largest), place_in(spans, &earliest));
    if by_time.words < by_size.words { by_time } else { by_size }
}

fn place_in(spans: &[Span], sequence: &[usize]) -> Placed {
    let mut starts = vec![0; spans.len()];
    let mut placed: Vec<(usize, usize)> = Vec::with_capacity(spans.len());
    let mut words = 0;
    for i in sequence {
        let taken = placed.iter().filter(|(_, other)| spans[*other].meets(&spans[*i]));
        let start =
            best_gap(taken.map(|(start, other)| (*start, start + spans[*other].words)), spans[*i].words);
        starts[*i] = start;
        words = words.max(start + spans[*i].words);
        let at = placed.partition_point(|(other, _)| *other <= start);
        placed.insert(at, (start, *i));
    }
    Placed { starts, words }
}

/// The start of the smallest gap that holds `words`, or the end; `taken` is sorted by start.
fn best_gap(taken: impl Iterator<Item = (usize, usize)>, words: usize) -> usize {
    let (mut end, mut best) = (0, None);
    for (start, stop) in taken {
        if start > end && start - end >= words && best.is_none_or(|(gap, _)| start - end < gap) {
            best = Some((start - end, end));
        }
        end = end.max(stop);
    }
    best.map_or(end, |(_, start)| start)
}
