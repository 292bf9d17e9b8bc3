//! Offsets in one arena: spans that meet in time share no word.
//!
//! Spans are placed one after another, each into the smallest gap between those it meets that is large enough: first the
//! large ones by time, and again by size if more than a hundredth is lost so; the shorter arena is kept. The small ones,
//! half of all and a thousandth of the words, follow behind by time.

mod gaps;
mod taken;

use super::life::Span;
use gaps::Gaps;
use std::cmp::Reverse;
use taken::Taken;

/// Where spans lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// First word of every span.
    pub starts: Vec<usize>,
    /// Words of the arena: one past the last word that any span has.
    pub words: usize,
}

/// A span is small if it has less than this part of the words that are needed at once.
const SMALL: usize = 10_000;

/// Places all spans.
pub fn place(spans: &[Span]) -> Placed {
    let most = most(spans);
    let (large, small): (Vec<usize>, Vec<usize>) =
        (0..spans.len()).partition(|i| spans[*i].words >= most / SMALL);
    let mut starts = vec![0; spans.len()];
    let words = place_large(spans, large, most, &mut starts);
    let small = in_time(spans, small);
    let after = by_time(spans, &small, &mut starts);
    small.iter().for_each(|i| starts[*i] += words);
    Placed { starts, words: words + after }
}

/// Places spans in the better of two sequences and gives the words they take. By size takes far longer.
fn place_large(spans: &[Span], mut large: Vec<usize>, most: usize, starts: &mut [usize]) -> usize {
    let by_time = by_time(spans, &in_time(spans, large.clone()), starts);
    if by_time <= most + most / 100 {
        return by_time;
    }
    large.sort_by_key(|i| (Reverse(spans[*i].words), spans[*i].first));
    let mut other = starts.to_vec();
    let by_size = by_size(spans, &large, &mut other);
    if by_size < by_time {
        starts.copy_from_slice(&other);
    }
    by_time.min(by_size)
}

fn in_time(spans: &[Span], mut some: Vec<usize>) -> Vec<usize> {
    some.sort_by_key(|i| (spans[*i].first, Reverse(spans[*i].last)));
    some
}

fn by_size(spans: &[Span], largest_first: &[usize], starts: &mut [usize]) -> usize {
    let mut taken = Taken::default();
    largest_first.iter().map(|i| taken.place(&spans[*i], &mut starts[*i])).max().unwrap_or(0)
}

fn by_time(spans: &[Span], earliest_first: &[usize], starts: &mut [usize]) -> usize {
    let mut gaps = Gaps::default();
    earliest_first.iter().for_each(|i| starts[*i] = gaps.place(&spans[*i]));
    gaps.words()
}

/// The most words that are needed at one place of the order: no arena is shorter.
fn most(spans: &[Span]) -> usize {
    let end = spans.iter().map(|span| span.last + 2).max().unwrap_or(0);
    let (mut begun, mut ended) = (vec![0; end], vec![0; end]);
    for span in spans {
        begun[span.first] += span.words;
        ended[span.last + 1] += span.words;
    }
    let mut live = 0;
    let after = |(begun, ended): (&usize, &usize)| {
        live = live + begun - ended;
        live
    };
    begun.iter().zip(&ended).map(after).max().unwrap_or(0)
}
