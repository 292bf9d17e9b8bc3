//! What a graph costs, known before any executor has seen it.
//!
//! Every node that is not a view counts as one launch of its own. Fused executors move fewer bytes; the operations are the
//! same. The peak comes from the plan of an executor, which alone knows its scratch and what its kernels save for backward.
//!
//! ```
//! # use chiasm::plan::Cost;
//! let cost = Cost { flops: 2_000_000, bytes: 1 << 20, peak: 4096 };
//! assert!(cost.flops as f64 / cost.bytes as f64 > 1.0);
//! ```

use crate::graph::Graph;
use crate::op::{Class, Op};
use crate::shape::Shape;
use smallvec::SmallVec;

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

/// The cost of a bound graph whose values take at most `peak` bytes at one time.
pub fn cost(graph: &Graph, peak: u64) -> Cost {
    let mut cost = Cost { peak, ..Cost::default() };
    for value in graph.values() {
        let node = graph.node(value);
        let operands: SmallVec<[&Shape; 6]> =
            graph.operands(value).iter().map(|operand| graph.shape(*operand)).collect();
        let facts = node.op.facts(&operands, &node.shape);
        if facts.class == Class::View && !operands.is_empty() {
            continue;
        }
        cost.flops += facts.flops;
        if !is_stored(&node.op) {
            let words: usize = operands.iter().chain([&&node.shape]).map(|shape| shape.elements()).sum();
            cost.bytes += 4 * words as u64;
        }
    }
    cost
}

/// Whether it lies in the memory that outlives a step.
fn is_stored(op: &Op) -> bool {
    matches!(op, Op::Parameter(_) | Op::Twin(_) | Op::State(_) | Op::Input(_))
}
