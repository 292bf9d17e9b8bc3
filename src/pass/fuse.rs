//! Small operations that make up a larger one become it, before gradients are taken.
//!
//! ```text
//! before                                     after
//!   %3 = matmul (%x, %w)                       %3 = linear (%x, %w, %b)
//!   %4 = add (%3, %b)
//!
//!   %3 = standardize (%x)                      %3 = layer_norm (%x, %gain, %shift)
//!   %4 = multiply (%3, %gain)
//!   %5 = add (%4, %shift)
//! ```
//! and attention between a split into heads and their join, see [`super::fuse_attention`].
//!
//! Safe because the larger op means the same as the smaller ones, up to rounding, and because a part that somebody else
//! reads, or that has a name, is left as it is.

use super::fuse_attention::attention;
use crate::graph::{Graph, Node};
use crate::op::{LayerNorm, Linear, Op, Value};
use crate::shape::Shape;
use std::collections::BTreeSet;

/// What stands for a node whose operands are known in the copy.
type Part = fn(&mut Graph, &Node, &[Value], &Alone) -> Option<Value>;

/// No part makes or reads what another one looks for, so one walk does them all.
const PARTS: [Part; 3] = [linear, layer_norm, attention];

/// Whether a value of the copy has one reader and no name in the graph that is copied.
pub(super) struct Alone(Vec<Option<bool>>);

impl Alone {
    /// Whether only one node reads it.
    pub fn holds(&self, value: Value) -> bool {
        self.0.get(value.0 as usize).copied().flatten().unwrap_or(false)
    }
}

/// The graph with everything fused that can be.
#[must_use]
pub fn fuse(graph: &Graph) -> Graph {
    let graph = graph.needed();
    let named: BTreeSet<Value> = graph.outputs().iter().map(|(_, value)| *value).collect();
    let mut alone = Alone(Vec::new());
    let mut next = graph.values();
    graph.rewrite(&mut |copy, node, operands| {
        let new = PARTS.iter().find_map(|part| part(copy, node, operands, &alone));
        // The node's own place in the copy: the replacement, or the next free one.
        let place = new.unwrap_or(Value(copy.len() as u32)).0 as usize;
        let known = next.next().is_some_and(|value| graph.has_one_user(value) && !named.contains(&value));
        alone.0.resize(alone.0.len().max(place + 1), None);
        alone.0[place] = Some(known);
        new
    })
}

/// The two operands of a node, in the order in which a test holds for the first.
fn ordered(operands: &[Value], test: impl Fn(Value) -> bool) -> Option<(Value, Value)> {
    match *operands {
        [a, b] if test(a) => Some((a, b)),
        [a, b] if test(b) => Some((b, a)),
        _ => None,
    }
}

/// Whether a value is one number for each of the last axis of a shape.
fn is_vector(graph: &Graph, value: Value, of: &Shape) -> bool {
    graph.shape(value).rank() == 1 && of.rank() > 1 && graph.shape(value).sizes.last() == of.sizes.last()
}

fn linear(copy: &mut Graph, node: &Node, operands: &[Value], alone: &Alone) -> Option<Value> {
    let product = |value: Value| match &copy.node(value).op {
        Op::Matmul(op) => !op.transpose_left && !op.transpose_right && alone.holds(value),
        _ => false,
    };
    let (matmul, bias) = ordered(operands, product).filter(|_| matches!(node.op, Op::Add(_)))?;
    let parts = copy.operands(matmul);
    let plain = parts.get(1).is_some_and(|weights| copy.shape(*weights).rank() == 2);
    if !plain || !is_vector(copy, bias, &node.shape) {
        return None;
    }
    copy.add(Linear, &[parts[0], parts[1], bias], &node.origin).ok()
}

fn layer_norm(copy: &mut Graph, node: &Node, operands: &[Value], alone: &Alone) -> Option<Value> {
    let scaled = |value: Value| matches!(copy.node(value).op, Op::Multiply(_)) && alone.holds(value);
    let (product, shift) = ordered(operands, scaled).filter(|_| matches!(node.op, Op::Add(_)))?;
    let standard = |value: Value| matches!(copy.node(value).op, Op::Standardize(_)) && alone.holds(value);
    let (standardize, gain) = ordered(&copy.operands(product), standard)?;
    let Op::Standardize(op) = &copy.node(standardize).op else { return None };
    if !is_vector(copy, gain, &node.shape) || !is_vector(copy, shift, &node.shape) {
        return None;
    }
    let (eps, x) = (op.eps, *copy.operands(standardize).first()?);
    copy.add(LayerNorm { eps }, &[x, gain, shift], &node.origin).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = r#"%0 = input {"name":"x","shape":{"kind":"float","sizes":["B","4"]}} () : float[B, 4]
%1 = parameter {"path":"w","shape":{"kind":"float","sizes":["4","4"]}} () : float[4, 4]
%2 = parameter {"path":"b","shape":{"kind":"float","sizes":["4"]}} () : float[4]
"#;

    fn fused(rest: &str) -> String {
        fuse(&Graph::parse(&format!("{X}{rest}")).expect("a graph")).to_string()
    }

    #[test]
    fn a_product_plus_a_vector_is_linear() {
        let after = fused(
            r#"%3 = matmul {"transpose_left":false,"transpose_right":false} (%0, %1) : float[B, 4]
%4 = add (%3, %2) : float[B, 4]
output y = %4
"#,
        );
        assert!(after.contains("%3 = linear (%0, %1, %2)") && !after.contains("matmul"), "{after}");
    }

    #[test]
    fn a_product_that_is_read_twice_stays() {
        let after = fused(
            r#"%3 = matmul {"transpose_left":false,"transpose_right":false} (%0, %1) : float[B, 4]
%4 = add (%3, %2) : float[B, 4]
output y = %4
output z = %3
"#,
        );
        assert!(after.contains("matmul") && !after.contains("linear"), "{after}");
    }

    #[test]
    fn a_scaled_and_shifted_norm_is_a_layer_norm() {
        let after = fused(
            r#"%3 = standardize {"eps":1e-6} (%0) : float[B, 4]
%4 = multiply (%3, %2) : float[B, 4]
%5 = add (%2, %4) : float[B, 4]
output y = %5
"#,
        );
        assert!(
            after.contains("layer_norm {\"eps\":1e-6} (%0, ") && !after.contains("standardize"),
            "{after}"
        );
    }
}
