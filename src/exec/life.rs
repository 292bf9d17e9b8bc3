//! When values are read for the last time.

use crate::graph::Graph;
use crate::op::Value;
use std::collections::BTreeSet;

/// For each node the values that nothing reads after it; outputs are never among them.
pub fn last_uses(graph: &Graph) -> Vec<Vec<Value>> {
    let outputs: BTreeSet<Value> = graph.outputs().iter().map(|(_, value)| *value).collect();
    let mut dropped = vec![Vec::new(); graph.len()];
    for value in graph.values().filter(|value| !outputs.contains(value)) {
        let last = graph.users(value).last().copied().unwrap_or(value);
        dropped[last.0 as usize].push(value);
    }
    dropped
}

/// Most bytes of values at one time, if a value of shape takes so many and is dropped after its last use.
pub fn peak(graph: &Graph, dropped: &[Vec<Value>], bytes: impl Fn(Value) -> usize) -> usize {
    let (mut now, mut peak) = (0, 0);
    for value in graph.values() {
        now += bytes(value);
        peak = peak.max(now);
        now -= dropped[value.0 as usize].iter().map(|v| bytes(*v)).sum::<usize>();
    }
    peak
}
