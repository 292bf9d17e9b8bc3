//! Accumulation: a batch in pieces that together have the losses and gradients of the whole (4.12).
//!
//! ```text
//! before   sum(x) ─▶ divide ◀─ sum(mask)       counts   sum(mask) ─▶ output count/0
//!                                              piece    k sum(x) ─▶ divide ◀─ input count/0
//! ```
//!
//! First the counts of all pieces are added up, then every piece is run with them, and what the k pieces give is averaged. Safe
//! because rows meet only in sums, and losses are what sums that a gradient reaches make by adding and by multiplying with
//! values that are the same for all pieces; everything else is refused. Counts are the sums that no gradient reaches.

use crate::graph::{Builder, Graph, Node};
use crate::op::{
    Build, Choose, Compare, CrossEntropy, Divide, Draw, Fill, Input, Multiply, Op, Relation, SumLeading,
    ToFloat, Value,
};
use crate::shape::{Shape, Size};

/// A graph cut into pieces, both for a batch symbol of the rows of a piece.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// What is needed of all rows before: outputs `count/0`, `count/1`, …
    pub counts: Graph,
    /// One piece; reads inputs `count/0`, `count/1`, …
    pub piece: Graph,
}

/// Why a graph cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a batch cannot be accumulated in pieces here: {why} ({path}); remove `accumulate`, or use a smaller batch"
)]
pub struct Tangled {
    /// The origin of the node.
    pub path: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Cuts a graph with batch symbols into pieces.
///
/// # Errors
/// Losses that are not sums over rows divided by counts.
pub fn cut(graph: &Graph, pieces: usize, trained: &dyn Fn(&str) -> bool) -> Result<Pieces, Tangled> {
    let graph = as_sums(graph);
    let meetings = Meetings::of(&graph, trained);
    meetings.check()?;
    Ok(Pieces { counts: counts(&graph, &meetings.counts), piece: piece(&graph, &meetings, pieces) })
}

/// Mean losses over rows become sums divided by counts.
fn as_sums(graph: &Graph) -> Graph {
    graph.rewrite(&mut |copy, node, operands| {
        let Op::CrossEntropy(loss) = &node.op else { return None };
        let (_, positions) = copy.shape(operands[0]).sizes.split_last()?;
        let positions = Shape::float(positions.to_vec());
        if loss.per_row || !has_rows(&positions) {
            return None;
        }
        let mut build = Builder::new(copy, node.origin.clone());
        let rows = build.add(CrossEntropy { per_row: true, ..loss.clone() }.into(), operands);
        let total = build.add(SumLeading { axes: 1 }.into(), &[rows]);
        let axes = positions.rank();
        let marks = match loss.only {
            true => build.add(ToFloat.into(), &operands[2..]),
            false => build.add(Fill { shape: positions, value: 1.0 }.into(), &[]),
        };
        let count = build.add(SumLeading { axes }.into(), &[marks]);
        let [zero, one] =
            [0.0, 1.0].map(|value| build.add(Fill { shape: Shape::scalar(), value }.into(), &[]));
        let some = build.add(Compare { relation: Relation::Greater }.into(), &[count, zero]);
        let count = build.add(Choose.into(), &[some, count, one]);
        Some(build.add(Divide.into(), &[total, count]))
    })
}

fn has_rows(shape: &Shape) -> bool {
    shape.sizes.iter().any(|size| size.number().is_none())
}

fn counts(graph: &Graph, counts: &[Value]) -> Graph {
    let mut graph = graph.clone();
    let names: Vec<String> = (0..counts.len()).map(|at| format!("count/{at}")).collect();
    names.iter().zip(counts).for_each(|(name, count)| graph.name(name, *count));
    graph.keep(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Counts become inputs, other sums over rows are as large as if all pieces were like this one.
fn piece(graph: &Graph, meetings: &Meetings<'_>, pieces: usize) -> Graph {
    let mut values = graph.values();
    graph.rewrite(&mut |copy, node, operands| {
        let value = values.next()?;
        if let Some(at) = meetings.counts.iter().position(|count| *count == value) {
            let input = Input { name: format!("count/{at}"), shape: node.shape.clone() };
            return copy.add(input, &[], &node.origin).ok();
        }
        if !meetings.meets(value) || !is_sum(node) {
            return None;
        }
        let sum = copy.add(node.op.clone(), operands, &node.origin).ok()?;
        let fill = Fill { shape: node.shape.clone(), value: pieces as f64 };
        let factor = copy.add(fill, &[], &node.origin).ok()?;
        copy.add(Multiply, &[sum, factor], &node.origin).ok()
    })
}

fn is_sum(node: &Node) -> bool {
    matches!(node.op, Op::Sum(_) | Op::SumLeading(_))
}

/// Where rows meet, and what becomes of it.
struct Meetings<'g> {
    graph: &'g Graph,
    /// What the losses depend on.
    wanted: Vec<bool>,
    /// Sums over rows that no gradient reaches, of the losses.
    counts: Vec<Value>,
    /// What depends on a count.
    counted: Vec<bool>,
    /// What depends on another meeting of rows, and so differs from piece to piece.
    differs: Vec<bool>,
}

impl<'g> Meetings<'g> {
    fn of(graph: &'g Graph, trained: &dyn Fn(&str) -> bool) -> Self {
        let nothing = || vec![false; graph.len()];
        let (wanted, counts) = (wanted(graph), Vec::new());
        let mut all = Self { graph, wanted, counts, counted: nothing(), differs: nothing() };
        let mut moves = nothing();
        for value in graph.values() {
            let at = value.0 as usize;
            let below = |marks: &[bool]| graph.sources(value).any(|v| marks[v.0 as usize]);
            moves[at] = match &graph.node(value).op {
                Op::Parameter(parameter) => trained(&parameter.path),
                Op::Stop(_) | Op::Compare(_) | Op::Argmax(_) | Op::SampleIds(_) | Op::Transport(_) => false,
                _ => below(&moves),
            };
            let (meets, differs, counted) = (all.meets(value), below(&all.differs), below(&all.counted));
            let count = meets && !moves[at] && !differs && all.wanted[at];
            if count {
                all.counts.push(value);
            }
            all.counted[at] = counted || count;
            all.differs[at] = differs || (meets && !count);
        }
        all
    }

    /// Whether rows go in and none come out.
    fn meets(&self, value: Value) -> bool {
        let rows = |value: Value| has_rows(self.graph.shape(value));
        !rows(value) && self.graph.operands(value).iter().any(|operand| rows(*operand))
    }

    fn check(&self) -> Result<(), Tangled> {
        for value in self.graph.values().filter(|value| self.wanted[value.0 as usize]) {
            if let Some(why) = self.wrong(value) {
                return Err(Tangled { path: self.graph.node(value).origin.path.to_string(), why });
            }
        }
        Ok(())
    }

    fn wrong(&self, value: Value) -> Option<&'static str> {
        let (node, operands) = (self.graph.node(value), self.graph.operands(value));
        let below = |marks: &[bool]| operands.iter().any(|v| marks[v.0 as usize]);
        if self.meets(value) {
            let nested = self.counts.contains(&value) && below(&self.counted);
            return match is_sum(node) {
                false => Some("rows meet in something else than a sum"),
                true if nested => Some("a count over all rows depends on another one"),
                true => None,
            };
        }
        if has_rows(&node.shape) {
            return match () {
                () if below(&self.differs) => Some("rows depend on a sum over all rows"),
                () if shifts_rows(self.graph, node, &operands) => Some("rows change their places"),
                () if draws_oddly(node) => Some("draws belong to something else than the rows of a batch"),
                () => None,
            };
        }
        let apart = self.differs[value.0 as usize] && !self.adds(node, &operands);
        apart.then_some("a loss is no sum over rows divided by a count")
    }

    /// Whether a node is linear in what differs from piece to piece.
    fn adds(&self, node: &Node, operands: &[Value]) -> bool {
        let differs = |at: usize| self.differs[operands[at].0 as usize];
        match &node.op {
            Op::Add(_) | Op::Subtract(_) | Op::Negate(_) | Op::Sum(_) | Op::SumLeading(_) | Op::Stop(_) => {
                true
            }
            Op::Reshape(_)
            | Op::Permute(_)
            | Op::Slice(_)
            | Op::Pad(_)
            | Op::Concat(_)
            | Op::Broadcast(_) => true,
            Op::Multiply(_) => !(differs(0) && differs(1)),
            Op::Divide(_) => !differs(1),
            Op::Choose(_) => !differs(0),
            _ => false,
        }
    }
}

/// What the objective and the losses depend on.
fn wanted(graph: &Graph) -> Vec<bool> {
    let mut wanted = vec![false; graph.len()];
    for (name, value) in graph.outputs() {
        wanted[value.0 as usize] |= name == "objective" || name.starts_with("loss/");
    }
    for value in graph.values().rev() {
        if wanted[value.0 as usize] {
            graph.sources(value).for_each(|operand| wanted[operand.0 as usize] = true);
        }
    }
    wanted
}

/// Whether a slice or a pad moves rows.
fn shifts_rows(graph: &Graph, node: &Node, operands: &[Value]) -> bool {
    let moves = matches!(node.op, Op::Slice(_) | Op::Pad(_));
    moves && operands.iter().any(|operand| graph.shape(*operand).sizes.first() != node.shape.sizes.first())
}

/// Whether a node draws by rows that are not exactly those of a batch.
fn draws_oddly(node: &Node) -> bool {
    let one_symbol = |size: &Size| size.symbols().next().is_some_and(|name| *size == Size::symbol(name));
    draw(&node.op).is_some_and(|draw| draw.rows) && !node.shape.sizes.first().is_some_and(one_symbol)
}

fn draw(op: &Op) -> Option<&Draw> {
    match op {
        Op::Uniform(op) => Some(&op.draw),
        Op::RandomIds(op) => Some(&op.draw),
        Op::SampleIds(op) => Some(&op.draw),
        Op::Dropout(op) => Some(&op.draw),
        Op::Shuffle(op) => Some(&op.draw),
        Op::BlockMask(op) => Some(&op.draw),
        Op::PickWords(op) => Some(&op.draw),
        Op::Attend(op) => op.drop.as_ref().map(|drop| &drop.draw),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES: &str = r#"%0 = input {"name":"x","shape":{"kind":"float","sizes":["B","3"]}} () : float[B, 3]
%1 = parameter {"path":"w","shape":{"kind":"float","sizes":["B","3"]}} () : float[B, 3]
%2 = sum_leading {"axes":2} (%0) : float[]
%3 = sum_leading {"axes":2} (%1) : float[]
"#;

    /// A graph of a sum that a gradient reaches (%3) and one that none reaches (%2).
    fn cut_with(more: &str) -> Result<Pieces, Tangled> {
        cut(&Graph::parse(&format!("{LEAVES}{more}")).expect("a graph"), 4, &|_| true)
    }

    #[test]
    fn counts_come_first_and_other_sums_are_scaled() {
        let pieces = cut_with("%4 = divide (%3, %2) : float[]\noutput objective = %4\n").expect("is linear");
        assert_eq!(pieces.counts.outputs().len(), 1);
        assert!(pieces.counts.to_string().contains("sum_leading"), "{}", pieces.counts);
        let text = pieces.piece.to_string();
        assert!(
            text.contains("count/0") && text.contains("\"value\":4.0") && text.contains("multiply"),
            "{text}"
        );
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        let curved = cut_with("%4 = exp (%3) : float[]\noutput objective = %4\n").expect_err("is curved");
        assert!(curved.to_string().contains("no sum over rows divided by a count"), "{curved}");
        let swapped = cut_with("%4 = divide (%2, %3) : float[]\noutput objective = %4\n");
        swapped.expect_err("divides by what a gradient reaches");
        let back = r#"%4 = broadcast {"axes":[],"sizes":["B","3"]} (%3) : float[B, 3]
%5 = subtract (%1, %4) : float[B, 3]
%6 = sum_leading {"axes":2} (%5) : float[]
output objective = %6
"#;
        let back = cut_with(back).expect_err("rows depend on all rows");
        assert!(back.to_string().contains("rows depend on a sum"), "{back}");
        let highest = r#"%4 = sum {"axis":1} (%1) : float[B]
%5 = max {"axis":0} (%4) : float[]
output objective = %5
"#;
        let highest = cut_with(highest).expect_err("is no sum");
        assert!(highest.to_string().contains("something else than a sum"), "{highest}");
    }
}
