//! Types of the language: shapes that also know modality, padding, segments, vocabularies and looking ahead (3).
//!
//! A graph node knows sizes and elements; lowering keeps the rest beside it. Invariant: `shape()` of a type equals the
//! shape of its node.

use super::model::Vocabulary;
use crate::op::Value;
use crate::shape::{Kind, Shape, Size, Sizes};
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// A modality: `image`, `text`, `fused`, or one declared in the file.
pub type Label = Arc<str>;

/// Whose places of an axis are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Padding {
    /// The condition `[B, N]` that first said it; identity of the owner.
    pub owner: Value,
    /// The condition for this axis: the owner's, perhaps sliced.
    pub mask: Value,
    /// What a joined axis is made of, in order; empty if it was not joined.
    pub pieces: Vec<Piece>,
}

/// A stretch of a joined axis with the lengths it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// How long.
    pub size: Size,
    /// Which of its places are used.
    pub padding: Option<Padding>,
}

impl Padding {
    /// A new owner.
    pub fn of(mask: Value) -> Self {
        Self { owner: mask, mask, pieces: Vec::new() }
    }

    /// The owners of an axis: its own and those of its pieces.
    pub fn owners(&self) -> Vec<Value> {
        let inner = self.pieces.iter().filter_map(|piece| piece.padding.as_ref());
        std::iter::once(self.owner).chain(inner.flat_map(Padding::owners)).collect()
    }
}

/// One axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// How long.
    pub size: Size,
    /// Which places are used; `None` for all.
    pub padding: Option<Padding>,
}

/// The values that ids may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// Below a size.
    Below(Size),
    /// Ids of a vocabulary.
    Of(Rc<Vocabulary>),
    /// Any whole number.
    Any,
}

/// What the elements are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Real numbers.
    Float,
    /// True or false.
    Condition,
    /// Whole numbers.
    Ids(Range),
}

/// A stretch of a joined axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its modality.
    pub label: Label,
    /// How long.
    pub size: Size,
    /// Which of its places are used.
    pub padding: Option<Padding>,
}

/// The type of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Its modality.
    pub label: Option<Label>,
    /// Outermost first.
    pub axes: Vec<Axis>,
    /// What the elements are.
    pub elements: Elements,
    /// The joined axis and its stretches.
    pub segments: Option<(usize, Vec<Segment>)>,
    /// Owners over whose places some attention on the way may have looked ahead (3.7).
    pub ahead: BTreeSet<Value>,
}

impl Axis {
    /// An axis that is used everywhere.
    pub fn full(size: impl Into<Size>) -> Self {
        Self { size: size.into(), padding: None }
    }
}

impl Type {
    /// Numbers without modality.
    pub fn float(sizes: impl IntoIterator<Item = Size>) -> Self {
        Self::plain(sizes, Elements::Float)
    }

    /// Elements of a kind without modality.
    pub fn plain(sizes: impl IntoIterator<Item = Size>, elements: Elements) -> Self {
        let axes = sizes.into_iter().map(Axis::full).collect();
        Self { label: None, axes, elements, segments: None, ahead: BTreeSet::new() }
    }

    /// The same axes, modality and history with other elements.
    #[must_use]
    pub fn with_elements(&self, elements: Elements) -> Self {
        Self { elements, ..self.clone() }
    }

    /// The same with other axes and no segments.
    #[must_use]
    pub fn with_axes(&self, axes: Vec<Axis>) -> Self {
        Self { axes, segments: None, ..self.clone() }
    }

    /// How many axes.
    pub fn rank(&self) -> usize {
        self.axes.len()
    }

    /// The sizes.
    pub fn sizes(&self) -> Sizes {
        self.axes.iter().map(|a| a.size.clone()).collect()
    }

    /// The element kind of the node.
    pub fn kind(&self) -> Kind {
        match self.elements {
            Elements::Float => Kind::Float,
            Elements::Condition => Kind::Condition,
            Elements::Ids(_) => Kind::Ids,
        }
    }

    /// The shape of the node.
    pub fn shape(&self) -> Shape {
        Shape { sizes: self.sizes(), kind: self.kind() }
    }

    /// The label that modality checks see: a joined sequence counts as fused.
    pub fn modality(&self) -> Option<Label> {
        if self.segments.is_some() { Some("fused".into()) } else { self.label.clone() }
    }

    /// Takes over what another operand brings: its modality and what it looked ahead over.
    pub fn absorb(&mut self, other: &Type) {
        self.label = merge_labels(self.label.take(), other.modality());
        self.ahead.extend(other.ahead.iter().copied());
    }
}

/// The one label present, `fused` if there are two.
pub fn merge_labels(a: Option<Label>, b: Option<Label>) -> Option<Label> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Some("fused".into()),
        (a, b) => a.or(b),
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(size) => write!(f, "{size}"),
            Self::Of(vocabulary) => write!(f, "{}", vocabulary.name),
            Self::Any => write!(f, "int"),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(label), None) = (&self.label, &self.segments) {
            write!(f, "{label}")?;
        }
        let axes: Vec<String> = (0..self.rank()).map(|i| self.axis_text(i)).collect();
        write!(f, "[{}]", axes.join(", "))?;
        match &self.elements {
            Elements::Float => Ok(()),
            Elements::Condition => write!(f, " of conditions"),
            Elements::Ids(range) => write!(f, " of {range}"),
        }
    }
}

impl Type {
    fn axis_text(&self, index: usize) -> String {
        let axis = &self.axes[index];
        match &self.segments {
            Some((at, segments)) if *at == index => {
                let text = |s: &Segment| format!("{}:{}{}", s.label, tilde(&s.padding), s.size);
                segments.iter().map(text).collect::<Vec<_>>().join(" + ")
            }
            _ => format!("{}{}", tilde(&axis.padding), axis.size),
        }
    }
}

fn tilde(padding: &Option<Padding>) -> &'static str {
    if padding.is_some() { "~" } else { "" }
}
