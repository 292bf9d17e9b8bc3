//! A picture for Graphviz.

use super::{Kind, Node, Picture, Style};

/// The picture in the language DOT.
pub fn dot(picture: &Picture) -> String {
    let mut text = format!("digraph {} {{\n  rankdir=BT;\n", quoted(&picture.title));
    text +=
        &format!("  label={};\n  labelloc=t;\n", quoted(&format!("{}\n{}", picture.title, picture.subtitle)));
    text += "  node [fontname=\"monospace\", fontsize=11];\n";
    for (at, node) in picture.nodes.iter().enumerate() {
        text += &format!("  n{at} [label={}, {}];\n", quoted(&label(node)), look(node.kind));
    }
    for arrow in &picture.arrows {
        let style = match arrow.style {
            Style::Flow => "solid",
            Style::Instead => "dotted",
            Style::Next => "dashed, constraint=false",
        };
        let name = picture.nodes[arrow.from].result.as_ref().map_or("", |(name, _)| name.as_str());
        text += &format!("  n{} -> n{} [style={style}, tooltip={}];\n", arrow.from, arrow.to, quoted(name));
    }
    for (rank, kind) in [("min", Kind::Input), ("max", Kind::Loss)] {
        let same: Vec<String> = (0..picture.nodes.len())
            .filter(|at| picture.nodes[*at].kind == kind)
            .map(|at| format!("n{at}"))
            .collect();
        text += &format!("  {{ rank={rank}; {} }}\n", same.join("; "));
    }
    text + "}\n"
}

fn label(node: &Node) -> String {
    let result = node.result.iter().map(|(name, ty)| format!("-> {name} {ty}").trim_end().to_string());
    let lines: Vec<String> =
        [node.title.clone()].into_iter().chain(node.details.clone()).chain(result).collect();
    lines.join("\n")
}

fn look(kind: Kind) -> &'static str {
    match kind {
        Kind::Input => "shape=invhouse",
        Kind::Module => "shape=box",
        Kind::Frozen => "shape=box, style=filled, fillcolor=lightgrey",
        Kind::Value => "shape=box, style=rounded",
        Kind::State => "shape=cylinder",
        Kind::Twin => "shape=box, style=dashed",
        Kind::Loss => "shape=octagon",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.trim().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
