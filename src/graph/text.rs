//! The text form of a graph: one line a node, then one line a named output; it prints and parses back.
//!
//! ```text
//! %0 = input {"name":"x","shape":{"sizes":["B","3"],"kind":"float"}} () : float[B, 3]
//! %1 = layer_norm {"eps":0.00001} (%0, %4, %5) : float[B, 3]  # vision.blocks[0].norm
//! output y = %1
//! ```
//!
//! Attributes are JSON, left out where there are none; after `#` stands the path of the origin (place and modality are not
//! printed). Parsing believes the shapes as written: the verifier judges them.

use super::{Graph, Node, Origin};
use crate::op::{Op, Value};
use crate::shape::{Kind, Shape, Size};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A line that is no node and no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct TextError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Another form than a node or an output has.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A name that starts with `%` and was not defined above.
    #[error("`{0}` is not defined above")]
    Unknown(String),
    /// A node defined before.
    #[error("`{0}` is defined twice")]
    Twice(String),
    /// No op of this name has these attributes.
    #[error("no op `{op}` with these attributes: {message}")]
    Op {
        /// As written.
        op: String,
        /// By the reader of JSON.
        message: String,
    },
    /// Neither sizes nor kind.
    #[error("`{0}` is not a shape")]
    Shape(String),
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for value in self.values() {
            self.write_node(f, value)?;
        }
        self.outputs.iter().try_for_each(|(name, value)| writeln!(f, "output {name} = %{}", value.0))
    }
}

impl Graph {
    fn write_node(&self, f: &mut fmt::Formatter<'_>, value: Value) -> fmt::Result {
        let node = self.node(value);
        let (name, attributes) = describe(&node.op).ok_or(fmt::Error)?;
        write!(f, "%{} = {name} ", value.0)?;
        if !attributes.is_empty() {
            write!(f, "{attributes} ")?;
        }
        let operands: Vec<String> = self.operands(value).iter().map(|v| format!("%{}", v.0)).collect();
        write!(f, "({}) : {}", operands.join(", "), node.shape)?;
        if !node.origin.path.is_empty() {
            write!(f, "  # {}", node.origin.path)?;
        }
        writeln!(f)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Graph, TextError> {
        let mut graph = Graph::default();
        let mut known = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                graph.read_line(line, &mut known).map_err(|reason| TextError { line: index + 1, reason })?;
            }
        }
        Ok(graph)
    }

    fn read_line<'t>(&mut self, line: &'t str, known: &mut HashMap<&'t str, Value>) -> Result<(), Reason> {
        if let Some(rest) = line.strip_prefix("output ") {
            let (name, value) = rest.rsplit_once('=').ok_or(Reason::Missing("="))?;
            self.name(name.trim(), look_up(value.trim(), known)?);
            return Ok(());
        }
        let (name, rest) = line.split_once('=').ok_or(Reason::Missing("="))?;
        let value = self.read_node(rest.trim_start(), known)?;
        match known.insert(name.trim(), value) {
            None => Ok(()),
            Some(_) => Err(Reason::Twice(name.trim().to_string())),
        }
    }

    fn read_node(&mut self, text: &str, known: &HashMap<&str, Value>) -> Result<Value, Reason> {
        let (op, rest) = read_op(text)?;
        let rest = rest.trim_start().strip_prefix('(').ok_or(Reason::Missing("("))?;
        let (list, rest) = rest.split_once(')').ok_or(Reason::Missing(")"))?;
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let operands: Vec<Value> = names.map(|name| look_up(name, known)).collect::<Result<_, _>>()?;
        let rest = rest.trim_start().strip_prefix(':').ok_or(Reason::Missing(":"))?;
        let (shape, path) = rest.split_once('#').unwrap_or((rest, ""));
        let origin = Origin { path: path.trim().into(), ..Origin::default() };
        let node = Node { op, shape: read_shape(shape.trim())?, origin };
        Ok(self.place(Arc::new(node), &operands))
    }
}

/// The name of an op in JSON and its attributes as JSON.
fn describe(op: &Op) -> Option<(String, String)> {
    let serde_json::Value::Object(object) = serde_json::to_value(op).ok()? else { return None };
    let (name, attributes) = object.into_iter().next()?;
    Some((name, if attributes.is_null() { String::new() } else { attributes.to_string() }))
}

fn look_up(name: &str, known: &HashMap<&str, Value>) -> Result<Value, Reason> {
    known.get(name).copied().ok_or_else(|| Reason::Unknown(name.to_string()))
}

fn read_op(text: &str) -> Result<(Op, &str), Reason> {
    let end = text.find([' ', '{', '(']).ok_or(Reason::Missing("("))?;
    let (name, rest) = (&text[..end], text[end..].trim_start());
    let wrong = |e: serde_json::Error| Reason::Op { op: name.to_string(), message: e.to_string() };
    let mut attributes = serde_json::Value::Null;
    let mut used = 0;
    if rest.starts_with('{') {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        attributes = values.next().transpose().map_err(wrong)?.unwrap_or_default();
        used = values.byte_offset();
    }
    let tagged = serde_json::Map::from_iter([(name.to_string(), attributes)]);
    let op = serde_json::from_value(serde_json::Value::Object(tagged)).map_err(wrong)?;
    Ok((op, &rest[used..]))
}

fn read_shape(text: &str) -> Result<Shape, Reason> {
    let wrong = || Reason::Shape(text.to_string());
    let (kind, sizes) = text.strip_suffix(']').and_then(|t| t.split_once('[')).ok_or_else(wrong)?;
    let kind = match kind {
        "float" => Kind::Float,
        "ids" => Kind::Ids,
        "condition" => Kind::Condition,
        _ => return Err(wrong()),
    };
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    let sizes =
        sizes.map(|size| Size::try_from(size.to_string()).map_err(|_| wrong())).collect::<Result<_, _>>()?;
    Ok(Shape { sizes, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"%0 = input {"name":"x","shape":{"kind":"float","sizes":["2*B + 1","3"]}} () : float[2*B + 1, 3]
%1 = layer_norm {"eps":0.00001} (%0, %0, %0) : float[2*B + 1, 3]  # vision.blocks[0].norm
%2 = sample_ids {"draw":{"path":"neg(a, b)","rows":true}} (%1) : ids[2*B + 1]
%3 = exp (%1) : float[]
output y = %3
output grad/vision.w = %1
"#;

    #[test]
    fn what_is_printed_is_read_back() {
        let graph = Graph::parse(TEXT).expect("a graph");
        assert_eq!(graph.len(), 4);
        let again = Graph::parse(&graph.to_string()).expect("a graph");
        assert_eq!(again.to_string(), graph.to_string());
        assert_eq!(graph.to_string(), TEXT);
    }

    #[test]
    fn faulty_lines_are_named() {
        let fault = |text: &str| Graph::parse(text).expect_err("a fault").to_string();
        assert_eq!(fault("\n%1 = exp (%0) : float[]"), "line 2: `%0` is not defined above");
        assert_eq!(fault("%1 = eye {\"n\":\"3\"} () : reals[3, 3]"), "line 1: `reals[3, 3]` is not a shape");
        assert_eq!(fault("%1 exp"), "line 1: `=` is missing");
        assert!(fault("%1 = exq () : float[]").starts_with("line 1: no op `exq` with these attributes"));
        assert!(fault("%1 = eye {\"n\":} () : float[]").starts_with("line 1: no op `eye`"));
    }
}
