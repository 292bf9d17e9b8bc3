//! Offsets in one arena: spans that meet in time share no word.
//!
//! Spans are placed one after another, each into the smallest gap between those it meets that is large enough. The large
//! ones are placed from the last place of the order to the first; if more than a hundredth is lost so, from the first to the
//! last, and if it still is, by size, which takes far longer; the shortest arena is kept. The small ones, half of all and a
//! thousandth of the words, follow behind by time.

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
    let words = place_large(spans, &large, most, &mut starts);
    let after = forwards(spans, &small, &mut starts);
    small.iter().for_each(|i| starts[*i] += words);
    Placed { starts, words: words + after }
}

/// How spans are placed: where each starts goes into the list, the words that they take come back.
type Way = fn(&[Span], &[usize], &mut [usize]) -> usize;

/// Places spans in the best of three ways and gives the words they take.
fn place_large(spans: &[Span], large: &[usize], most: usize, starts: &mut [usize]) -> usize {
    let mut best = usize::MAX;
    for way in [backwards, forwards, by_size] as [Way; 3] {
        let mut found = vec![0; spans.len()];
        let words = way(spans, large, &mut found);
        if words < best {
            best = words;
            starts.copy_from_slice(&found);
        }
        if best <= most + most / 100 {
            break;
        }
    }
    best
}

fn forwards(spans: &[Span], some: &[usize], starts: &mut [usize]) -> usize {
    in_time(some, starts, |i| spans[i])
}

fn backwards(spans: &[Span], some: &[usize], starts: &mut [usize]) -> usize {
    let end = some.iter().map(|i| spans[*i].last).max().unwrap_or(0);
    let turned = |span: Span| Span { first: end - span.last, last: end - span.first, ..span };
    in_time(some, starts, |i| turned(spans[i]))
}

fn in_time(some: &[usize], starts: &mut [usize], span: impl Fn(usize) -> Span) -> usize {
    let mut some = some.to_vec();
    some.sort_unstable_by_key(|i| (span(*i).first, Reverse(span(*i).last), *i));
    let mut gaps = Gaps::default();
    some.into_iter().for_each(|i| starts[i] = gaps.place(&span(i)));
    gaps.words()
}

fn by_size(spans: &[Span], some: &[usize], starts: &mut [usize]) -> usize {
    let mut some = some.to_vec();
    some.sort_unstable_by_key(|i| (Reverse(spans[*i].words), spans[*i].first, *i));
    let mut taken = Taken::default();
    some.into_iter().map(|i| taken.place(&spans[i], &mut starts[i])).max().unwrap_or(0)
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
