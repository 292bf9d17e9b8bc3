//! The graph of a stage, one node a line.

use crate::lower::model::Stage;
use std::fmt::Write;

/// Nodes, then outputs.
pub fn text(stage: &Stage) -> String {
    let mut text = format!("# stage {}\n", stage.name);
    for value in stage.graph.values() {
        let (node, operands) = (stage.graph.node(value), stage.graph.operands(value));
        let operands: Vec<String> = operands.iter().map(|v| format!("%{}", v.0)).collect();
        let (name, path) = (node.op.name(), &node.origin.path);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "%{} = {name}({}) : {}  # {path}", value.0, operands.join(", "), node.shape);
    }
    for (name, value) in stage.graph.outputs() {
        let _ = writeln!(text, "output {name} = %{}", value.0);
    }
    text
}
