//! Drawings: boxes and arrows, laid out in layers, as DOT and as SVG. Nothing here knows models.
//!
//! ```text
//!  Picture ──layer──▶ layers ──order──▶ few crossings ──place──▶ coordinates ──svg──▶ text
//! ```
//!
//! Arrows go from the bottom to the top. Invariants: no two boxes overlap, no arrow runs through a box, no text is wider
//! than its box (texts are set in a font of fixed width).
//!
//! ```
//! use chiasm::picture::{Arrow, Kind, Node, Picture, Style, svg};
//! let node = |kind, title: &str| Node { kind, title: title.into(), ..Node::default() };
//! let nodes = vec![node(Kind::Input, "image"), node(Kind::Module, "vision")];
//! let arrows = vec![Arrow { from: 0, to: 1, style: Style::Flow }];
//! let picture = Picture { title: "clip".into(), nodes, arrows, ..Picture::default() };
//! assert!(svg::svg(&picture).starts_with("<svg"));
//! ```

pub mod dot;
mod layer;
mod order;
mod place;
pub mod svg;

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Above everything.
    pub title: String,
    /// A line below the title.
    pub subtitle: String,
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
}

/// A box.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// How it looks.
    pub kind: Kind,
    /// Its name.
    pub title: String,
    /// Lines below the name.
    pub details: Vec<String>,
    /// What leaves it: a name and a type, written where its arrows begin.
    pub result: Option<(String, String)>,
    /// The modality of what leaves it, for the colour.
    pub modality: Option<String>,
}

/// The kinds of box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What data feeds.
    Input,
    /// A module, applied.
    Module,
    /// A module that does not train.
    Frozen,
    /// A value computed without parameters.
    #[default]
    Value,
    /// What is remembered from step to step.
    State,
    /// A value computed by a slow copy.
    Twin,
    /// What is minimised.
    Loss,
}

/// An arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// A box.
    pub from: usize,
    /// Another one.
    pub to: usize,
    /// How it looks.
    pub style: Style,
}

/// The kinds of arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// A value is read.
    Flow,
    /// A value takes the place of another one in a second pass (`x with { a = b }`).
    Instead,
    /// A value is stored for the next step.
    Next,
}
