//! The graph with the text cut to some of its places: to those that are given, or to the newest.
//!
//! ```text
//! before   add (take (table, text) [B, T, D], slice (place, ..T) [T, D])
//! first    add (take (table, text) [B, G, D], slice (place, ..G) [G, D])
//! step     add (take (table, text) [R, 1, D], take (place, places) [1, D])
//! ```
//! Values of the subject are computed in the first graph and kept as states for the step, one row a subject; where texts read
//! them there, each row stands for all beams. Invariant: a value is made once for each way in which it is cut.

use super::axis::{resized, through};
use super::facts::{Fact, Facts, Places};
use super::{Cache, Refusal, Request};
use crate::graph::Graph;
use crate::op::{self, Broadcast, Concat, Fill, Op, Permute, Range, Reshape, Slice, State, Take, Value};
use crate::shape::{Batch, Kind, Shape, Size, Sizes};
use smallvec::smallvec;
use std::collections::BTreeMap;

/// Which places of the text are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// The given ones, and what stands beside the text.
    First,
    /// The newest.
    Step,
}

/// What a step needs of the first graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A value.
    Whole(Value),
    /// A value, with the given places of the text.
    Given(Value),
    /// A value without places of the text, of which an axis is cut as if it had them from an offset on.
    Part(Value, usize, isize),
}

/// A graph that is being written.
pub struct Cut<'a> {
    pub(super) graph: &'a Graph,
    pub(super) facts: &'a Facts<'a>,
    pub(super) request: &'a Request<'a>,
    pub(super) stretch: Stretch,
    /// What is written.
    pub out: Graph,
    /// Names of states and outputs, and what they are.
    pub needs: BTreeMap<String, Need>,
    /// Keys and values of all places.
    pub caches: BTreeMap<Value, Cache>,
    /// Offsets at which places are asked for, and the names of these inputs.
    pub places: BTreeMap<isize, String>,
    made: BTreeMap<(Value, Option<(usize, isize)>), Value>,
}

type Made = Result<Value, Refusal>;

impl<'a> Cut<'a> {
    /// Nothing is written yet.
    pub fn new(graph: &'a Graph, facts: &'a Facts<'a>, request: &'a Request<'a>, stretch: Stretch) -> Self {
        Self {
            graph,
            facts,
            request,
            stretch,
            out: Graph::default(),
            needs: BTreeMap::new(),
            caches: BTreeMap::new(),
            places: BTreeMap::new(),
            made: BTreeMap::new(),
        }
    }

    /// A value, cut if it has the places of the text.
    pub fn value(&mut self, value: Value) -> Made {
        if let Some(made) = self.made.get(&(value, None)) {
            return Ok(*made);
        }
        let made = match self.facts.of(value) {
            Fact::Text(places) => self.text(value, places)?,
            Fact::Subject if self.stretch == Stretch::Step => {
                let kept = self.kept(Need::Whole(value))?;
                self.for_each_beam(kept)?
            }
            Fact::Constant | Fact::Subject | Fact::Lengths => self.copied(value)?,
        };
        self.made.insert((value, None), made);
        Ok(made)
    }

    /// What the step asks for, in the first graph.
    pub fn needed(&mut self, need: &Need) -> Made {
        match *need {
            Need::Whole(value) | Need::Given(value) => self.value(value),
            Need::Part(value, axis, offset) => self.part(value, axis, offset),
        }
    }

    pub(super) fn add(&mut self, op: impl Into<Op>, operands: &[Value], like: Value) -> Made {
        Ok(self.out.add(op, operands, &self.graph.node(like).origin)?)
    }

    fn rows(&self) -> usize {
        if self.stretch == Stretch::First { self.request.batch } else { self.request.rows() }
    }

    pub(super) fn batch(&self) -> Batch {
        Batch::of(self.request.symbol, self.rows())
    }

    /// Places of an axis of `all` that are left.
    pub(super) fn left(&self, all: usize) -> usize {
        match self.stretch {
            Stretch::First => (all + self.request.first()).saturating_sub(self.request.places),
            Stretch::Step => self.request.window(),
        }
    }

    /// A node on whole operands; of a slice or an attention of the subject, on cut ones.
    fn copied(&mut self, value: Value) -> Made {
        let node = self.graph.node(value);
        let operands = self.graph.operands(value);
        if operands.iter().any(|v| self.facts.of(*v).places().is_some()) {
            return match &node.op {
                Op::Attend(op) => self.attention(value, op),
                Op::Slice(op) => {
                    let made = self.value(operands[0])?;
                    let places = self.facts.of(operands[0]).places();
                    let behind = places.is_some_and(|own| op.start.len() >= own.at(self.request.places));
                    let gone = if behind { self.request.places - self.request.first() } else { 0 };
                    let [start, end] = [&op.start, &op.end].map(|at| Size::from(at.len() - gone));
                    self.add(Slice { axis: op.axis, start, end }, &[made], value)
                }
                _ => self.facts.refuse(value, "reads the text"),
            };
        }
        let made: Vec<Value> = operands.iter().map(|v| self.value(*v)).collect::<Result<_, _>>()?;
        self.add(node.op.bind(&self.batch()), &made, value)
    }

    /// A value with the places of the text.
    fn text(&mut self, value: Value, places: Places) -> Made {
        let node = self.graph.node(value);
        let operands = self.graph.operands(value);
        let left = self.left(self.facts.length(value, places.axis));
        match &node.op {
            Op::Input(input) => {
                let shape = Shape::float([self.rows(), left]).with_kind(Kind::Ids);
                self.add(op::Input { name: input.name.clone(), shape }, &[], value)
            }
            // Every place that is computed or kept is used.
            Op::Before(_) => {
                let shape = Shape::float([self.rows(), left]).with_kind(Kind::Condition);
                self.add(Fill { shape, value: 1.0 }, &[], value)
            }
            Op::Attend(op) => self.attention(value, op),
            Op::Slice(op) if op.axis == places.axis => {
                let made = self.value(operands[0])?;
                if self.stretch == Stretch::Step {
                    return Ok(made);
                }
                let end = Size::from(op.start.len() + left);
                self.add(Slice { axis: op.axis, start: op.start.clone(), end }, &[made], value)
            }
            Op::Concat(op) if op.axis == places.axis => {
                let own = operands.iter().find(|v| self.facts.of(**v).places().is_some());
                if let Some(own) = own.filter(|_| self.stretch == Stretch::Step) {
                    return self.value(*own);
                }
                let made: Vec<Value> = operands.iter().map(|v| self.value(*v)).collect::<Result<_, _>>()?;
                self.add(op.clone(), &made, value)
            }
            op => {
                let Some(parts) = through(self.graph, value, places.axis) else {
                    return self.facts.refuse(value, "looks at several places of the text together");
                };
                let op = resized(&op.bind(&self.batch()), places.axis, left);
                let cut =
                    operands.iter().zip(parts).map(|(operand, part)| match (self.facts.of(*operand), part) {
                        (Fact::Constant | Fact::Subject, Some(axis)) => {
                            self.part(*operand, axis, places.offset)
                        }
                        _ => self.value(*operand),
                    });
                let made: Vec<Value> = cut.collect::<Result<_, _>>()?;
                self.add(op, &made, value)
            }
        }
    }

    /// A value without places of the text, of which an axis is cut as if it had them from an offset on.
    pub(super) fn part(&mut self, value: Value, axis: usize, offset: isize) -> Made {
        let key = (value, Some((axis, offset)));
        if let Some(made) = self.made.get(&key) {
            return Ok(*made);
        }
        let made = match self.facts.of(value) {
            Fact::Constant => self.constant_part(value, axis, offset)?,
            _ => {
                let whole = self.value(value)?;
                self.pieces(whole, axis, offset, value)?
            }
        };
        self.made.insert(key, made);
        Ok(made)
    }

    /// What a part of a constant is computed from is cut too, as far as it goes.
    fn constant_part(&mut self, value: Value, axis: usize, offset: isize) -> Made {
        let node = self.graph.node(value);
        let operands = self.graph.operands(value);
        let step = self.stretch == Stretch::Step;
        match &node.op {
            Op::Range(_) if step => return self.at(offset),
            Op::Slice(op) if step && op.axis == axis => {
                return self.part(operands[0], axis, offset.saturating_add_unsigned(op.start.len()));
            }
            _ => {}
        }
        let Some(parts) = through(self.graph, value, axis) else {
            let whole = self.value(value)?;
            return self.pieces(whole, axis, offset, value);
        };
        let left = self.left(self.facts.length(value, axis));
        let op = resized(&node.op.bind(&self.batch()), axis, left);
        let cut = operands.iter().zip(parts).map(|(operand, part)| match part {
            Some(axis) => self.part(*operand, axis, offset),
            None => self.value(*operand),
        });
        let made: Vec<Value> = cut.collect::<Result<_, _>>()?;
        self.add(op, &made, value)
    }

    /// Places of an axis: the newest of the text, or all but those that are not given.
    pub(super) fn pieces(&mut self, whole: Value, axis: usize, offset: isize, like: Value) -> Made {
        if self.stretch == Stretch::First {
            return self.without_written(whole, axis, offset, like);
        }
        let at = self.at(offset)?;
        if axis == 0 {
            return self.add(Take, &[whole, at], like);
        }
        let rank = self.out.shape(whole).rank();
        let front =
            Permute { axes: std::iter::once(axis).chain((0..rank).filter(|own| *own != axis)).collect() };
        let back = Permute {
            axes: (0..rank).map(|own| if own == axis { 0 } else { own + usize::from(own < axis) }).collect(),
        };
        let turned = self.add(front, &[whole], like)?;
        let taken = self.add(Take, &[turned, at], like)?;
        self.add(back, &[taken], like)
    }

    pub(super) fn without_written(&mut self, whole: Value, axis: usize, offset: isize, like: Value) -> Made {
        let all = self.out.shape(whole).sizes[axis].len();
        let places = Places { axis, offset, clean: [true; 2] };
        let [end, behind] = [self.request.first(), self.request.places].map(|place| places.at(place));
        let mut slice = |start: usize, end: usize| {
            self.add(Slice { axis, start: start.into(), end: end.into() }, &[whole], like)
        };
        let before = slice(0, end)?;
        if behind >= all {
            return Ok(before);
        }
        let rest = slice(behind, all)?;
        self.add(Concat { axis }, &[before, rest], like)
    }

    /// The places of the newest tokens, counted from an offset.
    pub(super) fn at(&mut self, offset: isize) -> Made {
        let name = format!("places/{offset}");
        self.places.insert(offset, name.clone());
        let shape = Shape::float([self.request.window()]).with_kind(Kind::Ids);
        let known =
            self.out.values().find(|v| matches!(&self.out.node(*v).op, Op::Input(op) if op.name == name));
        match known {
            Some(known) => Ok(known),
            None => Ok(self.out.add(op::Input { name, shape }, &[], &Default::default())?),
        }
    }

    /// A value that the first graph computes, one row a subject.
    pub(super) fn kept(&mut self, need: Need) -> Made {
        let (Need::Whole(value) | Need::Given(value) | Need::Part(value, ..)) = need;
        let (axis, name) = match need {
            Need::Whole(_) => (None, format!("kept/{}", value.0)),
            Need::Given(_) => {
                (self.facts.of(value).places().map(|own| own.axis), format!("kept/{}", value.0))
            }
            Need::Part(_, axis, offset) => (Some(axis), format!("kept/{}/{axis}/{offset}", value.0)),
        };
        let mut shape = self.graph.shape(value).bind(&Batch::of(self.request.symbol, self.request.batch));
        if let Some(axis) = axis {
            let all = shape.sizes[axis].len();
            shape.sizes[axis] = (all + self.request.first()).saturating_sub(self.request.places).into();
        }
        self.needs.insert(name.clone(), need);
        self.add(State { name, shape }, &[], value)
    }

    /// Rows of subjects as rows of texts.
    pub(super) fn for_each_beam(&mut self, value: Value) -> Made {
        let (beams, shape) = (self.request.beams, self.out.shape(value).clone());
        if beams == 1 {
            return Ok(value);
        }
        let origin = self.out.node(value).origin.clone();
        let (rows, rest) = (shape.sizes[0].clone(), &shape.sizes[1..]);
        let sizes: Sizes = [rows, beams.into()].into_iter().chain(rest.iter().cloned()).collect();
        let axes = std::iter::once(0).chain(2..sizes.len()).collect();
        let spread = self.out.add(Broadcast { sizes, axes }, &[value], &origin)?;
        let sizes = std::iter::once(Size::from(self.request.rows())).chain(rest.iter().cloned()).collect();
        Ok(self.out.add(Reshape { sizes }, &[spread], &origin)?)
    }

    /// `0..n` and the newest places, both as `[W, n]`.
    pub(super) fn lines(&mut self, n: usize, offset: isize, like: Value) -> Result<[Value; 2], Refusal> {
        let line = self.add(Range { n: n.into() }, &[], like)?;
        let at = self.at(offset)?;
        let sizes: Sizes = smallvec![self.request.window().into(), n.into()];
        let line = self.add(Broadcast { sizes: sizes.clone(), axes: vec![1] }, &[line], like)?;
        Ok([line, self.add(Broadcast { sizes, axes: vec![0] }, &[at], like)?])
    }
}
