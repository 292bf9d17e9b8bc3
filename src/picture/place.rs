//! Coordinates: every slot as near to the middle of its neighbours as the room it needs allows.
//!
//! For one row that is a least-squares problem under `x[i + 1] - x[i] >= gap[i]`, solved exactly by merging neighbours
//! that press against each other; rows are visited up and down until little moves.

use super::layer::{Layers, Slot};
use super::{Kind, Node, Picture, Style};

/// Width of a letter, in parts of the font's size.
pub const LETTER: f64 = 0.61;
/// Size of names.
pub const NAME: f64 = 13.0;
/// Size of other texts.
pub const SMALL: f64 = 11.0;
/// Height of a line of text.
pub const LINE: f64 = 15.0;
const GAP: f64 = 22.0;
const BETWEEN: f64 = 44.0;
const SWEEPS: usize = 60;

/// A box with its place: `x` is its middle, `y` its upper edge.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    /// Middle.
    pub x: f64,
    /// Upper edge of everything, the result's text included.
    pub y: f64,
    /// Of everything.
    pub width: f64,
    /// Of everything.
    pub height: f64,
    /// Of the box alone.
    pub inner: f64,
    /// Height of the result's text above the box.
    pub label: f64,
}

/// Where everything stands.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// Of every slot.
    pub rooms: Vec<Room>,
    /// Upper and lower edge of every row.
    pub rows: Vec<(f64, f64)>,
    /// Of all.
    pub width: f64,
    /// Of all.
    pub height: f64,
}

/// Gives every slot its coordinates; the lowest row is at the bottom.
pub fn place(picture: &Picture, layers: &Layers) -> Placed {
    let mut rooms: Vec<Room> = layers.slots.iter().map(|slot| room(picture, *slot)).collect();
    for row in &layers.rows {
        let mut x = 0.0;
        for slot in row {
            rooms[*slot].x = x + rooms[*slot].width / 2.0;
            x += rooms[*slot].width + GAP;
        }
    }
    for sweep in 0..SWEEPS {
        let up = sweep % 2 == 0;
        let count = layers.rows.len();
        for number in 0..count {
            let row = if up { number } else { count - 1 - number };
            settle(layers, &layers.rows[row], &mut rooms, sweep + 10 > SWEEPS);
        }
    }
    finish(layers, rooms)
}

/// Moves a row towards its neighbours above and below.
fn settle(layers: &Layers, row: &[usize], rooms: &mut [Room], last: bool) {
    let wanted: Vec<(f64, f64)> = row.iter().map(|slot| wanted(layers, rooms, *slot, last)).collect();
    let mut offsets = vec![0.0];
    for pair in row.windows(2) {
        let gap = (rooms[pair[0]].width + rooms[pair[1]].width) / 2.0 + GAP;
        offsets.push(offsets[offsets.len() - 1] + gap);
    }
    let goals: Vec<(f64, f64)> =
        wanted.iter().zip(&offsets).map(|((x, weight), offset)| (x - offset, *weight)).collect();
    for ((slot, x), offset) in row.iter().zip(rising(&goals)).zip(&offsets) {
        rooms[*slot].x = x + offset;
    }
}

/// The mean place of what a slot is linked with, and how much that counts. Lines of points should be straight.
fn wanted(layers: &Layers, rooms: &[Room], slot: usize, _last: bool) -> (f64, f64) {
    let is_point = |slot: usize| matches!(layers.slots[slot], Slot::Point(..));
    let (mut sum, mut total) = (0.0, 0.0);
    for link in layers.links.iter().filter(|link| link.from == slot || link.to == slot) {
        let other = if link.from == slot { link.to } else { link.from };
        let weight = match (is_point(slot), is_point(other)) {
            (true, true) => 8.0,
            (false, false) => 2.0,
            _ => 1.0,
        };
        let style = if link.style == Style::Flow { 1.0 } else { 0.5 };
        sum += weight * style * rooms[other].x;
        total += weight * style;
    }
    if total == 0.0 { (rooms[slot].x, 0.1) } else { (sum / total, total.max(0.1)) }
}

/// The rising numbers nearest to some goals (pool adjacent violators).
fn rising(goals: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (goal, weight) in goals {
        pools.push((*goal, *weight, 1));
        while let [.., (a, wa, na), (b, wb, nb)] = pools[..]
            && a > b
        {
            pools.truncate(pools.len() - 2);
            pools.push(((a * wa + b * wb) / (wa + wb), wa + wb, na + nb));
        }
    }
    pools.into_iter().flat_map(|(x, _, count)| std::iter::repeat_n(x, count)).collect()
}

fn finish(layers: &Layers, mut rooms: Vec<Room>) -> Placed {
    let left = rooms.iter().map(|room| room.x - room.width / 2.0).fold(f64::INFINITY, f64::min);
    let left = if left.is_finite() { left } else { 0.0 };
    rooms.iter_mut().for_each(|room| room.x -= left);
    let width = rooms.iter().map(|room| room.x + room.width / 2.0).fold(0.0, f64::max);
    let mut y = 0.0;
    let mut rows = vec![(0.0, 0.0); layers.rows.len()];
    for (number, row) in layers.rows.iter().enumerate().rev() {
        let height = row.iter().map(|slot| rooms[*slot].height).fold(0.0, f64::max);
        rows[number] = (y, y + height);
        for slot in row {
            rooms[*slot].y = y + height - rooms[*slot].height;
        }
        y += height + BETWEEN;
    }
    Placed { rooms, rows, width, height: (y - BETWEEN).max(0.0) }
}

fn room(picture: &Picture, slot: Slot) -> Room {
    match slot {
        Slot::Box(node) => measured(&picture.nodes[node]),
        Slot::Point(..) => Room { width: 6.0, ..Room::default() },
    }
}

/// How large a box is.
pub fn measured(node: &Node) -> Room {
    let letters = |text: &str, size: f64| text.chars().count() as f64 * size * LETTER;
    let lines = node.details.iter().map(|line| letters(line, SMALL));
    let edge = if node.kind == Kind::Loss { 32.0 } else { 22.0 };
    let inner = lines.fold(letters(&node.title, NAME), f64::max) + edge;
    let (label, result) = node.result.as_ref().map_or((0.0, 0.0), |(name, ty)| {
        let lines = if ty.is_empty() { 1.0 } else { 2.0 };
        (lines * 13.0 + 5.0, letters(name, SMALL).max(letters(ty, SMALL)) + 4.0)
    });
    let height = LINE * (1 + node.details.len()) as f64 + 14.0 + label;
    Room { width: inner.max(result), height, inner, label, ..Room::default() }
}
