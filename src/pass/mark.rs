//! What an executor with a tape of its own is handed instead of a differentiated graph.
//!
//! ```text
//! before                             after, for `w`
//!   %0 = parameter w                   the same, with
//!   output objective = %5              output tape/w = %0
//! ```
//!
//! Safe because nothing is computed that was not. An output `tape/<path>` says: the gradient of `objective` for this
//! parameter is wanted. `stop` stays where it is, for the tape has to end there.

use super::PassError;
use crate::graph::Graph;
use crate::op::Op;
use crate::shape::Shape;

/// The graph with the parameters named whose path is wanted.
///
/// # Errors
/// No such output, or an output that is not a single number.
pub fn mark(graph: &Graph, output: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Graph, PassError> {
    let root = graph.output(output).ok_or_else(|| PassError::NoOutput(output.to_string()))?;
    if *graph.shape(root) != Shape::scalar() {
        return Err(PassError::NotScalar { name: output.to_string(), found: graph.shape(root).clone() });
    }
    let mut marked = graph.clone();
    for value in graph.values() {
        if let Op::Parameter(parameter) = &graph.node(value).op
            && wanted(&parameter.path)
        {
            marked.name(format!("tape/{}", parameter.path), value);
        }
    }
    Ok(marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_wanted_and_adds_nothing() {
        let text = r#"%0 = parameter {"path":"w","shape":{"kind":"float","sizes":[]}} () : float[]
%1 = parameter {"path":"b","shape":{"kind":"float","sizes":[]}} () : float[]
%2 = add (%0, %1) : float[]
output objective = %2
"#;
        let marked = mark(&Graph::parse(text).expect("a graph"), "objective", &|path| path == "w");
        assert_eq!(marked.expect("a marked graph").to_string(), format!("{text}output tape/w = %0\n"));
    }
}
