//! From when to when memory is needed, once the order is known.
//!
//! Every room becomes a span of the order; a result that may lie over an operand which ends there joins its span.
//! Scratch is a span of one place.

use super::{LINE, Life, Room, Work};

/// Words needed during a part of the order, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First place in the order.
    pub first: usize,
    /// Last place in the order.
    pub last: usize,
    /// Words, a multiple of [`LINE`].
    pub words: usize,
}

impl Span {
    /// Whether both are needed at some place.
    pub fn meets(&self, other: &Span) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// All spans, and which one a room or a scratch has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lives {
    /// The spans.
    pub spans: Vec<Span>,
    /// The span of every room; `None` for those outside and those never used.
    pub room_span: Vec<Option<usize>>,
    /// The span of every work's scratch.
    pub scratch_span: Vec<Option<usize>>,
}

/// The spans of an order.
pub fn lives(rooms: &[Room], work: &[Work], order: &[usize]) -> Lives {
    let own = own_spans(rooms, work, order);
    let mut lives = Lives { room_span: vec![None; rooms.len()], ..Lives::default() };
    let mut under = vec![None; rooms.len()];
    let mut covered = vec![false; rooms.len()];
    for (place, at) in order.iter().enumerate() {
        for (read, written) in &work[*at].over {
            if may_share(rooms, &own, place, *read, *written) && under[*written].is_none() && !covered[*read]
            {
                under[*written] = Some(*read);
                covered[*read] = true;
            }
        }
    }
    let mut by_first: Vec<usize> = (0..rooms.len()).filter(|room| own[*room].is_some()).collect();
    by_first.sort_by_key(|room| own[*room].map(|span| (span.first, under[*room].is_some())));
    for room in by_first {
        let Some(span) = own[room] else { continue };
        match under[room].and_then(|below: usize| lives.room_span[below]) {
            Some(shared) => {
                lives.spans[shared].last = lives.spans[shared].last.max(span.last);
                lives.room_span[room] = Some(shared);
            }
            None => {
                lives.room_span[room] = Some(lives.spans.len());
                lives.spans.push(span);
            }
        }
    }
    add_scratch(&mut lives, work, order);
    lives
}

/// Whether the operand ends exactly where the result begins, in as many words.
fn may_share(rooms: &[Room], own: &[Option<Span>], place: usize, read: usize, written: usize) -> bool {
    let ends = matches!(rooms[read].life, Life::Between | Life::Given);
    let equal = ends && rooms[read].words == rooms[written].words;
    let (Some(read), Some(result)) = (own[read].filter(|_| equal), own[written]) else { return false };
    read.last == place && result.first == place
}

fn own_spans(rooms: &[Room], work: &[Work], order: &[usize]) -> Vec<Option<Span>> {
    let end = order.len().saturating_sub(1);
    let mut spans: Vec<Option<Span>> = vec![None; rooms.len()];
    for (place, at) in order.iter().enumerate() {
        for room in work[*at].touches().filter(|room| rooms[*room].life != Life::Outside) {
            let words = rooms[room].words.next_multiple_of(LINE);
            let span = spans[room].get_or_insert(Span { first: place, last: place, words });
            span.last = place;
        }
    }
    for (room, span) in rooms.iter().zip(&mut spans) {
        let words = room.words.next_multiple_of(LINE);
        let whole = Span { first: 0, last: end, words };
        match room.life {
            Life::Between | Life::Outside => {}
            Life::Given => *span = Some(Span { first: 0, last: span.map_or(0, |s| s.last), words }),
            Life::Kept => *span = Some(Span { first: span.map_or(0, |s| s.first), last: end, words }),
            Life::Always => *span = Some(whole),
        }
    }
    spans
}

fn add_scratch(lives: &mut Lives, work: &[Work], order: &[usize]) {
    lives.scratch_span = vec![None; work.len()];
    for (place, at) in order.iter().enumerate().filter(|(_, at)| work[**at].scratch > 0) {
        lives.scratch_span[*at] = Some(lives.spans.len());
        let words = work[*at].scratch.next_multiple_of(LINE);
        lives.spans.push(Span { first: place, last: place, words });
    }
}
