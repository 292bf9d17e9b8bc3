//! The order of work: dependencies first, then little memory.
//!
//! Work is given in one possible order; what writes a room comes before what reads it then, and what reads it before
//! what overwrites it. Two orders are compared and the one with the smaller peak is kept, the given one if they are equal:
//! the given order, and a greedy one that always takes the ready work which leaves least memory behind.

use super::{Life, Room, Work};
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The better of the two orders.
pub fn order(rooms: &[Room], work: &[Work]) -> Vec<usize> {
    let given: Vec<usize> = (0..work.len()).collect();
    let greedy = greedy(rooms, work);
    if peak(rooms, work, &greedy) < peak(rooms, work, &given) { greedy } else { given }
}

/// Numbers of work, few enough to need no allocation.
type Few = SmallVec<[usize; 4]>;

/// For every work, the work that must come before it.
fn dependencies(rooms: &[Room], work: &[Work]) -> Vec<Few> {
    let mut writer: Vec<Option<usize>> = vec![None; rooms.len()];
    let mut readers: Vec<Few> = vec![Few::new(); rooms.len()];
    let mut before = Vec::with_capacity(work.len());
    for (at, one) in work.iter().enumerate() {
        let mut needs: Few = one.touches().filter_map(|room| writer[room]).collect();
        needs.extend(one.writes.iter().flat_map(|room| readers[*room].iter().copied()));
        one.reads.iter().for_each(|room| readers[*room].push(at));
        for room in &one.writes {
            writer[*room] = Some(at);
            readers[*room].clear();
        }
        needs.retain(|need| *need != at);
        needs.sort_unstable();
        needs.dedup();
        before.push(needs);
    }
    before
}

/// The largest sum of live words, scratch included.
pub fn peak(rooms: &[Room], work: &[Work], order: &[usize]) -> usize {
    let mut tally = Tally::new(rooms, work);
    order.iter().map(|at| tally.run(&work[*at])).max().unwrap_or(tally.live)
}

/// Always the ready work that leaves least behind; of equals, the one given first.
fn greedy(rooms: &[Room], work: &[Work]) -> Vec<usize> {
    let before = dependencies(rooms, work);
    let mut after: Vec<Few> = vec![Few::new(); work.len()];
    let mut waits: Vec<usize> = before.iter().map(SmallVec::len).collect();
    for (at, needs) in before.iter().enumerate() {
        needs.iter().for_each(|need| after[*need].push(at));
    }
    let mut tally = Tally::new(rooms, work);
    let mut ready: BinaryHeap<Reverse<(i64, usize)>> = (0..work.len())
        .filter(|at| waits[*at] == 0)
        .map(|at| Reverse((tally.growth(&work[at]), at)))
        .collect();
    let mut order = Vec::with_capacity(work.len());
    while let Some(Reverse((known, at))) = ready.pop() {
        let growth = tally.growth(&work[at]);
        if growth > known {
            ready.push(Reverse((growth, at)));
            continue;
        }
        tally.run(&work[at]);
        order.push(at);
        for next in &after[at] {
            waits[*next] -= 1;
            if waits[*next] == 0 {
                ready.push(Reverse((tally.growth(&work[*next]), *next)));
            }
        }
    }
    order
}

/// Which rooms are live, and how much they hold.
struct Tally<'a> {
    rooms: &'a [Room],
    uses: Vec<usize>,
    held: Vec<bool>,
    live: usize,
}

impl<'a> Tally<'a> {
    fn new(rooms: &'a [Room], work: &[Work]) -> Self {
        let mut uses = vec![0; rooms.len()];
        work.iter().flat_map(Work::touches).for_each(|room| uses[room] += 1);
        let held: Vec<bool> = rooms.iter().map(|r| matches!(r.life, Life::Given | Life::Always)).collect();
        let live = rooms.iter().zip(&held).filter(|(_, held)| **held).map(|(room, _)| room.words).sum();
        Self { rooms, uses, held, live }
    }

    fn words(&self, room: usize) -> usize {
        if self.rooms[room].life == Life::Outside { 0 } else { self.rooms[room].words }
    }

    fn ends(&self, room: usize) -> bool {
        matches!(self.rooms[room].life, Life::Between | Life::Given)
    }

    /// Words more (or less) that are live after the work.
    fn growth(&self, work: &Work) -> i64 {
        let mut touched: SmallVec<[usize; 16]> = work.touches().collect();
        touched.sort_unstable();
        let mut growth = 0;
        for group in touched.chunk_by(|a, b| a == b) {
            let room = group[0];
            let last = self.uses[room] == group.len() && self.ends(room);
            match (self.held[room], last) {
                (false, false) => growth += self.words(room) as i64,
                (true, true) => growth -= self.words(room) as i64,
                _ => {}
            }
        }
        growth
    }

    /// Does the work; says how much is live meanwhile.
    fn run(&mut self, work: &Work) -> usize {
        for room in &work.writes {
            if !self.held[*room] {
                self.held[*room] = true;
                self.live += self.words(*room);
            }
        }
        let meanwhile = self.live + work.scratch;
        for room in work.touches() {
            self.uses[room] -= 1;
            if self.uses[room] == 0 && self.ends(room) && self.held[room] {
                self.held[room] = false;
                self.live -= self.words(room);
            }
        }
        meanwhile
    }
}
