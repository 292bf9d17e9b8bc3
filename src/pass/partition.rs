//! Partition: what depends on the picture only, on the text only, and on both.
//!
//! ```text
//! before   image ─▶ a ─┬▶ score          image part   image ─▶ a       outputs  cut/<a>
//!          text  ─▶ b ─┘                 text part    text ─▶ b        outputs  cut/<b>
//!                                        pair part    cut/<a>, cut/<b> ─▶ score
//! ```
//!
//! Safe because every node runs in exactly the part that has all it depends on; what depends on no input (parameters, constants,
//! ranges) is copied into each part that reads it. The values at the frontier become outputs of one part and inputs of
//! the pair part, so they are computed once a picture or text and kept.

use crate::graph::Graph;
use crate::op::{Input, Misfit, Op, Value};
use std::collections::BTreeMap;

/// The parts of a graph.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// What reads inputs of the first group only.
    pub image: Graph,
    /// What reads inputs of the second group only.
    pub text: Graph,
    /// The rest; reads `cut/<n>` of both.
    pub pair: Graph,
}

/// What a node depends on: bit 0 the first group, bit 1 the second.
type Needs = u8;
const BOTH: Needs = 3;

/// Cuts a graph by groups of inputs; an input of neither group counts as both.
///
/// # Errors
/// A misfit, which would be a bug: every node was in a graph before.
pub fn partition(graph: &Graph, image: &[&str], text: &[&str]) -> Result<Parts, Misfit> {
    let needs = needs(graph, image, text);
    let mut parts = [Part::new(1), Part::new(2), Part::new(BOTH)];
    for part in &mut parts {
        part.fill(graph, &needs)?;
    }
    let [mut image, mut text, pair] = parts;
    for cut in &pair.cuts {
        let side = if needs[cut.0 as usize] == 1 { &mut image } else { &mut text };
        side.graph.name(cut_name(*cut), side.placed[cut]);
    }
    Ok(Parts { image: image.graph, text: text.graph, pair: pair.graph })
}

fn cut_name(value: Value) -> String {
    format!("cut/{}", value.0)
}

fn needs(graph: &Graph, image: &[&str], text: &[&str]) -> Vec<Needs> {
    let mut needs: Vec<Needs> = Vec::with_capacity(graph.len());
    for value in graph.values() {
        let below = graph.operands(value).iter().fold(0, |all, v| all | needs[v.0 as usize]);
        let own = match &graph.node(value).op {
            Op::Input(input) if image.contains(&input.name.as_str()) => 1,
            Op::Input(input) if text.contains(&input.name.as_str()) => 2,
            Op::Input(_) => BOTH,
            _ => 0,
        };
        needs.push(below | own);
    }
    needs
}

struct Part {
    kind: Needs,
    graph: Graph,
    placed: BTreeMap<Value, Value>,
    cuts: Vec<Value>,
}

impl Part {
    fn new(kind: Needs) -> Self {
        Self { kind, graph: Graph::default(), placed: BTreeMap::new(), cuts: Vec::new() }
    }

    /// Takes the nodes of its kind, the constants they read, and inputs in the place of what other parts compute.
    fn fill(&mut self, graph: &Graph, needs: &[Needs]) -> Result<(), Misfit> {
        let kind = self.kind;
        for value in graph.values().filter(|v| needs[v.0 as usize] == kind) {
            self.take(graph, needs, value)?;
        }
        for (name, value) in graph.outputs() {
            // A cut has a place here too, but its name stays with the part that computes it.
            if needs[value.0 as usize] == kind {
                self.graph.name(name.clone(), self.placed[value]);
            }
        }
        Ok(())
    }

    fn take(&mut self, graph: &Graph, needs: &[Needs], value: Value) -> Result<Value, Misfit> {
        if let Some(placed) = self.placed.get(&value) {
            return Ok(*placed);
        }
        let (node, kind) = (graph.node(value), needs[value.0 as usize]);
        let placed = if kind == self.kind || kind == 0 {
            let operands: Result<Vec<Value>, Misfit> =
                graph.operands(value).into_iter().map(|v| self.take(graph, needs, v)).collect();
            self.graph.add(node.op.clone(), &operands?, &node.origin)?
        } else {
            self.cuts.push(value);
            let input = Input { name: cut_name(value), shape: node.shape.clone() };
            self.graph.add(input, &[], &node.origin)?
        };
        self.placed.insert(value, placed);
        Ok(placed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Origin;
    use crate::op::{Add, Exp, Multiply};
    use crate::shape::Shape;

    #[test]
    fn cuts_where_the_sides_meet() {
        let (mut graph, origin) = (Graph::default(), Origin::default());
        let shape = Shape::float([4usize, 2]);
        let mut add = |op: Op, operands: &[Value]| graph.add(op, operands, &origin).expect("fits");
        let x = add(Input { name: "image".into(), shape: shape.clone() }.into(), &[]);
        let y = add(Input { name: "text".into(), shape }.into(), &[]);
        let a = add(Exp.into(), &[x]);
        let b = add(Exp.into(), &[y]);
        let both = add(Multiply.into(), &[a, b]);
        let score = add(Add.into(), &[both, b]);
        graph.name("image", a);
        graph.name("rerank", score);
        let parts = partition(&graph, &["image"], &["text"]).expect("was a graph");
        let names = |graph: &Graph| graph.outputs().iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&parts.image), ["image", "cut/2"]);
        assert_eq!(names(&parts.text), ["cut/3"]);
        assert_eq!(names(&parts.pair), ["rerank"]);
        assert_eq!((parts.image.len(), parts.text.len(), parts.pair.len()), (2, 2, 4));
    }
}
