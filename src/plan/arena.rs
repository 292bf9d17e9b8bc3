//! Offsets in one arena: spans that meet in time share no word.
//!
//! Spans are placed one after another, each into the smallest gap between those it meets that is large enough: first the
//! large ones by size, and again by time if more than a hundredth is lost so; the shorter arena is kept. The small ones,
//! half of all and a thousandth of the words, follow behind by time.

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

/// Places spans in the better of two sequences and gives the words they take.
fn place_large(spans: &[Span], mut large: Vec<usize>, most: usize, starts: &mut [usize]) -> usize {
    large.sort_by_key(|i| (Reverse(spans[*i].words), spans[*i].first));
    let by_size = by_size(spans, &large, starts);
    if by_size <= most + most / 100 {
        return by_size;
    }
    let mut other = starts.to_vec();
    let by_time = by_time(spans, &in_time(spans, large), &mut other);
    if by_time < by_size {
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
    let (mut taken, mut words) = (Taken::default(), 0);
    for some in earliest_first.chunks(MOST) {
        taken.forget(spans[some[0]].first);
        words = some.iter().map(|i| taken.place(&spans[*i], &mut starts[*i])).fold(words, usize::max);
    }
    words
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

/// Spans of a block; a full one is cut in two.
const MOST: usize = 64;

/// Placed spans in the order of their starts: in blocks, so that one more moves few of them.
#[derive(Default)]
struct Taken(Vec<Block>);

/// A place in the order as few bytes, so that many are compared at once. What lies beyond the range counts as its end: spans
/// there meet too often, never too seldom.
type Time = i16;

fn time(place: usize) -> Time {
    let most = usize::from(u16::MAX);
    (place.min(most) as i32 + i32::from(Time::MIN)) as Time
}

/// Up to [`MOST`] placed spans, field by field: times lie side by side.
struct Block {
    count: usize,
    first: [Time; MOST],
    last: [Time; MOST],
    place: [(usize, usize); MOST],
}

impl Taken {
    /// Finds the start of a span and gives its end.
    fn place(&mut self, span: &Span, start: &mut usize) -> usize {
        *start = self.best_gap(span);
        self.insert(*start, span);
        *start + span.words
    }

    /// Drops what has ended before a place of the order.
    fn forget(&mut self, now: usize) {
        self.0.iter_mut().for_each(|block| block.forget(time(now)));
        self.0.retain(|block| block.count > 0);
    }

    /// The start of the smallest gap that holds a span between those it meets, or the end.
    fn best_gap(&self, span: &Span) -> usize {
        let (mut end, mut best) = (0, None);
        for block in &self.0 {
            for (start, after) in block.meeting(span) {
                let gap = start.saturating_sub(end);
                if start > end && gap >= span.words && best.is_none_or(|(least, _)| gap < least) {
                    best = Some((gap, end));
                }
                end = end.max(after);
            }
            if best.is_some_and(|(gap, _)| gap == span.words) {
                break;
            }
        }
        best.map_or(end, |(_, start)| start)
    }

    fn insert(&mut self, start: usize, span: &Span) {
        let after = self.0.partition_point(|block| block.place[0].0 <= start);
        if self.0.is_empty() {
            self.0.push(Block::new());
        }
        let at = after.saturating_sub(1);
        self.0[at].insert(start, span);
        if self.0[at].count == MOST {
            let rest = self.0[at].split();
            self.0.insert(at + 1, rest);
        }
    }
}

impl Block {
    fn new() -> Self {
        Self { count: 0, first: [Time::MAX; MOST], last: [Time::MIN; MOST], place: [(0, 0); MOST] }
    }

    /// Where those of its spans lie that are needed together with a span.
    fn meeting(&self, span: &Span) -> impl Iterator<Item = (usize, usize)> {
        let (first, last) = (time(span.first), time(span.last));
        let mut meets = [0u8; MOST];
        for (i, meets) in meets.iter_mut().enumerate() {
            *meets = u8::from(self.first[i] <= last) & u8::from(first <= self.last[i]);
        }
        let mut left = meets.chunks_exact(8).rev().fold(0, |bits, bytes| bits << 8 | packed(bytes));
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            self.place.get(at).copied()
        })
    }

    fn insert(&mut self, start: usize, span: &Span) {
        let (count, at) =
            (self.count, self.place[..self.count].partition_point(|(other, _)| *other <= start));
        self.first.copy_within(at..count, at + 1);
        self.last.copy_within(at..count, at + 1);
        self.place.copy_within(at..count, at + 1);
        (self.first[at], self.last[at]) = (time(span.first), time(span.last));
        self.place[at] = (start, start + span.words);
        self.count += 1;
    }

    fn forget(&mut self, now: Time) {
        let count = std::mem::take(&mut self.count);
        for i in 0..count {
            if self.last[i] >= now {
                let kept = self.count;
                (self.first[kept], self.last[kept], self.place[kept]) =
                    (self.first[i], self.last[i], self.place[i]);
                self.count += 1;
            }
        }
        self.first[self.count..].fill(Time::MAX);
    }

    /// Keeps the first half and gives the second.
    fn split(&mut self) -> Self {
        let mut rest = Self::new();
        let half = self.count / 2;
        rest.count = self.count - half;
        rest.first[..rest.count].copy_from_slice(&self.first[half..self.count]);
        rest.last[..rest.count].copy_from_slice(&self.last[half..self.count]);
        rest.place[..rest.count].copy_from_slice(&self.place[half..self.count]);
        self.first[half..].fill(Time::MAX);
        self.count = half;
        rest
    }
}

/// Eight bytes, each 0 or 1, as eight bits: the product brings byte i to bit 56 + i, and no two others meet.
fn packed(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}
