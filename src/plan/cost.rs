//! What a graph costs, known before any executor has seen it.
//!
//! Every node that is not a view counts as one launch of its own. Fused executors move fewer bytes; the operations are the
//! same. The peak is that of the graph's values alone: an executor adds scratch and what its kernels save for backward, and
//! knows its own peak to the byte (`Cpu::cost`).
//!
//! ```
//! # use chiasm::plan::Cost;
//! let cost = Cost { flops: 2_000_000, bytes: 1 << 20, peak: 4096 };
//! assert!(cost.flops as f64 / cost.bytes as f64 > 1.0);
//! ```

use super::{Life, Room, Work, arena, life, order};
use crate::graph::Graph;
use crate::op::{Class, Facts, Op, Value};

/// The price of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read and written.
    pub bytes: u64,
    /// Most bytes of values at one time; parameters and states are not among them.
    pub peak: u64,
}

/// The cost of a bound graph.
pub fn cost(graph: &Graph) -> Cost {
    let roots: Vec<Value> = roots(graph);
    let mut cost = Cost::default();
    let mut work = Vec::new();
    for value in graph.values().filter(|value| roots[value.0 as usize] == *value) {
        let facts = facts(graph, value);
        cost.flops += facts.flops;
        if is_stored(&graph.node(value).op) {
            continue;
        }
        let reads: Vec<usize> =
            graph.operands(value).iter().map(|v| roots[v.0 as usize].0 as usize).collect();
        let words: usize =
            graph.operands(value).iter().chain([&value]).map(|v| graph.shape(*v).elements()).sum();
        cost.bytes += 4 * words as u64;
        let over = if facts.class == Class::Pointwise {
            reads.iter().map(|read| (*read, value.0 as usize)).collect()
        } else {
            Vec::new()
        };
        work.push(Work { reads, writes: vec![value.0 as usize], over, scratch: 0 });
    }
    let rooms = rooms(graph, &roots);
    let order = order::order(&rooms, &work);
    cost.peak = 4 * arena::place(&life::lives(&rooms, &work, &order).spans).words as u64;
    cost
}

/// For every value, the value whose memory it is.
fn roots(graph: &Graph) -> Vec<Value> {
    let mut roots: Vec<Value> = Vec::with_capacity(graph.len());
    for value in graph.values() {
        let view = facts(graph, value).class == Class::View;
        let below = graph.operands(value).first().filter(|_| view).map(|below| roots[below.0 as usize]);
        roots.push(below.unwrap_or(value));
    }
    roots
}

fn facts(graph: &Graph, value: Value) -> Facts {
    let operands = graph.operands(value);
    let shapes: Vec<_> = operands.iter().map(|v| graph.shape(*v)).collect();
    graph.node(value).op.facts(&shapes, graph.shape(value))
}

/// Whether it lies in the memory that outlives a step.
fn is_stored(op: &Op) -> bool {
    matches!(op, Op::Parameter(_) | Op::Twin(_) | Op::State(_) | Op::Input(_))
}

fn rooms(graph: &Graph, roots: &[Value]) -> Vec<Room> {
    let mut rooms: Vec<Room> = graph
        .values()
        .map(|value| Room::new(graph.shape(value).elements(), life_of(&graph.node(value).op)))
        .collect();
    for (name, value) in graph.outputs() {
        let room = &mut rooms[roots[value.0 as usize].0 as usize];
        room.life = match room.life {
            Life::Outside => Life::Outside,
            _ if name.starts_with("grad/") || name.starts_with("next/") => Life::Outside,
            Life::Given | Life::Always => Life::Always,
            _ => Life::Kept,
        };
    }
    rooms
}

fn life_of(op: &Op) -> Life {
    match op {
        Op::Input(_) => Life::Given,
        _ if is_stored(op) => Life::Outside,
        _ => Life::Between,
    }
}
