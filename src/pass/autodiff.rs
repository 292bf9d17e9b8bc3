//! Reverse-mode differentiation: gradients are more graph.
//!
//! ```text
//! before                             after, for `w`
//!   x ──┐                              x ──┐
//!       linear ── loss                     linear ── loss
//!   w ──┘                              w ──┘  │
//!                                        dw ◀─ 1.0        output grad/w = dw
//! ```
//!
//! Safe because nodes are only added: every value that was there is still computed as it was. A node gets a gradient only if
//! it lies between a wanted parameter and the output; `stop`, twins, states, ids and conditions let none through, so nothing
//! is computed for frozen parts. Contributions to one value are added in the order of falling node numbers of its users, so
//! the sum is the same in every run. Gradient nodes carry the origin of the forward node.

use crate::graph::{Builder, Graph};
use crate::op::{Add, Backward, Build, Fill, Misfit, Op, Value};
use crate::shape::{Kind, Shape};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Why a graph has no gradient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    /// No value of this name.
    #[error("the graph has no output `{0}`")]
    NoOutput(String),
    /// Only a single number has a gradient.
    #[error("`{name}` should be float[], but is {found}")]
    NotScalar {
        /// The output.
        name: String,
        /// Its shape.
        found: Shape,
    },
    /// An op's gradient does not fit together.
    #[error("the gradient of `{op}` at `{path}`: {misfit}")]
    Misfit {
        /// The op that was differentiated.
        op: &'static str,
        /// The origin of its node.
        path: String,
        /// What does not fit.
        misfit: Misfit,
    },
}

/// The graph with gradients of the output for all parameters whose path is wanted, named `grad/<path>`. A wanted parameter
/// that the output does not depend on gets zeros.
///
/// # Errors
/// No such output, an output that is not a single number, or an op whose gradient does not fit.
pub fn differentiate(graph: &Graph, output: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Graph, PassError> {
    let root = graph.output(output).ok_or_else(|| PassError::NoOutput(output.to_string()))?;
    if *graph.shape(root) != Shape::scalar() {
        return Err(PassError::NotScalar { name: output.to_string(), found: graph.shape(root).clone() });
    }
    let mut sweep = Sweep::new(graph, wanted);
    sweep.seed(root)?;
    for value in graph.values().rev() {
        sweep.visit(value)?;
    }
    sweep.name(wanted)
}

/// The copy that grows, while the nodes are visited from the last to the first.
struct Sweep {
    graph: Graph,
    /// Whether a value depends on a wanted parameter.
    carries: Vec<bool>,
    /// The gradient so far.
    gradients: Vec<Option<Value>>,
}

impl Sweep {
    fn new(graph: &Graph, wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut carries = vec![false; graph.len()];
        for value in graph.values() {
            carries[value.0 as usize] = match &graph.node(value).op {
                Op::Parameter(parameter) => wanted(&parameter.path),
                Op::Stop(_) | Op::Twin(_) | Op::State(_) => false,
                _ if graph.shape(value).kind != Kind::Float => false,
                _ => graph.sources(value).any(|operand| carries[operand.0 as usize]),
            };
        }
        Self { graph: graph.clone(), carries, gradients: vec![None; graph.len()] }
    }

    /// Builds nodes for a forward node; a misfit becomes an error that names it.
    fn build<T>(&mut self, at: Value, nodes: impl FnOnce(&mut Builder<'_>) -> T) -> Result<T, PassError> {
        let origin = self.graph.node(at).origin.clone();
        let mut builder = Builder::new(&mut self.graph, origin);
        let result = nodes(&mut builder);
        match builder.misfit {
            None => Ok(result),
            Some(misfit) => {
                let node = self.graph.node(at);
                Err(PassError::Misfit { op: node.op.name(), path: node.origin.path.to_string(), misfit })
            }
        }
    }

    fn seed(&mut self, root: Value) -> Result<(), PassError> {
        if self.carries[root.0 as usize] {
            let one = Op::from(Fill { shape: Shape::scalar(), value: 1.0 });
            self.gradients[root.0 as usize] = Some(self.build(root, |build| build.add(one, &[]))?);
        }
        Ok(())
    }

    /// Hands the gradient of a node on to its operands.
    fn visit(&mut self, value: Value) -> Result<(), PassError> {
        let Some(dy) = self.gradients[value.0 as usize] else { return Ok(()) };
        let operands = self.graph.operands(value);
        let wanted: SmallVec<[bool; 6]> =
            operands.iter().map(|operand| self.carries[operand.0 as usize]).collect();
        let node = self.graph.shared(value);
        let parts = self.build(value, |build| {
            node.op.grad(&mut Backward { build, operands: &operands, result: value, dy, wanted: &wanted })
        })?;
        for ((operand, part), wanted) in operands.into_iter().zip(parts).zip(wanted) {
            if let (Some(part), true) = (part, wanted) {
                self.contribute(value, operand, part)?;
            }
        }
        Ok(())
    }

    fn contribute(&mut self, user: Value, operand: Value, part: Value) -> Result<(), PassError> {
        self.same_shape(user, operand, part)?;
        let sum = match self.gradients[operand.0 as usize] {
            None => part,
            Some(other) => self.build(operand, |build| build.add(Add.into(), &[other, part]))?,
        };
        self.gradients[operand.0 as usize] = Some(sum);
        Ok(())
    }

    fn same_shape(&self, user: Value, operand: Value, part: Value) -> Result<(), PassError> {
        let (expected, found) = (self.graph.shape(operand), self.graph.shape(part));
        if expected == found {
            return Ok(());
        }
        let node = self.graph.node(user);
        let misfit = Misfit::new("C0", format!("should be {expected}, but is {found}"));
        Err(PassError::Misfit { op: node.op.name(), path: node.origin.path.to_string(), misfit })
    }

    /// Names the gradients; a parameter that is read at several nodes gets the sum.
    fn name(mut self, wanted: &dyn Fn(&str) -> bool) -> Result<Graph, PassError> {
        let mut names = Vec::new();
        for (path, nodes) in self.parameters(wanted) {
            let first = nodes[0];
            let parts: Vec<Value> = nodes.iter().filter_map(|v| self.gradients[v.0 as usize]).collect();
            let zeros = Fill { shape: self.graph.shape(first).clone(), value: 0.0 };
            let sum = self.build(first, |build| {
                let sum = parts.into_iter().reduce(|a, b| build.add(Add.into(), &[a, b]));
                sum.unwrap_or_else(|| build.add(zeros.into(), &[]))
            })?;
            names.push((format!("grad/{path}"), sum));
        }
        self.graph.name_all(names);
        Ok(self.graph)
    }

    fn parameters(&self, wanted: &dyn Fn(&str) -> bool) -> BTreeMap<String, Vec<Value>> {
        let mut nodes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for value in (0..self.carries.len() as u32).map(Value) {
            if let Op::Parameter(parameter) = &self.graph.node(value).op
                && wanted(&parameter.path)
            {
                nodes.entry(parameter.path.clone()).or_default().push(value);
            }
        }
        nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES: &str = r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":["3"]}} () : float[3]  # w
%1 = parameter {"path":"b","shape":{"kind":"float","sizes":["3"]}} () : float[3]  # b
%2 = multiply (%0, %1) : float[3]  # head
"#;

    fn gradients(text: &str, wanted: &[&str]) -> Vec<String> {
        let graph = Graph::parse(text).expect("a graph");
        let graph = differentiate(&graph, "loss", &|path| wanted.contains(&path)).expect("gradients");
        graph.needed().to_string().lines().map(String::from).collect()
    }

    #[test]
    fn only_the_way_to_a_wanted_parameter_is_walked() {
        let text = format!("{LEAVES}%3 = sum {{\"axis\":0}} (%2) : float[]  # head\noutput loss = %3\n");
        let lines = gradients(&text, &["w"]);
        assert_eq!(lines.iter().filter(|l| l.contains("= multiply")).count(), 2, "{lines:#?}");
        assert!(lines.last().is_some_and(|l| l.starts_with("output grad/w = ")));
        assert!(!lines.iter().any(|l| l.starts_with("output grad/b")));
    }

    #[test]
    fn nothing_passes_a_stop() {
        let text = format!(
            "{LEAVES}%3 = stop (%2) : float[3]\n%4 = sum {{\"axis\":0}} (%3) : float[]\noutput loss = %4\n"
        );
        let lines = gradients(&text, &["w"]);
        assert!(lines.iter().any(|l| l.contains("fill") && l.contains("\"value\":0.0")), "{lines:#?}");
        assert_eq!(lines.iter().filter(|l| l.contains("= multiply")).count(), 1);
    }

    #[test]
    fn an_output_must_be_one_number() {
        let graph = Graph::parse(&format!("{LEAVES}output loss = %2\n")).expect("a graph");
        let error = differentiate(&graph, "loss", &|_| true).expect_err("an error");
        assert_eq!(error.to_string(), "`loss` should be float[], but is float[3]");
        assert!(differentiate(&graph, "other", &|_| true).is_err());
    }
}
