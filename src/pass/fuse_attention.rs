//! Attention that splits its operands into heads itself.
//!
//! ```text
//! before                                                   after
//!   %3 = reshape [B, N, h, K] (%q)   and so for k and v      %3 = attend {heads: h} (%q, %k, %v)
//!   %4 = permute [0, 2, 1, 3] (%3)
//!   %9 = attend {heads: none} (%4, %6, %8)
//!   %10 = permute [0, 2, 1, 3] (%9)
//!   %11 = reshape [B, N, h K] (%10)
//! ```
//!
//! Safe because `attend` with heads is defined as exactly this. The split operands stay where others read them. An executor
//! without the larger op gets the smaller ones back from its `expand`.

use super::fuse::Alone;
use crate::graph::{Graph, Node};
use crate::op::{Attend, Op, Value};

/// Heads and tokens trade places.
const TRADE: [usize; 4] = [0, 2, 1, 3];

/// The join of heads after an attention, with all that leads to it.
pub(super) fn attention(copy: &mut Graph, node: &Node, operands: &[Value], alone: &Alone) -> Option<Value> {
    let [permuted] = *operands else { return None };
    if !matches!(node.op, Op::Reshape(_))
        || node.shape.rank() != 3
        || !trades(copy, permuted)
        || !alone.holds(permuted)
    {
        return None;
    }
    let attend = *copy.operands(permuted).first()?;
    let Op::Attend(op) = &copy.node(attend).op else { return None };
    let heads = copy.shape(attend).sizes.get(1)?.number()? as usize;
    if op.heads.is_some() || !alone.holds(attend) {
        return None;
    }
    let op = Attend { heads: Some(heads), ..op.clone() };
    let mut parts = copy.operands(attend);
    for part in parts.iter_mut().take(3) {
        *part = whole(copy, *part)?;
    }
    copy.add(op, &parts, &node.origin).ok()
}

fn trades(graph: &Graph, value: Value) -> bool {
    matches!(&graph.node(value).op, Op::Permute(op) if op.axes == TRADE)
}

/// `[B, N, h K]` behind its split into heads.
fn whole(graph: &Graph, split: Value) -> Option<Value> {
    let reshaped = *graph.operands(split).first().filter(|_| trades(graph, split))?;
    let whole =
        *graph.operands(reshaped).first().filter(|_| matches!(graph.node(reshaped).op, Op::Reshape(_)))?;
    let (from, to) = (&graph.shape(whole).sizes, &graph.shape(reshaped).sizes);
    (from.len() == 3 && to.len() == 4 && from[..2] == to[..2]).then_some(whole)
}

#[cfg(test)]
mod tests {
    use crate::graph::Graph;
    use crate::pass::fuse;

    #[test]
    fn attention_takes_heads_in() {
        let split = |n: usize| {
            let (a, b) = (2 * n + 1, 2 * n + 2);
            format!(
                "%{a} = reshape {{\"sizes\":[\"B\",\"5\",\"2\",\"3\"]}} (%0) : float[B, 5, 2, 3]\n\
                 %{b} = permute {{\"axes\":[0,2,1,3]}} (%{a}) : float[B, 2, 5, 3]\n"
            )
        };
        let text = format!(
            "%0 = input {{\"name\":\"x\",\"shape\":{{\"kind\":\"float\",\"sizes\":[\"B\",\"5\",\"6\"]}}}} () : float[B, 5, 6]\n\
             {}{}{}\
             %7 = attend {{\"heads\":null,\"causal\":true,\"mask\":false,\"bias\":false,\"drop\":null}} (%2, %4, %6) : float[B, 2, 5, 3]\n\
             %8 = permute {{\"axes\":[0,2,1,3]}} (%7) : float[B, 5, 2, 3]\n\
             %9 = reshape {{\"sizes\":[\"B\",\"5\",\"6\"]}} (%8) : float[B, 5, 6]\n\
             output y = %9\n",
            split(0),
            split(1),
            split(2)
        );
        let after = fuse(&Graph::parse(&text).expect("a graph")).to_string();
        assert!(after.contains("\"heads\":2") && !after.contains("permute"), "{after}");
    }
}
