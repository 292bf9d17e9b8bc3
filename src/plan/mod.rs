//! Work to plan: in which order, and where in one arena.
//!
//! An executor cuts a graph into [`Work`]: launches that read and write [`Room`]s. [`plan`] puts the work in an order
//! ([`order`]), finds out from when to when every room is needed ([`life`]), lets results take the place of operands that
//! end there, and gives every room words of one arena ([`arena`]). It knows no device: scratch is a number of words.
//! Invariants: work that depends on other work comes after it; rooms that live at the same time share no word; the
//! arena is exactly as long as the plan says.
//!
//! ```
//! use chiasm::plan::{Life, Room, Work, plan};
//! use smallvec::smallvec;
//! let rooms = [Room::new(64, Life::Given), Room::new(64, Life::Between), Room::new(1, Life::Kept)];
//! let square = Work { reads: smallvec![0], writes: smallvec![1], over: smallvec![(0, 1)], scratch: 0 };
//! let sum = Work { reads: smallvec![1], writes: smallvec![2], ..Work::default() };
//! let plan = plan(&rooms, &[square, sum]);
//! assert_eq!(plan.rooms[0], plan.rooms[1]);
//! assert_eq!(plan.bytes(), 64 * 4 + 64);
//! ```

pub mod arena;
pub mod cost;
pub mod hazard;
pub mod life;
pub mod order;

pub use cost::{Cost, cost};
use smallvec::SmallVec;

/// Words that start together on a cache line.
pub const LINE: usize = 16;

/// From when to when a room holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// From the first work that writes it to the last that uses it.
    Between,
    /// Filled before the first work.
    Given,
    /// Read after the last work.
    Kept,
    /// Both.
    Always,
    /// It lies elsewhere; only the order of its uses matters.
    Outside,
}

/// Memory that work writes and reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// How many words of 4 bytes.
    pub words: usize,
    /// When it holds something.
    pub life: Life,
}

impl Room {
    /// A room of so many words.
    pub fn new(words: usize, life: Life) -> Self {
        Self { words, life }
    }
}

/// One launch: what it touches. Rooms are numbers into the list of rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Rooms read.
    pub reads: SmallVec<[usize; 4]>,
    /// Rooms written; one that is added to is read as well.
    pub writes: SmallVec<[usize; 2]>,
    /// Pairs (read, written): the second may lie where the first lies, if nothing needs the first afterwards.
    pub over: SmallVec<[(usize, usize); 1]>,
    /// Words that only this work uses.
    pub scratch: usize,
}

impl Work {
    /// All rooms it touches.
    pub fn touches(&self) -> impl Iterator<Item = usize> + '_ {
        self.reads.iter().chain(&self.writes).copied()
    }
}

/// Where and when everything happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Numbers of work, first to last.
    pub order: Vec<usize>,
    /// For each place in the order: whether everything before must have ended.
    pub barriers: Vec<bool>,
    /// First word of every room; 0 for those outside.
    pub rooms: Vec<usize>,
    /// First word of every work's scratch.
    pub scratch: Vec<usize>,
    /// Words of the arena.
    pub words: usize,
}

impl Plan {
    /// Bytes of the arena.
    pub fn bytes(&self) -> usize {
        self.words * 4
    }
}

/// Words of the arena of a plan.
pub fn words(rooms: &[Room], work: &[Work]) -> usize {
    arena::place(&life::lives(rooms, work, &order::order(rooms, work)).spans).words
}

/// Plans work that is given in one possible order.
pub fn plan(rooms: &[Room], work: &[Work]) -> Plan {
    let order = order::order(rooms, work);
    let lives = life::lives(rooms, work, &order);
    let placed = arena::place(&lives.spans);
    let rooms_at: Vec<usize> = lives.room_span.iter().map(|s| s.map_or(0, |s| placed.starts[s])).collect();
    let scratch: Vec<usize> = lives.scratch_span.iter().map(|s| s.map_or(0, |s| placed.starts[s])).collect();
    let barriers = hazard::barriers(rooms, work, &order, &rooms_at, &scratch);
    Plan { order, barriers, rooms: rooms_at, scratch, words: placed.words }
}
