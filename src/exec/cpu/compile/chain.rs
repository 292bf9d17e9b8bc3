//! Pointwise nodes to one chain: every block of numbers goes through all of them while it is in the nearest cache.
//!
//! Inside a chain numbers are `f32` and ids stay the bits of an `i32`, so every id is exact: they are compared, chosen and
//! counted as whole numbers, and become `f32` only by `to_float`. Constants and cheap functions are made in place, by every
//! chain that reads them; an operand that is used twice is loaded once.

use super::Compiler;
use super::pattern;
use crate::exec::cpu::frame::Place;
use crate::exec::cpu::kernel::pointwise::{Binary, Chain, Pattern, Register, Step, Unary};
use crate::exec::cpu::view::View;
use crate::op::{Fill, Op, Relation, Value};
use crate::shape::Kind;
use std::collections::BTreeMap;

/// Most operands and results of a chain.
const PLACES: usize = 128;
/// Most streams of a chain.
const STREAMS: usize = 40;

/// A chain under construction.
#[derive(Default)]
struct Weave {
    len: usize,
    steps: Vec<Step>,
    /// Where members are.
    members: BTreeMap<Value, Register>,
    /// What has been loaded.
    loads: Vec<(Place, Pattern, Register)>,
    /// Operands and results of the call.
    places: Vec<Place>,
    /// Streams of the call, as numbers of the program's streams.
    streams: Vec<usize>,
    used: usize,
}

impl Weave {
    fn register(&mut self) -> Register {
        self.used += 1;
        (self.used - 1) as Register
    }

    fn operand(&mut self, place: Place) -> u8 {
        let known = self.places.iter().position(|known| *known == place);
        known.unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        }) as u8
    }

    fn stream(&mut self, stream: usize) -> u8 {
        self.streams.push(stream);
        (self.streams.len() - 1) as u8
    }

    fn load(&mut self, place: Place, pattern: Pattern) -> Register {
        if let Some((_, _, register)) = self.loads.iter().find(|(p, q, _)| *p == place && *q == pattern) {
            return *register;
        }
        let operand = self.operand(place);
        let to = self.register();
        self.steps.push(Step::Load { to, operand, pattern });
        self.loads.push((place, pattern, to));
        to
    }

    fn constant(&mut self, value: f64) -> Register {
        let to = self.register();
        self.steps.push(Step::Constant { to, value: value as f32 });
        to
    }

    /// One number everywhere, as the bits that its kind has.
    fn fill(&mut self, fill: &Fill) -> Register {
        let to = self.register();
        let ids = fill.shape.kind == Kind::Ids;
        let value = if ids { f32::from_bits(fill.value as i32 as u32) } else { fill.value as f32 };
        self.steps.push(Step::Constant { to, value });
        to
    }

    fn index(&mut self, inner: usize, count: usize) -> Register {
        let to = self.register();
        self.steps.push(Step::Index { to, inner, count });
        to
    }

    fn unary(&mut self, function: Unary, a: Register) -> Register {
        let to = self.register();
        self.steps.push(Step::Unary { to, function, a });
        to
    }

    fn binary(&mut self, function: Binary, a: Register, b: Register) -> Register {
        let to = self.register();
        self.steps.push(Step::Binary { to, function, a, b });
        to
    }

    /// A function of two ids.
    fn ids(&mut self, function: Binary, a: Register, b: Register) -> Register {
        let to = self.register();
        self.steps.push(Step::Ids { to, function, a, b });
        to
    }

    fn select(&mut self, condition: Register, a: Register, b: Register) -> Register {
        let to = self.register();
        self.steps.push(Step::Select { to, condition, a, b });
        to
    }
}

impl Compiler<'_> {
    /// The launch of a chain.
    pub(super) fn chain(&mut self, members: &[Value]) {
        let len = members.first().map_or(0, |first| self.count(*first));
        let mut weave = Weave { len, ..Weave::default() };
        for member in members {
            let register = self.weave(&mut weave, *member);
            weave.members.insert(*member, register);
        }
        let read = weave.places.clone();
        let mut written = Vec::new();
        let leaving: Vec<Value> =
            members.iter().copied().filter(|member| self.leaves(*member, members)).collect();
        for member in &leaving {
            let from = weave.members[member];
            let place = self.place(*member);
            let operand = weave.operand(place);
            weave.steps.push(Step::Store { from, operand });
            written.push(place);
        }
        self.launch_chain(weave, &read, &written);
    }

    /// Whether somebody outside reads a member.
    fn leaves(&self, member: Value, members: &[Value]) -> bool {
        let at = member.0 as usize;
        self.sight.named[at] || self.sight.readers[at].iter().any(|reader| !members.contains(reader))
    }

    fn launch_chain(&mut self, weave: Weave, read: &[Place], written: &[Place]) {
        let full: Vec<Place> = weave.loads.iter().filter(|l| l.1 == Pattern::Full).map(|l| l.0).collect();
        let chain = Chain::new(weave.len, &compact(&weave.steps));
        let scratch = chain.scratch_words(self.threads);
        let (places, streams) = (weave.places, weave.streams);
        debug_assert!(places.len() <= PLACES && streams.len() <= STREAMS);
        self.launch(read, written, scratch, move |worker, frame, scratch| {
            let mut views = [View::EMPTY; PLACES];
            views.iter_mut().zip(&places).for_each(|(view, place)| *view = frame.view(*place));
            match streams.first() {
                None => chain.run(worker, &views[..places.len()], &[], scratch),
                Some(first) => {
                    let mut drawn = [frame.streams[*first]; STREAMS];
                    drawn.iter_mut().zip(&streams).for_each(|(to, stream)| *to = frame.streams[*stream]);
                    chain.run(worker, &views[..places.len()], &drawn[..streams.len()], scratch);
                }
            }
        });
        for read in full {
            written.iter().for_each(|written| self.over(read, *written));
        }
    }

    /// An operand in a register.
    fn fetch(&mut self, weave: &mut Weave, value: Value, pattern: Pattern) -> Register {
        let root = self.sight.root(value);
        if let Some(register) = weave.members.get(&root) {
            return *register;
        }
        if let Op::Fill(fill) = self.op(root) {
            return weave.fill(fill);
        }
        if self.free[root.0 as usize] {
            // Computed again where it is needed, once a chain.
            let register = self.weave(weave, root);
            weave.members.insert(root, register);
            return register;
        }
        let place = self.place(value);
        weave.load(place, pattern)
    }

    /// Operand `i` of a member, whose shape is the end of the member's.
    fn end(&mut self, weave: &mut Weave, member: Value, i: usize) -> Register {
        let operand = self.operand(member, i);
        let pattern = pattern::of_end(self.count(operand), weave.len);
        self.fetch(weave, operand, pattern)
    }

    /// Operand `i` of a member, whose shape is the front of the member's.
    fn front(&mut self, weave: &mut Weave, member: Value, i: usize) -> Register {
        let operand = self.operand(member, i);
        let pattern = pattern::of_front(self.count(operand), weave.len);
        self.fetch(weave, operand, pattern)
    }

    /// The steps of one node.
    fn weave(&mut self, weave: &mut Weave, member: Value) -> Register {
        let op = self.op(member);
        if let Some(function) = unary(op) {
            let a = self.end(weave, member, 0);
            let of_ids = function == Unary::Copy && self.reads_ids(member);
            return weave.unary(if of_ids { Unary::FromId } else { function }, a);
        }
        if let Some(function) = binary(op) {
            let (a, b) = (self.end(weave, member, 0), self.end(weave, member, 1));
            let of_ids = self.reads_ids(member);
            return if of_ids { weave.ids(function, a, b) } else { weave.binary(function, a, b) };
        }
        match op {
            Op::Choose(_) => {
                let condition = self.front(weave, member, 0);
                let (a, b) = (self.end(weave, member, 1), self.end(weave, member, 2));
                weave.select(condition, a, b)
            }
            Op::Broadcast(op) => {
                let operand = self.operand(member, 0);
                let pattern = pattern::of_axes(&self.dims(member), &op.axes, &self.dims(operand));
                self.fetch(weave, operand, pattern.unwrap_or(Pattern::Full))
            }
            Op::Fill(fill) => weave.fill(fill),
            Op::Range(_) => {
                let place = weave.index(1, weave.len);
                weave.unary(Unary::ToId, place)
            }
            Op::Eye(_) => {
                let n = self.rows(member).1;
                let (row, column) = (weave.index(n, n), weave.index(1, n));
                weave.binary(Binary::Equal, row, column)
            }
            Op::Rescale(op) => self.rescale(weave, member, &op.mean, &op.deviation),
            _ => self.weave_draw(weave, member),
        }
    }

    /// `(x - mean) / deviation`, by the second axis.
    fn rescale(&mut self, weave: &mut Weave, member: Value, mean: &[f64], deviation: &[f64]) -> Register {
        let inner = self.dims(member).iter().skip(2).product();
        let pattern = Pattern::Middle { inner, count: mean.len() };
        let means: Vec<f32> = mean.iter().map(|m| *m as f32).collect();
        let factors: Vec<f32> = deviation.iter().map(|d| (1.0 / d) as f32).collect();
        let (means, factors) = (self.constants(&means), self.constants(&factors));
        let x = self.end(weave, member, 0);
        let (mean, factor) = (weave.load(means, pattern), weave.load(factors, pattern));
        let centred = weave.binary(Binary::Subtract, x, mean);
        weave.binary(Binary::Multiply, centred, factor)
    }

    /// Draws, and what depends on places.
    fn weave_draw(&mut self, weave: &mut Weave, member: Value) -> Register {
        match self.op(member) {
            Op::Uniform(op) => {
                let stream = self.stream(&op.draw);
                let (stream, row) = (weave.stream(stream), self.draw_row(member, op.draw.rows));
                let to = weave.register();
                weave.steps.push(Step::Uniform { to, stream, row });
                to
            }
            Op::Dropout(op) => {
                let x = self.end(weave, member, 0);
                let factor = if op.per_row {
                    let rows = self.row_factors(member, op);
                    weave.load(rows, pattern::of_front(rows.words, weave.len))
                } else {
                    let stream = self.stream(&op.draw);
                    let (stream, row) = (weave.stream(stream), self.draw_row(member, op.draw.rows));
                    let to = weave.register();
                    weave.steps.push(Step::Keep { to, stream, row, probability: op.share as f32 });
                    to
                };
                weave.binary(Binary::Multiply, x, factor)
            }
            Op::Before(_) => {
                let n = self.rows(member).1;
                let (place, end) = (weave.index(1, n), self.front(weave, member, 0));
                let end = weave.unary(Unary::FromId, end);
                weave.binary(Binary::Less, place, end)
            }
            _ => weave.constant(0.0),
        }
    }

    /// Whether the first operand of a node is ids.
    fn reads_ids(&self, member: Value) -> bool {
        self.graph.shape(self.operand(member, 0)).kind == Kind::Ids
    }

    /// Elements of a row of draws.
    fn draw_row(&self, member: Value, rows: bool) -> usize {
        let dims = self.dims(member);
        let row = if rows { dims.iter().skip(1).product() } else { self.count(member) };
        usize::max(row, 1)
    }

    /// The factors of a dropout of whole rows, one number a row; one for all if rows do not count.
    fn row_factors(&mut self, member: Value, op: &crate::op::Dropout) -> Place {
        let rows = if op.draw.rows { self.dims(member).first().copied().unwrap_or(1) } else { 1 };
        let mut weave = Weave { len: rows, ..Weave::default() };
        let stream = self.stream(&op.draw);
        let stream = weave.stream(stream);
        let from = weave.register();
        weave.steps.push(Step::Keep { to: from, stream, row: 1, probability: op.share as f32 });
        let place = self.temporary(rows);
        let operand = weave.operand(place);
        weave.steps.push(Step::Store { from, operand });
        self.launch_chain(weave, &[], &[place]);
        place
    }
}

fn unary(op: &Op) -> Option<Unary> {
    Some(match op {
        Op::Negate(_) => Unary::Negate,
        Op::Exp(_) => Unary::Exp,
        Op::Log(_) => Unary::Log,
        Op::Sqrt(_) => Unary::Sqrt,
        Op::Tanh(_) => Unary::Tanh,
        Op::Sigmoid(_) => Unary::Sigmoid,
        Op::Relu(_) => Unary::Relu,
        Op::Gelu(_) => Unary::Gelu,
        Op::GeluSlope(_) => Unary::GeluGradient,
        Op::Not(_) => Unary::Not,
        Op::ToFloat(_) => Unary::Copy,
        _ => return None,
    })
}

fn binary(op: &Op) -> Option<Binary> {
    Some(match op {
        Op::Add(_) => Binary::Add,
        Op::Subtract(_) => Binary::Subtract,
        Op::Multiply(_) => Binary::Multiply,
        Op::Divide(_) => Binary::Divide,
        Op::And(_) => Binary::And,
        Op::Or(_) => Binary::Or,
        Op::Compare(compare) => match compare.relation {
            Relation::Equal => Binary::Equal,
            Relation::NotEqual => Binary::NotEqual,
            Relation::Less => Binary::Less,
            Relation::LessEqual => Binary::LessEqual,
            Relation::Greater => Binary::Greater,
            Relation::GreaterEqual => Binary::GreaterEqual,
        },
        _ => return None,
    })
}

/// Registers that a step reads, and the one that it writes.
fn uses(step: &mut Step) -> (Vec<&mut Register>, Option<&mut Register>) {
    match step {
        Step::Load { to, .. } | Step::Constant { to, .. } | Step::Index { to, .. } => (vec![], Some(to)),
        Step::Uniform { to, .. } | Step::Keep { to, .. } => (vec![], Some(to)),
        Step::Store { from, .. } => (vec![from], None),
        Step::Unary { to, a, .. } => (vec![a], Some(to)),
        Step::Binary { to, a, b, .. } | Step::Ids { to, a, b, .. } => (vec![a, b], Some(to)),
        Step::Select { to, condition, a, b } => (vec![condition, a, b], Some(to)),
    }
}

/// The same steps with as few registers as their order allows.
fn compact(steps: &[Step]) -> Vec<Step> {
    let mut steps = steps.to_vec();
    let mut last = [0; 256];
    for (at, step) in steps.iter_mut().enumerate() {
        uses(step).0.iter().for_each(|register| last[usize::from(**register)] = at);
    }
    let (mut names, mut free): ([Register; 256], Vec<Register>) = ([0; 256], (0..=255).rev().collect());
    for (at, step) in steps.iter_mut().enumerate() {
        let (reads, write) = uses(step);
        let mut ended: Vec<Register> = Vec::new();
        for register in reads {
            if last[usize::from(*register)] == at && !ended.contains(register) {
                ended.push(*register);
            }
            *register = names[usize::from(*register)];
        }
        free.extend(ended.iter().map(|register| names[usize::from(*register)]));
        if let Some(to) = write {
            names[usize::from(*to)] = free.pop().unwrap_or(0);
            *to = names[usize::from(*to)];
        }
    }
    steps
}
