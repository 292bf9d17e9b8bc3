//! Spans placed in any order of time: each into the smallest gap between those it meets.
//!
//! Invariant: spans that meet share no word.

use crate::plan::life::Span;

/// Spans of a block; a full one is cut in two.
const MOST: usize = 64;

/// Placed spans in the order of their starts: in blocks, so that one more moves few of them.
#[derive(Default)]
pub struct Taken(Vec<Block>);

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
    pub fn place(&mut self, span: &Span, start: &mut usize) -> usize {
        *start = self.best_gap(span);
        self.insert(*start, span);
        *start + span.words
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
