//! What every value is to the text: nothing, a value of the subject, or one with a place for every token that needs no later one.
//!
//! ```text
//! text [B, T]                    place 0 at 0 of axis 1
//! take (table, text) [B, T, D]   place 0 at 0 of axis 1
//! concat (image [B, P, D], …)    place 0 at P of axis 1; what is beside the text is clean: it has seen nothing that is written
//! attend (q, k, v), causal       as its queries; refused if a query sees a key of a later place that is written
//! slice ..P                      a value of the subject, because it was clean
//! ```
//! Only places that are written count: the given ones are beside them, so the first token may be cut off or replaced.

use super::axis::through;
use super::known::Known;
use super::{Refusal, Request};
use crate::graph::Graph;
use crate::op::{Op, Slice, Value};
use std::collections::BTreeMap;

/// The places of a text along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Which axis.
    pub axis: usize,
    /// Where its place 0 is, or would be if it had not been cut off.
    pub offset: isize,
    /// Whether nothing before, and nothing behind what is written has seen it.
    pub clean: [bool; 2],
}

impl Places {
    /// Where a place of the text is; 0 for those that were cut off.
    pub fn at(&self, place: usize) -> usize {
        self.offset.saturating_add_unsigned(place).max(0).unsigned_abs()
    }
}

/// What a value is to the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It depends on no input.
    Constant,
    /// It depends on inputs and given tokens, not on tokens that are written.
    Subject,
    /// It is the input of lengths.
    Lengths,
    /// It has the places of the text.
    Text(Places),
}

impl Fact {
    /// The places of the text, if it has them.
    pub fn places(self) -> Option<Places> {
        match self {
            Self::Text(places) => Some(places),
            Self::Constant | Self::Subject | Self::Lengths => None,
        }
    }
}

/// What keys with places of a text are to an attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether a place that is written is seen by one of them; if not, the given ones are all that is needed.
    pub written: bool,
    /// Whether the key mask hides nothing that is there.
    pub open: bool,
}

/// The facts of a graph.
pub struct Facts<'a> {
    pub(super) graph: &'a Graph,
    pub(super) request: &'a Request<'a>,
    pub(super) known: Known<'a>,
    all: Vec<Fact>,
    pub(super) seen: BTreeMap<Value, Seen>,
}

impl<'a> Facts<'a> {
    /// Proves them all.
    ///
    /// # Errors
    /// The first node that no rule follows.
    pub fn new(graph: &'a Graph, request: &'a Request<'a>) -> Result<Self, Refusal> {
        let known = Known::new(graph, request);
        let mut facts = Self { graph, request, known, all: Vec::new(), seen: BTreeMap::new() };
        for value in graph.values() {
            let fact = facts.fact(value)?;
            facts.all.push(fact);
        }
        Ok(facts)
    }

    /// The fact of a value.
    pub fn of(&self, value: Value) -> Fact {
        self.all[value.0 as usize]
    }

    /// What the keys of an attention are to it.
    pub fn seen(&self, attend: Value) -> Seen {
        self.seen.get(&attend).copied().unwrap_or_default()
    }

    pub(super) fn refuse<T>(&self, value: Value, why: &'static str) -> Result<T, Refusal> {
        let node = self.graph.node(value);
        Err(Refusal::Op { op: node.op.name(), path: node.origin.path.to_string(), why })
    }

    pub(super) fn length(&self, value: Value, axis: usize) -> usize {
        self.graph.shape(value).sizes.get(axis).map_or(0, crate::shape::Size::len)
    }

    fn fact(&mut self, value: Value) -> Result<Fact, Refusal> {
        let (node, operands) = (self.graph.node(value), self.graph.operands(value));
        let below: Vec<Fact> = operands.iter().map(|v| self.of(*v)).collect();
        let text = Places { axis: 1, offset: 0, clean: [true; 2] };
        match &node.op {
            Op::Input(input) if input.name == self.request.token => return Ok(Fact::Text(text)),
            Op::Input(input) if Some(input.name.as_str()) == self.request.lengths => {
                return Ok(Fact::Lengths);
            }
            Op::Input(_) => return Ok(Fact::Subject),
            Op::Before(op) if below == [Fact::Lengths] && op.n == self.request.places.into() => {
                return Ok(Fact::Text(text));
            }
            _ => {}
        }
        if below.contains(&Fact::Lengths) {
            return self.refuse(value, "asks how long the text is");
        }
        let places: Vec<Places> = below.iter().filter_map(|fact| fact.places()).collect();
        let Some(first) = places.first() else {
            let constant = below.iter().all(|fact| *fact == Fact::Constant);
            return Ok(if constant { Fact::Constant } else { Fact::Subject });
        };
        match &node.op {
            Op::Attend(op) => self.attention(value, op, &below),
            Op::Slice(op) if op.axis == first.axis => self.slice(value, op, *first),
            Op::Concat(op) if op.axis == first.axis => match places[..] {
                [one] => {
                    let lengths = operands.iter().map(|v| self.length(*v, op.axis));
                    let before = below.iter().zip(lengths).take_while(|(fact, _)| fact.places().is_none());
                    let before = before.map(|(_, length)| length).sum::<usize>();
                    Ok(Fact::Text(Places { offset: one.offset.saturating_add_unsigned(before), ..one }))
                }
                _ => self.refuse(value, "joins the text with itself"),
            },
            _ => self.by_place(value, &below),
        }
    }

    fn slice(&self, value: Value, op: &Slice, from: Places) -> Result<Fact, Refusal> {
        let (start, end) = (op.start.len(), op.end.len());
        let [written, behind] = [self.request.given, self.request.places].map(|place| from.at(place));
        let clean = [start >= written || from.clean[0], end <= behind || from.clean[1]];
        if start <= written && behind <= end {
            let offset = from.offset.saturating_sub_unsigned(start);
            return Ok(Fact::Text(Places { offset, clean, ..from }));
        }
        let beside = [end <= written, behind <= start];
        match (0..2).find(|side| beside[*side]) {
            Some(side) if from.clean[side] => Ok(Fact::Subject),
            Some(_) => self.refuse(value, "takes places that have seen what is written"),
            None => self.refuse(value, "takes a part of the text"),
        }
    }

    /// Ops of which every place needs that place alone; rows stay rows.
    fn by_place(&self, value: Value, below: &[Fact]) -> Result<Fact, Refusal> {
        let together = "looks at several places of the text together";
        let rows = through(self.graph, value, 0);
        let apart = |rows: &Vec<Option<usize>>| {
            rows.iter().zip(below).all(|(row, fact)| *fact == Fact::Constant || *row == Some(0))
        };
        if !rows.as_ref().is_some_and(apart) {
            return self.refuse(value, "mixes rows, or looks at several places of the text together");
        }
        let fits = |axis: usize| {
            let parts = through(self.graph, value, axis)?;
            let mut places = parts.iter().zip(below).filter_map(|(part, fact)| Some((*part, fact.places()?)));
            let first = places.next()?.1;
            let same =
                |(part, own): (Option<usize>, Places)| part == Some(own.axis) && own.offset == first.offset;
            let all = parts.iter().zip(below).filter_map(|(part, fact)| Some((*part, fact.places()?)));
            let clean = all
                .clone()
                .fold([true; 2], |clean, (_, own)| [clean[0] && own.clean[0], clean[1] && own.clean[1]]);
            all.clone().all(same).then_some(Places { axis, offset: first.offset, clean })
        };
        let rank = self.graph.shape(value).rank();
        (1..rank).find_map(fits).map(Fact::Text).map_or_else(|| self.refuse(value, together), Ok)
    }
}
