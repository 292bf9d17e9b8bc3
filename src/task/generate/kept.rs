//! The states of a step: values of subjects, and the keys and values of all texts.
//!
//! They lie behind the states of the model in one array, made once; while texts are written it stands in the memory in the place
//! of the model's own. Invariant: outside of a write the memory is as it was.

use crate::exec::{Layout, Memory, Program, Slot};
use crate::op::Op;
use crate::pass::decode::{Decoded, Request};
use crate::shape::Kind;
use crate::tensor::{Tensor, Values};

/// The states, and how they are filled.
pub struct Kept {
    layout: Layout,
    /// The states of the model and of the step; those of the model while they are swapped.
    states: Vec<f32>,
    /// Words of the model's states.
    own: usize,
    subjects: Vec<(String, Slot)>,
    texts: Vec<Rows>,
    beams: usize,
    scratch: Vec<f32>,
}

/// A state with places: `[rows, outer, places, inner]`.
struct Rows {
    name: String,
    start: usize,
    texts: usize,
    outer: usize,
    places: usize,
    inner: usize,
    /// Where the first place that is written is, and one past those that the first graph computes.
    written: usize,
    computed: usize,
}

impl Rows {
    fn row(&self) -> usize {
        self.outer * self.places * self.inner
    }
}

impl Kept {
    /// Makes room behind the states of a layout, for the texts of a request.
    pub fn new(decoded: &Decoded, layout: &Layout, request: &Request<'_>) -> Self {
        let mut all = layout.clone();
        for value in decoded.step.values() {
            let node = decoded.step.node(value);
            if let Op::State(state) = &node.op
                && !layout.states.contains_key(&state.name)
            {
                all.add_state(&state.name, &node.shape.dims(), node.shape.kind == Kind::Ids);
            }
        }
        let slot = |name: &String| Some((name.clone(), all.states.get(name)?.clone()));
        let subjects = decoded.kept.iter().filter_map(slot).collect();
        let rows = decoded.caches.iter().filter_map(|cache| {
            let dims = cache.shape.dims();
            let at = |place: usize| cache.offset.saturating_add_unsigned(place).max(0).unsigned_abs();
            Some(Rows {
                name: cache.name.clone(),
                start: all.states.get(&cache.name)?.start,
                texts: dims[0],
                outer: dims[1..cache.axis].iter().product(),
                places: dims[cache.axis],
                inner: dims[cache.axis + 1..].iter().product(),
                written: at(request.given),
                computed: at(request.first()),
            })
        });
        let texts: Vec<Rows> = rows.collect();
        let beams = request.beams;
        let scratch = vec![0.0; beams * texts.iter().map(Rows::row).max().unwrap_or(0)];
        let states = vec![0.0; all.words()[2]];
        Self { layout: all, states, own: layout.words()[2], subjects, texts, beams, scratch }
    }

    /// Where the states lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Puts the states into a memory, or takes them out again.
    pub fn swap(&mut self, memory: &mut Memory) {
        let own = self.own.min(memory.states.len()).min(self.states.len());
        self.states[..own].copy_from_slice(&memory.states[..own]);
        std::mem::swap(&mut self.states, &mut memory.states);
        std::mem::swap(&mut self.layout, &mut memory.layout);
    }

    /// Takes over what the first graph computed: values of subjects as they are, rows of texts for every beam.
    pub fn fill(&mut self, first: &dyn Program) {
        for (name, slot) in &self.subjects {
            if let Some(found) = first.output(name) {
                write(&mut self.states[slot.range()], found);
            }
        }
        for rows in &self.texts {
            let found = first.output(&rows.name).map(Tensor::into_floats).unwrap_or_default();
            fill(&mut self.states[rows.start..], rows, self.beams, &found);
        }
    }

    /// Text `i` of a subject goes on from the text `parents[i]` of it, of which `count` places are written.
    pub fn reorder(&mut self, memory: &mut Memory, subject: usize, parents: &[usize], count: usize) {
        let moved = || parents.iter().enumerate().filter(|(i, parent)| i != *parent);
        if moved().next().is_none() {
            return;
        }
        for rows in &self.texts {
            let (width, first) = (count * rows.inner, subject * self.beams);
            let at = |text: usize, outer: usize| {
                let start = rows.start + (first + text) * rows.row();
                start + (outer * rows.places + rows.written) * rows.inner
            };
            let pieces =
                || moved().flat_map(|(i, parent)| (0..rows.outer).map(move |outer| (i, *parent, outer)));
            for ((_, parent, outer), kept) in pieces().zip(self.scratch.chunks_mut(width)) {
                kept.copy_from_slice(&memory.states[at(parent, outer)..at(parent, outer) + width]);
            }
            for ((i, _, outer), kept) in pieces().zip(self.scratch.chunks(width)) {
                memory.states[at(i, outer)..at(i, outer) + width].copy_from_slice(kept);
            }
        }
    }
}

fn write(to: &mut [f32], from: Tensor) {
    match from.values {
        Values::Floats(numbers) => to.iter_mut().zip(numbers).for_each(|(to, x)| *to = x),
        Values::Ids(ids) => to.iter_mut().zip(ids).for_each(|(to, id)| *to = f32::from_bits(id as u32)),
    }
}

/// Rows of subjects with only the given places of the text to rows of texts with all of them.
fn fill(states: &mut [f32], rows: &Rows, beams: usize, found: &[f32]) {
    let subjects = rows.texts / beams;
    let held = found.len() / (subjects * rows.outer * rows.inner).max(1);
    // All up to the last place that was computed, then what stands behind the text.
    let front = rows.computed.min(held) * rows.inner;
    for text in 0..rows.texts {
        for outer in 0..rows.outer {
            let from = ((text / beams) * rows.outer + outer) * held * rows.inner;
            let from = &found[from..from + held * rows.inner];
            let to = (text * rows.outer + outer) * rows.places * rows.inner;
            let to = &mut states[to..to + rows.places * rows.inner];
            to[..front].copy_from_slice(&from[..front]);
            let behind = from.len() - front;
            let end = to.len();
            to[end - behind..].copy_from_slice(&from[front..]);
        }
    }
}
