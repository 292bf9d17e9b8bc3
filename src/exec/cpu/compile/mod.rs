//! Graph to launches: every node that is needed becomes part of one kernel call.
//!
//! ```text
//! graph ─▶ sight (views, readers) ─▶ unit (what is fused) ─▶ one launch a unit ─▶ plan (order, arena)
//! ```
//! A unit is a set of nodes that one launch computes, at the place of its last node, its root. Invariant: whatever reads
//! a member from outside comes after the root, so units in the order of their roots are an order of execution.

mod attention;
mod chain;
mod constant;
mod draw;
mod free;
mod loss;
mod moves;
mod norm;
mod pattern;
mod ports;
mod product;
mod reduce;
mod sight;
mod unit;
mod window;

use super::frame::{Frame, Home, Launch, Place};
use super::pool::Worker;
use super::view::View;
use crate::exec::{ExecError, Layout};
use crate::graph::Graph;
use crate::op::{Draw, Op, Value};
use crate::pass::expand;
use crate::plan::{Life, Room, Work};
use crate::recipe::Schedule;
use crate::shape::Kind;
use sight::Sight;
use std::collections::BTreeMap;
use std::sync::Arc;
use unit::{Form, Unit};

/// A named value of the caller's.
pub(super) struct Port {
    /// Its name.
    pub name: String,
    /// Where its words are.
    pub place: Place,
    /// Lengths of its axes.
    pub dims: Vec<usize>,
    /// What its elements are.
    pub kind: Kind,
}

/// A use of ids that must be rows of a table.
pub(super) struct Check {
    /// The origin of the node.
    pub path: String,
    /// Rows of the table.
    pub rows: usize,
}

/// A graph as launches, before it is planned.
#[derive(Default)]
pub(super) struct Compiled {
    /// Rooms as the planner sees them.
    pub rooms: Vec<Room>,
    /// Where the rooms are.
    pub homes: Vec<Home>,
    /// What the launches touch.
    pub work: Vec<Work>,
    /// The kernel calls.
    pub launches: Vec<Launch>,
    /// What each launch is called in a profile: its op and where that comes from.
    pub names: Vec<(&'static str, Arc<str>)>,
    /// What is copied in before a run.
    pub inputs: Vec<Port>,
    /// What can be asked for after a run.
    pub outputs: Vec<Port>,
    /// The addresses of draws.
    pub draws: Vec<Draw>,
    /// Numbers that depend on the step alone.
    pub clocks: Vec<(Place, Schedule)>,
    /// Numbers that never change.
    pub constants: Vec<f32>,
    /// Checks of ids.
    pub checks: Vec<Check>,
}

/// Compiles a bound graph for so many threads.
pub(super) fn compile(graph: &Graph, layout: &Layout, threads: usize) -> Result<Compiled, ExecError> {
    bound(graph)?;
    let expanded = graph.values().any(|value| lacks(&graph.node(value).op)).then(|| expand(graph, &lacks));
    let graph = expanded.as_ref().unwrap_or(graph);
    let sight = Sight::new(graph);
    let free = free::free(graph, &sight);
    let units = unit::units(graph, &sight, &free);
    let mut compiler = Compiler {
        graph,
        layout,
        threads,
        places: vec![None; graph.len()],
        homes: BTreeMap::new(),
        saved: BTreeMap::new(),
        sight,
        free,
        now: Value(0),
        out: Compiled::default(),
    };
    compiler.alias(&units);
    compiler.choose_homes()?;
    units.iter().try_for_each(|unit| compiler.unit(unit))?;
    compiler.finish()?;
    Ok(compiler.out)
}

/// What has no kernel here but is made of ops that have one.
fn lacks(op: &Op) -> bool {
    matches!(op, Op::Conv2d(_) | Op::BinaryCrossEntropy(_) | Op::Transport(_))
}

/// Every size is a number.
fn bound(graph: &Graph) -> Result<(), ExecError> {
    for value in graph.values() {
        let node = graph.node(value);
        if node.shape.sizes.iter().any(|size| size.number().is_none()) {
            let shape = node.shape.to_string();
            return Err(ExecError::Unbound { path: node.origin.path.to_string(), shape });
        }
    }
    Ok(())
}

/// Words that a backward kernel wants from its forward kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Saved {
    /// Probabilities of an attention.
    Weights,
    /// Means and inverse deviations of a norm.
    Moments,
    /// Lengths of rows.
    Lengths,
    /// Logarithms of sums, and the total, of a cross entropy.
    Sums,
    /// Total and count of a cross entropy.
    Total,
}

/// A graph being compiled.
struct Compiler<'a> {
    graph: &'a Graph,
    layout: &'a Layout,
    threads: usize,
    sight: Sight,
    /// Nodes that every reader computes for itself.
    free: Vec<bool>,
    /// Of roots.
    places: Vec<Option<Place>>,
    /// Roots that are written straight into memory.
    homes: BTreeMap<Value, Home>,
    saved: BTreeMap<(Value, Saved), Place>,
    /// The root of the unit being compiled.
    now: Value,
    out: Compiled,
}

impl<'a> Compiler<'a> {
    fn op(&self, value: Value) -> &'a Op {
        &self.graph.node(value).op
    }

    fn dims(&self, value: Value) -> Vec<usize> {
        self.graph.shape(value).dims()
    }

    fn count(&self, value: Value) -> usize {
        self.graph.shape(value).elements()
    }

    fn operands(&self, value: Value) -> &[Value] {
        &self.sight.operands[value.0 as usize]
    }

    /// Operand `i`; the value itself if there is none, which no verified graph has.
    fn operand(&self, value: Value, i: usize) -> Value {
        self.operands(value).get(i).copied().unwrap_or(value)
    }

    /// A value as rows: all axes but the last, and the last.
    fn rows(&self, value: Value) -> (usize, usize) {
        let dims = self.dims(value);
        let width = dims.last().copied().unwrap_or(1);
        (dims.iter().rev().skip(1).product(), width)
    }

    /// A new room.
    fn room(&mut self, words: usize, home: Home, life: Life) -> Place {
        self.out.rooms.push(Room::new(words, life));
        self.out.homes.push(home);
        Place { room: self.out.rooms.len() - 1, offset: 0, words }
    }

    /// A room of the arena from one launch to another.
    fn temporary(&mut self, words: usize) -> Place {
        self.room(words, Home::Arena, Life::Between)
    }

    /// Numbers that are there before the first run.
    fn constants(&mut self, numbers: &[f32]) -> Place {
        let home = Home::Constants(self.out.constants.len());
        self.out.constants.extend_from_slice(numbers);
        self.out.constants.resize(self.out.constants.len().next_multiple_of(16), 0.0);
        self.room(numbers.len(), home, Life::Outside)
    }

    /// Where a value is, its room made if it is new.
    fn place(&mut self, value: Value) -> Place {
        let seen = self.sight.seen(value);
        let words = self.count(value);
        let whole = match self.places[seen.root.0 as usize] {
            Some(place) => place,
            None => self.new_place(seen.root),
        };
        whole.part(seen.offset, words)
    }

    fn new_place(&mut self, root: Value) -> Place {
        let words = self.count(root);
        let place = match self.homes.get(&root) {
            Some(home) => self.room(words, *home, Life::Outside),
            None => self.temporary(words),
        };
        self.places[root.0 as usize] = Some(place);
        place
    }

    /// Several places.
    fn places<const N: usize>(&mut self, values: [Value; N]) -> [Place; N] {
        values.map(|value| self.place(value))
    }

    /// One more launch.
    fn launch(
        &mut self,
        reads: &[Place],
        writes: &[Place],
        scratch: usize,
        run: impl Fn(&Worker, &Frame, View) + Send + Sync + 'static,
    ) {
        let (reads, writes) = (reads.iter().map(|place| place.room), writes.iter().map(|place| place.room));
        let work = Work { reads: reads.collect(), writes: writes.collect(), scratch, ..Work::default() };
        self.out.work.push(work);
        self.out.launches.push(Box::new(run));
        let node = self.graph.node(self.now);
        self.out.names.push((node.op.name(), node.origin.path.clone()));
    }

    /// The result of the last launch may lie over an operand that is used up, if it reads that room only once.
    fn over(&mut self, read: Place, written: Place) {
        let whole = |place: Place| place.offset == 0 && place.words == self.out.rooms[place.room].words;
        let fits = whole(read) && whole(written) && read.words == written.words && read.room != written.room;
        if let Some(work) = self.out.work.last_mut().filter(|_| fits)
            && work.reads.iter().filter(|room| **room == read.room).count() == 1
        {
            work.over.push((read.room, written.room));
        }
    }

    /// A stream of draws.
    fn stream(&mut self, draw: &Draw) -> usize {
        let known = self.out.draws.iter().position(|known| known == draw);
        known.unwrap_or_else(|| {
            self.out.draws.push(draw.clone());
            self.out.draws.len() - 1
        })
    }

    /// A check of ids used by a node.
    fn check(&mut self, value: Value, rows: usize) -> usize {
        self.out.checks.push(Check { path: self.graph.node(value).origin.path.to_string(), rows });
        self.out.checks.len() - 1
    }

    /// What a node of the sample has no kernel for.
    fn unsupported(&self, value: Value) -> ExecError {
        let node = self.graph.node(value);
        ExecError::Unsupported { executor: "cpu", op: node.op.name(), path: node.origin.path.to_string() }
    }

    /// Sums that are added in place share the room of their first term, states that are kept that of their new value.
    fn alias(&mut self, units: &[Unit]) {
        for (_, value) in self.graph.outputs().iter().filter(|(name, _)| name.starts_with("keep/")) {
            // A verified graph keeps nothing that something else reads.
            if matches!(self.op(*value), Op::Put(_)) {
                self.sight.share(*value, self.operand(*value, 0));
            }
        }
        for unit in units {
            if let Form::Product(product) = &unit.form
                && let Some(first) = product.onto
            {
                self.sight.share(product.result, first);
            }
        }
    }

    /// The launch of one unit.
    fn unit(&mut self, unit: &Unit) -> Result<(), ExecError> {
        self.now = unit.root();
        match &unit.form {
            Form::Chain => self.chain(&unit.members),
            Form::Product(product) => self.product(product),
            Form::NormGrad(norm) => self.norm_grad(norm),
            Form::Alone => return self.alone(unit.root()),
        }
        Ok(())
    }

    /// A node with a launch of its own.
    fn alone(&mut self, value: Value) -> Result<(), ExecError> {
        match self.op(value) {
            Op::Input(_) | Op::Parameter(_) | Op::Twin(_) | Op::State(_) | Op::Clock(_) => {
                return self.leaf(value);
            }
            Op::RandomIds(op) => self.random_ids(value, op),
            Op::SampleIds(op) => self.sample_ids(value, op),
            Op::Shuffle(op) => self.shuffle(value, op),
            Op::BlockMask(op) => self.block_mask(value, op),
            Op::PickWords(op) => self.pick_words(value, op),
            Op::Bicubic(op) => self.bicubic(value, op),
            Op::Offsets(op) => self.offsets(value, op),
            Op::Unfold(op) => self.unfold(value, op.window),
            Op::Fold(op) => self.fold(value, op.window),
            Op::Depthwise(op) => self.depthwise(value, op.window),
            Op::DepthwiseGrad(op) => self.depthwise_grad(value, op.window),
            Op::DepthwiseWeightGrad(op) => self.depthwise_weight_grad(value, op.window),
            Op::Permute(op) => self.permute(value, op),
            Op::Slice(op) => self.slice(value, op),
            Op::Pad(op) => self.pad(value, op),
            Op::Concat(op) => self.concat(value, op),
            Op::Broadcast(op) => self.broadcast(value, op),
            Op::Take(_) => self.take(value),
            Op::SumBy(_) => self.sum_by(value),
            Op::Last(_) => self.last(value),
            Op::PutLast(_) => self.put_last(value),
            Op::Put(op) => self.put(value, op),
            Op::Sum(op) => self.sum(value, op.axis),
            Op::SumLeading(op) => self.sum_leading(value, op.axes),
            Op::Max(op) => self.max(value, op.axis),
            Op::Argmax(_) => self.argmax(value),
            Op::Softmax(_) => self.softmax(value),
            Op::SoftmaxGrad(_) => self.softmax_grad(value),
            Op::LogSoftmax(_) => self.log_softmax(value),
            Op::Normalize(_) => self.normalize(value),
            Op::NormalizeGrad(_) => self.normalize_grad(value),
            Op::Standardize(op) => self.layer_norm(value, op.eps),
            Op::LayerNorm(op) => self.layer_norm(value, op.eps),
            Op::Attend(op) => self.attend(value, op),
            Op::AttendGrad(op) => self.attend_grad(value, op),
            Op::CrossEntropy(op) => self.cross_entropy(value, op),
            Op::CrossEntropyGrad(op) => self.cross_entropy_grad(value, op),
            _ => return Err(self.unsupported(value)),
        }
        Ok(())
    }
}
