//! Where workers must wait for each other.
//!
//! Launches between two barriers may run at the same time, so none of them may write a word that another one touches.
//! A barrier stands before the first launch that would.

use super::{Life, Room, Work};
use smallvec::SmallVec;

/// Words of the arena, or of a room outside.
#[derive(Clone, Copy)]
struct Piece {
    outside: Option<usize>,
    start: usize,
    end: usize,
    written: bool,
}

impl Piece {
    fn clashes(&self, other: &Piece) -> bool {
        let same = self.outside == other.outside && self.start < other.end && other.start < self.end;
        same && (self.written || other.written)
    }
}

/// For each place in the order, whether a barrier stands before it.
pub fn barriers(
    rooms: &[Room],
    work: &[Work],
    order: &[usize],
    at: &[usize],
    scratch: &[usize],
) -> Vec<bool> {
    let mut open: Vec<Piece> = Vec::new();
    let mut barriers = Vec::with_capacity(order.len());
    for one in order {
        let pieces = pieces(rooms, &work[*one], at, scratch[*one]);
        let clash = pieces.iter().any(|piece| open.iter().any(|other| piece.clashes(other)));
        if clash {
            open.clear();
        }
        open.extend(pieces);
        barriers.push(clash);
    }
    barriers
}

fn pieces(rooms: &[Room], work: &Work, at: &[usize], scratch: usize) -> SmallVec<[Piece; 8]> {
    let piece = |room: usize, written: bool| {
        let outside = (rooms[room].life == Life::Outside).then_some(room);
        Piece { outside, start: at[room], end: at[room] + rooms[room].words, written }
    };
    let reads = work.reads.iter().map(|room| piece(*room, false));
    let mut pieces: SmallVec<[Piece; 8]> =
        reads.chain(work.writes.iter().map(|room| piece(*room, true))).collect();
    if work.scratch > 0 {
        pieces.push(Piece { outside: None, start: scratch, end: scratch + work.scratch, written: true });
    }
    pieces
}
