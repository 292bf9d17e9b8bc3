//! Boxes to layers: inputs at the bottom, losses at the top, everything else as low as what it reads allows, or just below
//! what reads it.
//!
//! An arrow over several layers passes each of them at a point; arrows of one box and style share their points.

use super::{Arrow, Kind, Picture, Style};

/// Something that takes room in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A box.
    Box(usize),
    /// A point where arrows of a box pass.
    Point(usize, Style),
}

/// A line between neighbouring layers.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// A slot of the lower layer.
    pub from: usize,
    /// A slot of the next layer.
    pub to: usize,
    /// How it looks.
    pub style: Style,
}

/// A picture in layers.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Boxes and points.
    pub slots: Vec<Slot>,
    /// From the bottom to the top, each from left to right.
    pub rows: Vec<Vec<usize>>,
    /// Between neighbouring rows.
    pub links: Vec<Link>,
    /// Arrows that would go downwards; they are drawn beside.
    pub back: Vec<Arrow>,
}

/// Puts every box into a layer.
pub fn layers(picture: &Picture) -> Layers {
    let (forward, back) = acyclic(picture);
    let level = levels(picture, &forward);
    let top = level.iter().max().map_or(0, |top| top + 1);
    let mut layers = Layers { rows: vec![Vec::new(); top], back, ..Layers::default() };
    for (node, level) in level.iter().enumerate() {
        layers.rows[*level].push(node);
        layers.slots.push(Slot::Box(node));
    }
    for node in 0..picture.nodes.len() {
        for style in [Style::Flow, Style::Instead, Style::Next] {
            let goals: Vec<usize> =
                forward.iter().filter(|a| a.from == node && a.style == style).map(|a| a.to).collect();
            layers.route(node, style, goals, &level);
        }
    }
    layers
}

impl Layers {
    /// The points and links of the arrows of one box and style.
    fn route(&mut self, node: usize, style: Style, mut goals: Vec<usize>, level: &[usize]) {
        goals.sort_by_key(|goal| level[*goal]);
        let (mut at, mut row) = (node, level[node]);
        for goal in goals {
            while row + 1 < level[goal] {
                row += 1;
                let point = self.slots.len();
                self.slots.push(Slot::Point(node, style));
                self.rows[row].push(point);
                self.links.push(Link { from: at, to: point, style });
                at = point;
            }
            self.links.push(Link { from: at, to: goal, style });
        }
    }
}

/// Arrows without those that close a circle: found by walking from each box, what leads back to the way is left out.
fn acyclic(picture: &Picture) -> (Vec<Arrow>, Vec<Arrow>) {
    let mut kept: Vec<Arrow> = Vec::new();
    let mut back = Vec::new();
    let mut arrows = picture.arrows.clone();
    arrows.retain(|arrow| arrow.from != arrow.to);
    arrows.sort_by_key(|arrow| (arrow.style, arrow.from, arrow.to));
    arrows.dedup();
    for arrow in arrows {
        let known = kept.iter().any(|other| (other.from, other.to) == (arrow.from, arrow.to));
        if known {
            continue;
        }
        if reaches(&kept, arrow.to, arrow.from, picture.nodes.len()) {
            back.push(arrow)
        } else {
            kept.push(arrow)
        }
    }
    (kept, back)
}

fn reaches(arrows: &[Arrow], from: usize, to: usize, count: usize) -> bool {
    let mut seen = vec![false; count];
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        if node == to {
            return true;
        }
        if !std::mem::replace(&mut seen[node], true) {
            open.extend(arrows.iter().filter(|arrow| arrow.from == node).map(|arrow| arrow.to));
        }
    }
    false
}

fn levels(picture: &Picture, arrows: &[Arrow]) -> Vec<usize> {
    let mut level = vec![0; picture.nodes.len()];
    loop {
        let low = arrows.iter().find(|arrow| level[arrow.to] <= level[arrow.from]);
        let Some(low) = low else { break };
        level[low.to] = level[low.from] + 1;
    }
    let top = level.iter().copied().max().unwrap_or(0).max(1);
    for (node, level) in level.iter_mut().enumerate() {
        if picture.nodes[node].kind == Kind::Loss && !arrows.iter().any(|arrow| arrow.from == node) {
            *level = top;
        }
    }
    rise(picture, arrows, &mut level);
    level
}

/// A box that is read more than it reads stands just below what reads it first.
fn rise(picture: &Picture, arrows: &[Arrow], level: &mut [usize]) {
    let mut order: Vec<usize> = (0..level.len()).collect();
    order.sort_by_key(|node| std::cmp::Reverse(level[*node]));
    for node in order {
        let reads = arrows.iter().filter(|arrow| arrow.to == node).count();
        let readers: Vec<usize> = arrows.iter().filter(|a| a.from == node).map(|a| level[a.to]).collect();
        let first = readers.iter().min().copied();
        let movable = match picture.nodes[node].kind {
            Kind::Input => false,
            Kind::Module | Kind::Frozen => reads <= readers.len(),
            _ => true,
        };
        if let Some(first) = first.filter(|_| movable) {
            level[node] = level[node].max(first - 1);
        }
    }
}
