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
    let by_size = place_in(spans, &largest);
    if by_size.words == most(spans) {
        return by_size;
    }
    let mut earliest: Vec<usize> = (0..spans.len()).collect();
    earliest.sort_by_key(|i| (spans[*i].first, Reverse(spans[*i].last)));
    let by_time = place_in(spans, &earliest);
    if by_time.words < by_size.words { by_time } else { by_size }
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

fn place_in(spans: &[Span], sequence: &[usize]) -> Placed {
    let mut starts = vec![0; spans.len()];
    let mut taken = Taken::default();
    let mut words = 0;
    for i in sequence {
        starts[*i] = taken.best_gap(&spans[*i]);
        taken.insert(starts[*i], spans[*i]);
        words = words.max(starts[*i] + spans[*i].words);
    }
    Placed { starts, words }
}

/// Spans of a block; more are cut in two.
const MOST: usize = 128;

/// Placed spans in the order of their starts: in blocks, so that one more moves few of them.
#[derive(Default)]
struct Taken(Vec<Vec<(usize, Span)>>);

impl Taken {
    /// The start of the smallest gap that holds a span between those it meets, or the end.
    fn best_gap(&self, span: &Span) -> usize {
        let (mut end, mut best) = (0, None);
        for (start, other) in self.0.iter().flat_map(|block| block.iter().filter(move |(_, o)| o.meets(span)))
        {
            let fits = *start > end && start - end >= span.words;
            if fits && best.is_none_or(|(gap, _)| start - end < gap) {
                best = Some((start - end, end));
                if start - end == span.words {
                    break;
                }
            }
            end = end.max(start + other.words);
        }
        best.map_or(end, |(_, start)| start)
    }

    fn insert(&mut self, start: usize, span: Span) {
        let after = self.0.partition_point(|block| block.first().is_some_and(|(other, _)| *other <= start));
        if self.0.is_empty() {
            self.0.push(Vec::new());
        }
        let at = after.saturating_sub(1);
        let block = &mut self.0[at];
        block.insert(block.partition_point(|(other, _)| *other <= start), (start, span));
        if block.len() > MOST {
            let rest = block.split_off(MOST / 2);
            self.0.insert(at + 1, rest);
        }
    }
}
