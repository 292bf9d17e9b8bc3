//! What the compiler sees in a graph: which nodes are needed, which are views, who reads whose memory.
//!
//! Invariant: a root is not a view; a view lies inside of its root, from its offset on, row-major.

use crate::graph::{Graph, Operands};
use crate::op::{Op, Value};
use crate::shape::Size;
use smallvec::{SmallVec, smallvec};

/// The memory of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Whose memory it is.
    pub root: Value,
    /// Words before the first.
    pub offset: usize,
}

/// Readers of a root; few enough to need no allocation.
pub(super) type Readers = SmallVec<[Value; 4]>;

/// Views and readers of a graph.
pub(super) struct Sight {
    /// Operands of every node.
    pub operands: Vec<Operands>,
    /// Whether some output depends on the node.
    pub needed: Vec<bool>,
    /// Nodes other than views that read a root, in order; some more than once.
    pub readers: Vec<Readers>,
    /// Whether the root is (part of) an output.
    pub named: Vec<bool>,
    seen: Vec<Seen>,
    /// Roots that lie in the memory of another one.
    shared: Vec<Option<Seen>>,
}

impl Sight {
    /// Looks at a graph.
    pub fn new(graph: &Graph) -> Self {
        let operands: Vec<Operands> = graph.values().map(|value| graph.operands(value)).collect();
        let mut needed = vec![false; graph.len()];
        graph.outputs().iter().for_each(|(_, value)| needed[value.0 as usize] = true);
        for value in graph.values().rev().filter(|v| graph.len() > v.0 as usize) {
            if needed[value.0 as usize] {
                operands[value.0 as usize].iter().for_each(|operand| needed[operand.0 as usize] = true);
            }
        }
        let mut seen: Vec<Seen> = Vec::with_capacity(graph.len());
        for value in graph.values() {
            let below = operands[value.0 as usize].first().map(|operand| seen[operand.0 as usize]);
            let view = below.zip(view(graph, value, &operands[value.0 as usize]));
            seen.push(match view {
                Some((below, offset)) => Seen { root: below.root, offset: below.offset + offset },
                None => Seen { root: value, offset: 0 },
            });
        }
        let mut sight = Self {
            operands,
            needed,
            readers: vec![smallvec![]; graph.len()],
            named: vec![false; graph.len()],
            seen,
            shared: vec![None; graph.len()],
        };
        sight.find_readers(graph);
        sight
    }

    fn find_readers(&mut self, graph: &Graph) {
        let work: Vec<Value> = graph.values().filter(|value| self.is_work(*value)).collect();
        for value in work {
            for operand in self.operands[value.0 as usize].clone() {
                let root = self.root(operand);
                self.readers[root.0 as usize].push(value);
            }
        }
        for (_, value) in graph.outputs() {
            let root = self.root(*value);
            self.named[root.0 as usize] = true;
        }
    }

    /// The memory of a value.
    pub fn seen(&self, value: Value) -> Seen {
        let seen = self.seen[value.0 as usize];
        match self.shared[seen.root.0 as usize] {
            Some(below) => Seen { root: below.root, offset: below.offset + seen.offset },
            None => seen,
        }
    }

    /// Whose memory a value is.
    pub fn root(&self, value: Value) -> Value {
        self.seen(value).root
    }

    /// Whether a node is needed and not a view.
    pub fn is_work(&self, value: Value) -> bool {
        self.needed[value.0 as usize] && self.root(value) == value
    }

    /// Whether a value is all of its root, perhaps in other axes.
    pub fn is_whole(&self, graph: &Graph, value: Value) -> bool {
        graph.shape(value).elements() == graph.shape(self.root(value)).elements()
    }

    /// Those who read a root, each once.
    pub fn readers(&self, root: Value) -> Readers {
        let mut readers = self.readers[root.0 as usize].clone();
        readers.dedup();
        readers
    }

    /// The only reader of a root that no output needs.
    pub fn sole_reader(&self, root: Value) -> Option<Value> {
        let (one, more) = self.readers[root.0 as usize].split_first()?;
        let sole = !self.named[root.0 as usize] && more.iter().all(|other| other == one);
        sole.then_some(*one)
    }

    /// From now on a root lies where another one lies, and so do its views; who reads the one reads the other. Roots
    /// are shared in order, so nothing is shared with one that will itself be shared.
    pub fn share(&mut self, root: Value, other: Value) {
        let below = self.seen(other);
        let readers = self.readers[root.0 as usize].clone();
        self.readers[below.root.0 as usize].extend(readers);
        self.shared[root.0 as usize] = Some(below);
    }
}

/// The offset of a node in its first operand, if it is a view of it.
fn view(graph: &Graph, value: Value, operands: &[Value]) -> Option<usize> {
    let operand = *operands.first()?;
    let below = graph.shape(operand);
    let whole = || graph.shape(value).elements() == below.elements();
    match &graph.node(value).op {
        Op::Reshape(_) | Op::Stop(_) => Some(0),
        Op::Broadcast(op) if op.axes.is_sorted() && whole() => Some(0),
        Op::Permute(op) => {
            let long = op.axes.iter().filter(|axis| below.sizes[**axis].len() != 1);
            long.is_sorted().then_some(0)
        }
        Op::Slice(op) => {
            let outer: usize = below.sizes[..op.axis].iter().map(Size::len).product();
            let inner: usize = below.sizes[op.axis + 1..].iter().map(Size::len).product();
            (outer == 1 || whole()).then(|| op.start.len() * inner)
        }
        _ => None,
    }
}
