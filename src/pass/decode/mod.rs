//! Decode: from logits over a whole text two graphs, one for what a text begins with, one for every place that is written after.
//!
//! ```text
//! before   text [B, T], image ─▶ … attend (q, k, v) … ─▶ logits [B, T, V]
//! first    text [B, G], image ─▶ …                    ─▶ next [B, V], kept/…, cache/… (keys and values of G places)
//! step     text [R, 1], kept/…, cache/… ─▶ put the new place into cache/…, attend, …  ─▶ next [R, V], keep/cache/…
//! ```
//!
//! `G` places are given: the first token and the prompt, and the probe if there is one. `R` is subjects times beams.
//!
//! 1. [`facts`] proves that every place of the text needs no later one that is written, back from the logits to the inputs: op by
//!    op by the table of [`axis`], attentions by evaluating their masks ([`sees`]). Joined sequences are texts with places
//!    beside them; these may look at what is given, and at each other.
//! 2. [`cut`] writes both graphs by the same rules: operands that have the places of the text are cut to those that are computed,
//!    positions and masks are cut alike, all others are whole. Only [`attention`] differs: a step reads the kept keys.
//!
//! Safe because each rule is the proof of itself: what it cannot follow is a [`Refusal`] with the op and where it stands, and the
//! text has to be run whole.

mod attention;
pub mod axis;
mod cut;
mod facts;
mod known;
mod sees;

use super::narrow;
use crate::graph::{Graph, Origin};
use crate::op::{Before, Fill, Misfit, Value};
use crate::shape::{Kind, Shape};
use cut::{Cut, Stretch};
use facts::{Fact, Facts};

/// The output of both graphs: logits `[B, V]` of the next token.
pub const NEXT: &str = "next";

/// What is written, and how many at a time.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The input that is written, `[B, T]`.
    pub token: &'a str,
    /// The input of its lengths.
    pub lengths: Option<&'a str>,
    /// T.
    pub places: usize,
    /// Tokens that a text begins with: at least one.
    pub given: usize,
    /// Whether a token is put behind the text to ask what comes next.
    pub probe: bool,
    /// The batch symbol.
    pub symbol: &'a str,
    /// Subjects of a run.
    pub batch: usize,
    /// Texts of a subject.
    pub beams: usize,
}

impl Request<'_> {
    /// Places that the first graph computes.
    pub fn first(&self) -> usize {
        self.given + usize::from(self.probe)
    }

    /// Places that a step computes.
    pub fn window(&self) -> usize {
        1 + usize::from(self.probe)
    }

    /// Texts of a step.
    pub fn rows(&self) -> usize {
        self.batch * self.beams
    }
}

/// Both graphs, and what goes from the first to the other.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Reads the subject and the text that is given; the texts of a subject begin alike, so it has one row a subject.
    pub first: Graph,
    /// Reads the newest token, the places where it stands (`places`) and states.
    pub step: Graph,
    /// States that `first` gives as outputs of these names, one row a subject.
    pub kept: Vec<String>,
    /// States that `first` begins and every step goes on with, one row a text.
    pub caches: Vec<Cache>,
    /// Inputs of the step: the place of its first token, plus a number.
    pub places: Vec<(String, isize)>,
}

/// Keys or values of all places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// The state, and the output of `first`, where only the given places of the text are between the others.
    pub name: String,
    /// The shape of the state.
    pub shape: Shape,
    /// The axis of places.
    pub axis: usize,
    /// Where on it place 0 of the text is; below 0 if it was cut off.
    pub offset: isize,
}

/// Why a text cannot be continued from kept keys and values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An op that no rule follows.
    #[error("`{op}` in `{path}` {why}")]
    Op {
        /// The op.
        op: &'static str,
        /// The origin of the node.
        path: String,
        /// What it does.
        why: &'static str,
    },
    /// There are no logits with a place for every token.
    #[error("the logits do not have a place for every token of `{0}`")]
    Logits(String),
    /// Nothing is given, or more than there are places.
    #[error("a text of {places} places cannot begin with {given} tokens and go on")]
    Given {
        /// Tokens that a text begins with.
        given: usize,
        /// Places of the text.
        places: usize,
    },
    /// A graph that does not hold for the batch.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// Derives both graphs from one whose output `logits` is `[B, T, V]`, with its batch symbol unbound.
///
/// # Errors
/// What cannot be proven, by its first node.
pub fn decode(graph: &Graph, request: &Request<'_>) -> Result<Decoded, Refusal> {
    let (given, places) = (request.given, request.places);
    if given == 0 || request.first() > places {
        return Err(Refusal::Given { given, places });
    }
    let graph = &graph.keep(&["logits"]);
    let none = || Refusal::Logits(request.token.to_string());
    let logits = graph.output("logits").ok_or_else(none)?;
    let facts = Facts::new(graph, request)?;
    let Fact::Text(at) = facts.of(logits) else { return Err(none()) };
    if at.axis != 1 || graph.shape(logits).rank() != 3 {
        return Err(none());
    }
    let mut step = Cut::new(graph, &facts, request, Stretch::Step);
    let value = step.value(logits)?;
    let step_next = last(&mut step.out, value, request.window())?;
    step.out.name(NEXT, step_next);
    let mut first = Cut::new(graph, &facts, request, Stretch::First);
    let value = first.value(logits)?;
    let first_next = last(&mut first.out, value, at.at(request.first()))?;
    first.out.name(NEXT, first_next);
    for (name, need) in &step.needs {
        let value = first.needed(need)?;
        first.out.name(name.clone(), value);
    }
    let kept = step.needs.keys().filter(|name| name.starts_with("kept/")).cloned().collect();
    let caches = std::mem::take(&mut step.caches).into_values().collect();
    let places = step.places.iter().map(|(offset, name)| (name.clone(), *offset)).collect();
    Ok(Decoded { first: needed(&first.out), step: needed(&step.out), kept, caches, places })
}

/// Of a value with places the one before `count`.
fn last(graph: &mut Graph, value: Value, count: usize) -> Result<Value, Misfit> {
    let sizes = graph.shape(value).sizes.clone();
    let origin = Origin::default();
    let shape = Shape::float([sizes[0].clone()]).with_kind(Kind::Ids);
    let count = graph.add(Fill { shape, value: count as f64 }, &[], &origin)?;
    let mask = graph.add(Before { n: sizes[1].clone() }, &[count], &origin)?;
    narrow(graph, value, mask)
}

fn needed(graph: &Graph) -> Graph {
    graph.needed().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Attend, Input, Matmul, Op, Parameter, Take};

    /// Words that look at words, and logits over seven of them.
    fn graph(causal: bool) -> Graph {
        let (mut graph, origin) = (Graph::default(), Origin::default());
        let mut add = |op: Op, operands: &[Value]| graph.add(op, operands, &origin).expect("fits");
        let shape = Shape::float([crate::shape::Size::symbol("B"), 5_usize.into()]).with_kind(Kind::Ids);
        let text = add(Input { name: "text".into(), shape }.into(), &[]);
        let parameter =
            |path: &str, sizes: [usize; 2]| Parameter { path: path.into(), shape: Shape::float(sizes) };
        let table = add(parameter("table", [7, 4]).into(), &[]);
        let words = add(Take.into(), &[table, text]);
        let plain = Attend { heads: Some(2), causal, mask: false, bias: false, relation: false, drop: None };
        let seen = add(plain.into(), &[words, words, words]);
        let head = add(parameter("head", [4, 7]).into(), &[]);
        let product = Matmul { transpose_left: false, transpose_right: false };
        let logits = add(product.into(), &[seen, head]);
        graph.name("logits", logits);
        graph
    }

    const REQUEST: Request<'static> = Request {
        token: "text",
        lengths: None,
        places: 5,
        given: 2,
        probe: false,
        symbol: "B",
        batch: 3,
        beams: 2,
    };

    #[test]
    fn a_causal_text_is_gone_on_from_its_keys() {
        let decoded = decode(&graph(true), &REQUEST).expect("both graphs");
        let shapes: Vec<String> = decoded.caches.iter().map(|cache| cache.shape.to_string()).collect();
        assert_eq!(shapes, ["float[6, 5, 4]"], "keys and values are one");
        assert_eq!(decoded.places, [("places/0".to_string(), 0)]);
        let next = |graph: &Graph| graph.shape(graph.output(NEXT).expect("logits")).to_string();
        assert_eq!([next(&decoded.first), next(&decoded.step)], ["float[3, 7]", "float[6, 7]"]);
        decoded.first.verify().expect("a graph");
        decoded.step.verify().expect("a graph whose state nothing else reads");
    }

    #[test]
    fn what_looks_ahead_is_refused() {
        let why = decode(&graph(false), &REQUEST).expect_err("looks ahead").to_string();
        assert!(why.contains("`attend`") && why.contains("later places"), "{why}");
        let why = decode(&graph(true), &Request { given: 6, ..REQUEST }).expect_err("too long").to_string();
        assert!(why.contains("5 places") && why.contains("6 tokens"), "{why}");
        // All that is seen ahead is given.
        decode(&graph(false), &Request { given: 5, ..REQUEST }).expect("both graphs");
    }
}
