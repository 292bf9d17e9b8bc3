//! Where values lie: places that a launch knows when it is compiled, and the addresses they have in a run.
//!
//! A launch is compiled once and keeps [`Place`]s (a room, an offset, a length). Before every run a [`Frame`] says where
//! each room begins, in the arena or in the memory that outlives the step. Invariant: a frame lives for one run only.

use super::pool::Worker;
use super::view::View;
use crate::random::Stream;
use std::sync::atomic::{AtomicU64, Ordering};

/// Words of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which room.
    pub room: usize,
    /// First word in the room.
    pub offset: usize,
    /// How many words.
    pub words: usize,
}

impl Place {
    /// Some of its words.
    pub fn part(self, from: usize, words: usize) -> Self {
        debug_assert!(from + words <= self.words);
        Self { room: self.room, offset: self.offset + from, words }
    }
}

/// Where a room lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// In the arena, where the plan says.
    Arena,
    /// From a word of the constants on.
    Constants(usize),
    /// From a word of the parameters on.
    Parameters(usize),
    /// From a word of the gradients on.
    Gradients(usize),
    /// From a word of the twins on.
    Twins(usize),
    /// From a word of the states on.
    States(usize),
    /// From a word of the next states on.
    Next(usize),
}

/// One kernel call; all workers make it.
pub(super) type Launch = Box<dyn Fn(&Worker, &Frame, View) + Send + Sync>;

/// The addresses and random streams of one run.
pub(super) struct Frame {
    /// First word of every room.
    pub bases: Vec<Address>,
    /// The draws of this step, in the order of the program's list.
    pub streams: Vec<Stream>,
    /// The first id out of range: 1 + number of the check in the upper half, the id in the lower.
    fault: AtomicU64,
}

/// Where a room begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address(pub *mut f32);

// SAFETY: an address is only followed through views, whose makers answer for them.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

impl Frame {
    /// Room for so many addresses and streams.
    pub fn new(rooms: usize, streams: usize) -> Self {
        let nowhere = Address(std::ptr::null_mut());
        Self {
            bases: vec![nowhere; rooms],
            streams: vec![Stream::new(0, "", ""); streams],
            fault: AtomicU64::new(0),
        }
    }

    /// The words of a place.
    #[inline]
    pub fn view(&self, place: Place) -> View {
        // SAFETY: the program sets the bases before a run, from an arena as long as the plan says and from memory whose
        // lengths it has checked; barriers stand between launches that touch the same words.
        unsafe { View::new(self.bases[place.room].0.add(place.offset), place.words) }
    }

    /// Remembers the first id that is not in `0..rows`; worker 0 looks.
    pub fn check(&self, worker: &Worker, check: usize, ids: View, rows: usize) {
        if worker.index > 0 {
            return;
        }
        if let Some(id) = ids.read_ids().iter().find(|id| **id < 0 || **id as usize >= rows) {
            let fault = (check as u64 + 1) << 32 | u64::from(*id as u32);
            // Only the first fault is told.
            let _known = self.fault.compare_exchange(0, fault, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The check that failed and its id; forgets it.
    pub fn fault(&self) -> Option<(usize, i32)> {
        match self.fault.swap(0, Ordering::Relaxed) {
            0 => None,
            fault => Some(((fault >> 32) as usize - 1, fault as u32 as i32)),
        }
    }
}
