//! The verifier: what every graph outside of this room can be trusted for.
//!
//! Of every node:
//!
//! 1. its operands precede it, so the order of indices is an order of execution;
//! 2. its operands have the positions 0, 1, 2, ... without gap or double;
//! 3. their number, kinds and sizes fit the op (`infer` is run again);
//! 4. its stored shape is the one that `infer` gives.
//!
//! Of the graph:
//!
//! 5. every output is a node of the graph, and no two outputs share a name;
//! 6. one name has one shape among the inputs, the parameters, the twins and the states;
//! 7. an output `grad/<path>` has the shape of the parameter, an output `next/<name>` the shape of the state;
//! 8. an output `keep/<name>` is a `put` on the state, and nothing else reads that state: so it can be done where the state lies.
//!
//! All faults are collected. [`Verified`] is the proof, and the only thing an executor takes.

use super::Graph;
use crate::op::{Misfit, Op, Value};
use crate::shape::Shape;
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use rustc_hash::{FxHashMap, FxHashSet};

/// A graph that keeps every rule: what executors are handed. One that is only measured is taken at its word.
#[derive(Clone, Debug)]
pub struct Verified(Graph);

/// A rule that a node or output breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{op}` at `{path}`: {breach}")]
pub struct Fault {
    /// The op of the node, `output` for a named value.
    pub op: &'static str,
    /// The origin of the node, the name of an output.
    pub path: String,
    /// Which rule, and how.
    pub breach: Breach,
}

/// How a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Rule 1.
    #[error("operand %{0} does not precede its user")]
    Order(u32),
    /// Rule 2.
    #[error("operand positions are {0:?}")]
    Positions(Vec<usize>),
    /// Rule 3.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Rule 4, 6 and 7.
    #[error("should be {expected}, but is {found}")]
    Shape {
        /// By the rule.
        expected: Shape,
        /// In the graph.
        found: Shape,
    },
    /// Rule 5.
    #[error("there is no node %{0}")]
    NoNode(u32),
    /// Rule 5.
    #[error("the name is given twice")]
    Twice,
    /// Rule 8.
    #[error("is no `put` on a state that nothing else reads")]
    NotKept,
}

impl Graph {
    /// Checks every rule.
    ///
    /// # Errors
    /// All rules that are broken, in the order of the nodes.
    pub fn verify(self) -> Result<Verified, Vec<Fault>> {
        let mut faults: Vec<Fault> = self.values().flat_map(|value| self.node_faults(value)).collect();
        faults.extend(self.name_faults());
        faults.extend(self.output_faults());
        if faults.is_empty() { Ok(Verified(self)) } else { Err(faults) }
    }

    /// Taken for whole without a look: for what only asks what the graph would cost.
    pub(crate) fn assumed(self) -> Verified {
        Verified(self)
    }

    fn fault(&self, value: Value, breach: Breach) -> Fault {
        let node = self.node(value);
        Fault { op: node.op.name(), path: node.origin.path.to_string(), breach }
    }

    fn node_faults(&self, value: Value) -> Vec<Fault> {
        let operands = self.operands(value);
        let late =
            operands.iter().filter(|operand| **operand >= value).map(|operand| Breach::Order(operand.0));
        let mut breaches: Vec<Breach> = late.collect();
        breaches.extend(self.position_breach(value));
        breaches.extend(self.shape_breach(value, &operands));
        breaches.into_iter().map(|breach| self.fault(value, breach)).collect()
    }

    fn position_breach(&self, value: Value) -> Option<Breach> {
        let edges = || self.nodes.edges_directed(NodeIndex::new(value.0 as usize), Direction::Incoming);
        // The last one comes first.
        let fits = edges().zip((0..edges().count()).rev()).all(|(edge, place)| *edge.weight() == place);
        (!fits).then(|| {
            let mut positions: Vec<usize> = edges().map(|edge| *edge.weight()).collect();
            positions.sort_unstable();
            Breach::Positions(positions)
        })
    }

    fn shape_breach(&self, value: Value, operands: &[Value]) -> Option<Breach> {
        let node = self.node(value);
        match self.infer(&node.op, operands) {
            Err(misfit) => Some(misfit.into()),
            Ok(shape) => differs(&shape, &node.shape),
        }
    }

    fn name_faults(&self) -> Vec<Fault> {
        let mut known: FxHashMap<(&str, &str), &Shape> = FxHashMap::default();
        let mut faults = Vec::new();
        for value in self.values() {
            let node = self.node(value);
            let Some(name) = leaf_name(&node.op) else { continue };
            let first = known.entry((node.op.name(), name)).or_insert(&node.shape);
            faults.extend(differs(first, &node.shape).map(|breach| self.fault(value, breach)));
        }
        faults
    }

    fn output_faults(&self) -> Vec<Fault> {
        let owners = self.owners();
        let mut seen = FxHashSet::default();
        let mut faults = Vec::new();
        for (name, value) in &self.outputs {
            let fault = |breach| Fault { op: "output", path: name.clone(), breach };
            if !seen.insert(name) {
                faults.push(fault(Breach::Twice));
            }
            if value.0 as usize >= self.len() {
                faults.push(fault(Breach::NoNode(value.0)));
                continue;
            }
            if name.strip_prefix("keep/").is_some_and(|state| !self.keeps(*value, state)) {
                faults.push(fault(Breach::NotKept));
            }
            let owner = name.split_once('/').and_then(|owner| owners.get(&owner));
            let expected = owner.and_then(|shape| differs(shape, self.shape(*value)));
            faults.extend(expected.map(fault));
        }
        faults
    }

    /// Whether a value is a `put` on this state, and all that reads it.
    fn keeps(&self, value: Value, state: &str) -> bool {
        let of = self.operands(value).first().copied().filter(|_| matches!(self.node(value).op, Op::Put(_)));
        let readers = |v: &Value| matches!(&self.node(*v).op, Op::State(op) if op.name == state);
        let known: Vec<Value> = self.values().filter(readers).collect();
        of.is_some_and(|of| known == [of] && self.users(of) == [value])
    }

    /// The shapes of the parameters that `grad/<path>` belongs to, and of the states that `next/<name>` replaces.
    fn owners(&self) -> FxHashMap<(&str, &str), &Shape> {
        let mut owners = FxHashMap::default();
        for node in self.values().map(|value| self.node(value)) {
            let output = match &node.op {
                Op::Parameter(parameter) => ("grad", parameter.path.as_str()),
                Op::State(state) => ("next", state.name.as_str()),
                _ => continue,
            };
            owners.entry(output).or_insert(&node.shape);
        }
        owners
    }
}

fn differs(expected: &Shape, found: &Shape) -> Option<Breach> {
    (expected != found).then(|| Breach::Shape { expected: expected.clone(), found: found.clone() })
}

/// The name under which a leaf finds its numbers.
pub(super) fn leaf_name(op: &Op) -> Option<&str> {
    match op {
        Op::Input(input) => Some(&input.name),
        Op::Parameter(parameter) => Some(&parameter.path),
        Op::Twin(twin) => Some(&twin.path),
        Op::State(state) => Some(&state.name),
        _ => None,
    }
}

impl std::ops::Deref for Verified {
    type Target = Graph;
    fn deref(&self) -> &Graph {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let graph = Graph::parse(text).expect("a graph");
        graph.verify().err().unwrap_or_default().iter().map(Fault::to_string).collect()
    }

    const X: &str = r#"%0 = input {"name":"x","shape":{"sizes":["B","3"],"kind":"float"}} () : float[B, 3]"#;

    #[test]
    fn a_sound_graph_passes() {
        assert_eq!(faults(&format!("{X}\n%1 = exp (%0) : float[B, 3]\noutput y = %1\n")), [""; 0]);
    }

    #[test]
    fn a_wrong_shape_is_told_with_both() {
        let found = faults(&format!("{X}\n%1 = exp (%0) : float[B, 4]  # head\n"));
        assert_eq!(found, ["`exp` at `head`: should be float[B, 3], but is float[B, 4]"]);
    }

    #[test]
    fn a_missing_operand_is_a_misfit() {
        let found = faults(&format!("{X}\n%1 = add (%0) : float[B, 3]  # head\n"));
        assert!(found.len() == 1 && found[0].starts_with("`add` at `head`: C"), "{found:?}");
    }

    #[test]
    fn one_name_has_one_shape() {
        let other = X.replace("%0", "%1").replace("B", "C");
        assert_eq!(
            faults(&format!("{X}\n{other}\n")),
            ["`input` at ``: should be float[B, 3], but is float[C, 3]"]
        );
    }

    #[test]
    fn a_gradient_has_the_shape_of_its_parameter() {
        let w = r#"%1 = parameter {"path":"w","shape":{"sizes":["3"],"kind":"float"}} () : float[3]"#;
        let found = faults(&format!("{X}\n{w}\noutput grad/w = %0\n"));
        assert_eq!(found, ["`output` at `grad/w`: should be float[3], but is float[B, 3]"]);
    }

    #[test]
    fn a_kept_state_is_read_by_nothing_else() {
        let text = |more: &str| {
            format!(
                "{}\n%1 = input {{\"name\":\"n\",\"shape\":{{\"sizes\":[\"B\",\"1\"],\"kind\":\"float\"}}}} () : float[B, 1]
                 %2 = input {{\"name\":\"p\",\"shape\":{{\"sizes\":[\"1\"],\"kind\":\"ids\"}}}} () : ids[1]
                 %3 = put {{\"axis\":1}} (%0, %1, %2) : float[B, 3]\n{more}output keep/x = %3\n",
                X.replace("input", "state")
            )
        };
        assert_eq!(faults(&text("")), [""; 0]);
        let found = faults(&text("%4 = exp (%0) : float[B, 3]\noutput y = %4\n"));
        assert_eq!(found, ["`output` at `keep/x`: is no `put` on a state that nothing else reads"]);
    }

    #[test]
    fn an_operand_after_its_user_is_out_of_order() {
        let mut graph = Graph::parse(X).expect("a graph");
        graph.nodes.add_edge(NodeIndex::new(0), NodeIndex::new(0), 1);
        let faults = graph.verify().expect_err("faults");
        assert_eq!(faults[0].breach, Breach::Order(0));
        assert_eq!(faults[1].breach, Breach::Positions(vec![1]));
    }
}
