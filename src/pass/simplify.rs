//! Operations that move or change nothing go; neighbours that are one operation are joined.
//!
//! ```text
//! before                                         after
//!   reshape (reshape x)                            reshape x
//!   permute (permute x)                            permute x
//!   reshape permute slice pad broadcast x, as x is x
//!   x + 0   x - 0   x * 1   x / 1   float of float x
//!   choose (always, a, b)                          a
//!   matmul (permute [0, 2, 1] a, b)                matmul {transpose_left} (a, b)
//!   stop x                                         x      (after differentiation only)
//! ```
//!
//! Safe because each result is the same numbers in the same order (x + 0 makes -0 of nothing but -0, which no op tells from
//! 0), and because a replacement of another shape is not taken. `stop` means something to differentiation alone.

use crate::graph::{Graph, Node};
use crate::op::{Matmul, Op, Permute, Reshape, Value};
use crate::shape::Kind;

/// The graph without idle operations; `stops` too if it was differentiated, or never will be.
#[must_use]
pub fn simplify(graph: &Graph, stops: bool) -> Graph {
    graph.rewrite(&mut |copy, node, operands| simpler(copy, node, operands, stops))
}

/// What stands for a node of a copy that grows, if something simpler does.
pub(super) fn simpler(copy: &mut Graph, node: &Node, operands: &[Value], stops: bool) -> Option<Value> {
    match &node.op {
        Op::Stop(_) if stops => Some(operands[0]),
        Op::Reshape(_) | Op::Permute(_) => moved(copy, node, operands[0]),
        Op::Slice(_) | Op::Pad(_) | Op::Broadcast(_) => idle(copy, node, operands[0]),
        Op::ToFloat(_) if copy.shape(operands[0]).kind == Kind::Float => Some(operands[0]),
        Op::Add(_) => neutral(copy, operands, 0.0).or_else(|| neutral(copy, &swapped(operands)?, 0.0)),
        Op::Multiply(_) => neutral(copy, operands, 1.0).or_else(|| neutral(copy, &swapped(operands)?, 1.0)),
        Op::Subtract(_) => neutral(copy, operands, 0.0),
        Op::Divide(_) => neutral(copy, operands, 1.0),
        Op::Choose(_) => decided(copy, operands),
        Op::Matmul(matmul) => transposed(copy, node, matmul, operands),
        _ => None,
    }
}

/// The operand, if the op leaves every element at its place.
fn idle(graph: &Graph, node: &Node, x: Value) -> Option<Value> {
    let sizes = &graph.shape(x).sizes;
    let same = match &node.op {
        Op::Reshape(_) | Op::Slice(_) | Op::Pad(_) => *sizes == node.shape.sizes,
        Op::Broadcast(broadcast) => *sizes == node.shape.sizes && in_order(&broadcast.axes),
        Op::Permute(permute) => in_order(&permute.axes),
        _ => false,
    };
    same.then_some(x)
}

fn in_order(axes: &[usize]) -> bool {
    axes.iter().enumerate().all(|(i, axis)| i == *axis)
}

/// One reshape instead of two, one permute instead of two, none instead of an idle one.
fn moved(graph: &mut Graph, node: &Node, x: Value) -> Option<Value> {
    if let Some(x) = idle(graph, node, x) {
        return Some(x);
    }
    let joined: Op = match (&node.op, &graph.node(x).op) {
        (Op::Reshape(outer), Op::Reshape(_)) => Reshape { sizes: outer.sizes.clone() }.into(),
        (Op::Permute(outer), Op::Permute(inner)) => {
            let axes: Option<Vec<usize>> =
                outer.axes.iter().map(|axis| inner.axes.get(*axis).copied()).collect();
            Permute { axes: axes? }.into()
        }
        _ => return None,
    };
    let source = *graph.operands(x).first()?;
    let alone = Node { op: joined, shape: node.shape.clone(), origin: node.origin.clone() };
    idle(graph, &alone, source).or_else(|| graph.add(alone.op, &[source], &alone.origin).ok())
}

fn swapped(operands: &[Value]) -> Option<[Value; 2]> {
    let [a, b] = *operands else { return None };
    Some([b, a])
}

/// The first operand, if the second is the neutral number everywhere.
fn neutral(graph: &Graph, operands: &[Value], number: f64) -> Option<Value> {
    (constant(graph, operands[1])? == number).then_some(operands[0])
}

/// The number that a value is everywhere.
fn constant(graph: &Graph, value: Value) -> Option<f64> {
    match &graph.node(value).op {
        Op::Fill(fill) => Some(fill.value),
        Op::Broadcast(_) | Op::Reshape(_) | Op::Permute(_) | Op::Slice(_) | Op::ToFloat(_) | Op::Stop(_) => {
            constant(graph, *graph.operands(value).first()?)
        }
        Op::Not(_) => constant(graph, *graph.operands(value).first()?).map(|c| 1.0 - c),
        _ => None,
    }
}

fn decided(graph: &Graph, operands: &[Value]) -> Option<Value> {
    let always = constant(graph, operands[0])?;
    Some(operands[if always == 0.0 { 2 } else { 1 }])
}

/// Exchanges of the last two axes become flags of the product.
fn transposed(graph: &mut Graph, node: &Node, matmul: &Matmul, operands: &[Value]) -> Option<Value> {
    let (left, right) = (exchanged(graph, operands[0]), exchanged(graph, operands[1]));
    if left.is_none() && right.is_none() {
        return None;
    }
    let flags = Matmul {
        transpose_left: matmul.transpose_left != left.is_some(),
        transpose_right: matmul.transpose_right != right.is_some(),
    };
    let operands = [left.unwrap_or(operands[0]), right.unwrap_or(operands[1])];
    graph.add(flags, &operands, &node.origin).ok()
}

/// What a permute of just the last two axes exchanges.
fn exchanged(graph: &Graph, value: Value) -> Option<Value> {
    let Op::Permute(permute) = &graph.node(value).op else { return None };
    let (leading, last) = permute.axes.split_at(permute.axes.len().checked_sub(2)?);
    let n = leading.len();
    (in_order(leading) && *last == [n + 1, n]).then(|| graph.operands(value).first().copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: &str =
        r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":["2","3"]}} () : float[2, 3]"#;

    /// Both sides start with the parameter `%0`.
    fn check(before: &str, after: &str) {
        let before = Graph::parse(&format!("{W}\n{before}")).expect("a graph");
        let after = Graph::parse(&format!("{W}\n{after}")).expect("a graph");
        assert_eq!(simplify(&before, true).to_string(), after.to_string());
    }

    #[test]
    fn reshapes_join() {
        check(
            "%1 = reshape {\"sizes\":[\"6\"]} (%0) : float[6]
             %2 = reshape {\"sizes\":[\"3\",\"2\"]} (%1) : float[3, 2]
             %3 = reshape {\"sizes\":[\"2\",\"3\"]} (%2) : float[2, 3]
             output y = %2
             output z = %3",
            "%1 = reshape {\"sizes\":[\"3\",\"2\"]} (%0) : float[3, 2]
             output y = %1
             output z = %0",
        );
    }

    #[test]
    fn permutes_join_and_vanish() {
        check(
            "%1 = permute {\"axes\":[1,0]} (%0) : float[3, 2]
             %2 = permute {\"axes\":[1,0]} (%1) : float[2, 3]
             %3 = permute {\"axes\":[0,1]} (%2) : float[2, 3]
             output y = %3",
            "output y = %0",
        );
    }

    #[test]
    fn neutral_numbers_and_stops_go() {
        check(
            "%1 = fill {\"shape\":{\"kind\":\"float\",\"sizes\":[]},\"value\":0.0} () : float[]
             %2 = fill {\"shape\":{\"kind\":\"float\",\"sizes\":[]},\"value\":1.0} () : float[]
             %3 = add (%1, %0) : float[2, 3]
             %4 = multiply (%3, %2) : float[2, 3]
             %5 = stop (%4) : float[2, 3]
             %6 = to_float (%5) : float[2, 3]
             %7 = slice {\"axis\":1,\"start\":\"0\",\"end\":\"3\"} (%6) : float[2, 3]
             output y = %7",
            "output y = %0",
        );
    }

    #[test]
    fn a_sum_that_broadcasts_stays() {
        let before = "%1 = fill {\"shape\":{\"kind\":\"float\",\"sizes\":[\"4\",\"2\",\"3\"]},\"value\":0.0} () : float[4, 2, 3]
             %2 = add (%0, %1) : float[4, 2, 3]
             output y = %2";
        check(before, before);
    }

    #[test]
    fn transposes_become_flags() {
        check(
            "%1 = permute {\"axes\":[1,0]} (%0) : float[3, 2]
             %2 = matmul {\"transpose_left\":false,\"transpose_right\":false} (%0, %1) : float[2, 2]
             output y = %2",
            "%1 = matmul {\"transpose_left\":false,\"transpose_right\":true} (%0, %0) : float[2, 2]
             output y = %1",
        );
    }

    #[test]
    fn a_decided_choice_is_its_side() {
        check(
            "%1 = fill {\"shape\":{\"kind\":\"condition\",\"sizes\":[]},\"value\":0.0} () : condition[]
             %2 = exp (%0) : float[2, 3]
             %3 = choose (%1, %2, %0) : float[2, 3]
             output y = %3",
            "output y = %0",
        );
    }
}
