//! A graph cut into calls of modules: what belongs together in the text stands together again.
//!
//! A node knows the module that it comes from. In the order of the graph, neighbours of one module are a [`Run`]: one call of
//! it, with runs of its parts inside. Equal nodes are one node in a graph, so what a first call computed a second one only reads;
//! if it costs nothing (it depends on ids and constants alone, as masks do), each module computes it for itself again, and
//! calls of one module stay alike. Invariant: all that a run reads from outside was computed before it.

use super::tree::Module;
use crate::graph::Graph;
use crate::op::{Op, Value};
use crate::shape::Kind;
use std::collections::{BTreeSet, HashMap};

/// What can be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wire {
    /// An input of the file.
    Input(String),
    /// The result of an operation, by its place in [`Cut::ops`].
    Op(usize),
    /// A parameter, by its path.
    Parameter(String),
    /// A batch symbol as a number.
    Rows(String),
}

/// An operand.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// Of an operation, an input or a parameter.
    Wire(Wire),
    /// A single number.
    Number(f64, Kind),
}

/// An operation in its run.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The node.
    pub value: Value,
    /// Where it is.
    pub run: usize,
    /// What it reads.
    pub operands: Vec<Operand>,
}

/// What happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// An operation.
    Op(usize),
    /// A call of a part.
    Call(usize),
}

/// One call of a module.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The path of the module; empty for the file itself.
    pub scope: String,
    /// The run around it; its own number for the outermost.
    pub parent: usize,
    /// In order.
    pub items: Vec<Item>,
    /// Parameters of the module itself that were read.
    read: BTreeSet<String>,
}

/// A graph in runs; the first is the file itself.
pub struct Cut<'g> {
    /// What was cut.
    pub graph: &'g Graph,
    /// All operations.
    pub ops: Vec<Placed>,
    /// All runs.
    pub runs: Vec<Run>,
    /// The wire of the output.
    pub output: Operand,
    tree: &'g Module,
    /// The runs that are open, outermost first.
    open: Vec<usize>,
    placed: HashMap<Value, usize>,
    /// What costs nothing, by the run for which it was computed.
    again: HashMap<(Value, usize), usize>,
    free: Vec<bool>,
}

/// Cuts a graph with one output.
pub fn cut<'g>(graph: &'g Graph, tree: &'g Module, output: Value) -> Cut<'g> {
    let mut cut = Cut {
        graph,
        ops: Vec::new(),
        runs: vec![Run::default()],
        output: Operand::Number(0.0, Kind::Float),
        tree,
        open: vec![0],
        placed: HashMap::new(),
        again: HashMap::new(),
        free: free(graph),
    };
    for value in graph.values() {
        if !cut.free[value.0 as usize] && !is_leaf(&graph.node(value).op) {
            let run = cut.enter(value);
            let at = cut.place(value, run, None);
            cut.placed.insert(value, at);
        }
    }
    cut.open.truncate(1);
    cut.output = cut.operand(output, 0, false);
    cut
}

/// Which values depend on no parameter and on no real input.
fn free(graph: &Graph) -> Vec<bool> {
    let mut free = vec![false; graph.len()];
    for value in graph.values() {
        let node = graph.node(value);
        free[value.0 as usize] = match &node.op {
            Op::Parameter(_) => false,
            Op::Input(_) => node.shape.kind != Kind::Float,
            _ => graph.sources(value).all(|source| free[source.0 as usize]),
        };
    }
    free
}

fn is_leaf(op: &Op) -> bool {
    matches!(op, Op::Parameter(_) | Op::Input(_))
}

/// Ops whose text takes a number in the place of an operand.
fn takes_numbers(op: &Op) -> bool {
    matches!(
        op,
        Op::Add(_) | Op::Subtract(_) | Op::Multiply(_) | Op::Divide(_) | Op::Choose(_) | Op::Compare(_)
    )
}

impl Cut<'_> {
    /// The run for a node: the open one of its module, or a new one.
    fn enter(&mut self, value: Value) -> usize {
        let scopes = self.tree.around(&self.graph.node(value).origin.path);
        let scope = scopes.last().cloned().unwrap_or_default();
        let same =
            self.open[1..].iter().zip(&scopes).take_while(|(run, scope)| self.runs[**run].scope == **scope);
        self.open.truncate(1 + same.count());
        let own = |path: &String| path.rsplit_once('.').map_or("", |(owner, _)| owner) == scope;
        let read: Vec<String> =
            self.graph.sources(value).filter_map(|v| self.parameter(v)).filter(own).collect();
        let last = self.open[self.open.len() - 1];
        // Who reads a parameter of its own again is called again.
        if last != 0
            && self.runs[last].scope == scope
            && read.iter().any(|path| self.runs[last].read.contains(path))
        {
            self.open.pop();
        }
        for scope in scopes.iter().skip(self.open.len() - 1) {
            let parent = self.open[self.open.len() - 1];
            let run = self.runs.len();
            self.runs.push(Run { scope: scope.clone(), parent, ..Run::default() });
            self.runs[parent].items.push(Item::Call(run));
            self.open.push(run);
        }
        let run = self.open[self.open.len() - 1];
        self.runs[run].read.extend(read);
        run
    }

    fn parameter(&self, value: Value) -> Option<String> {
        match &self.graph.node(value).op {
            Op::Parameter(parameter) => Some(parameter.path.clone()),
            _ => None,
        }
    }

    /// Puts an operation at the end of a run, or before an item of it.
    fn place(&mut self, value: Value, run: usize, before: Option<usize>) -> usize {
        let numbers = takes_numbers(&self.graph.node(value).op);
        let operands = self.graph.operands(value);
        let operands = operands.iter().map(|v| self.operand(*v, run, numbers)).collect();
        let at = self.ops.len();
        self.ops.push(Placed { value, run, operands });
        let items = &mut self.runs[run].items;
        let place = before.and_then(|call| items.iter().position(|item| *item == Item::Call(call)));
        items.insert(place.unwrap_or(items.len()), Item::Op(at));
        at
    }

    fn operand(&mut self, value: Value, run: usize, numbers: bool) -> Operand {
        let node = self.graph.node(value);
        match &node.op {
            Op::Parameter(parameter) => return Operand::Wire(Wire::Parameter(parameter.path.clone())),
            Op::Input(input) => return Operand::Wire(Wire::Input(input.name.clone())),
            Op::Fill(fill) if numbers && node.shape.rank() == 0 => {
                return Operand::Number(fill.value, node.shape.kind);
            }
            _ => {}
        }
        let at = match self.free[value.0 as usize] {
            true => self.once_more(value, run),
            false => self.placed[&value],
        };
        Operand::Wire(Wire::Op(at))
    }

    /// What costs nothing: as an open run around knows it, or computed for the module it comes from, or for the reader.
    fn once_more(&mut self, value: Value, run: usize) -> usize {
        let around =
            self.open.iter().position(|open| *open == run).map_or(vec![run], |at| self.open[..=at].to_vec());
        if let Some(known) = around.iter().rev().find_map(|run| self.again.get(&(value, *run))) {
            return *known;
        }
        let scopes = self.tree.around(&self.graph.node(value).origin.path);
        let scope = scopes.last().cloned().unwrap_or_default();
        let home = around.iter().position(|run| self.runs[*run].scope == scope).unwrap_or(around.len() - 1);
        // Before the call that is being made there, which reads it.
        let at = self.place(value, around[home], self.open.get(home + 1).copied());
        self.again.insert((value, around[home]), at);
        at
    }

    /// Whether an operation is in a run or in one inside of it.
    pub fn inside(&self, op: usize, run: usize) -> bool {
        let mut at = self.ops[op].run;
        while at != run && at != 0 {
            at = self.runs[at].parent;
        }
        at == run
    }
}
