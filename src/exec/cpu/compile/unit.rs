//! What is computed together: epilogues of products, gradients of norms, chains of pointwise nodes.
//!
//! ```text
//! linear ─▶ gelu, quick gelu, relu
//!                           one product, which keeps the number before the activation if somebody needs it
//! matmul ─▶ × gelu_slope(h) one product, times the derivative at h
//! matmul ─▶ + x             one product, added to x where x lies if nobody else reads x
//! xᵀ dy, Σ dy               one product, which sums the columns of dy while it reads them
//! layer_norm_grad, layer_norm_scale_grad, + dx    one pass over x and dy
//! pointwise nodes of one element count            one chain
//! ```
//! A unit is *closed* if everything outside that reads a member comes after its last node. Only closed units are made, so
//! running units in the order of their last nodes keeps all dependencies.

mod norm;
mod product;

use super::pattern;
use super::sight::Sight;
use crate::exec::cpu::product::Activation;
use crate::graph::Graph;
use crate::op::{Op, Value};

/// Most nodes of a chain, and most values that it reads: together fewer than a chain has registers.
const LONGEST: usize = 32;
const WIDEST: usize = 20;

/// Nodes that one launch computes.
#[derive(Debug)]
pub(super) struct Unit {
    /// In order.
    pub members: Vec<Value>,
    /// How.
    pub form: Form,
}

impl Unit {
    /// The last node.
    pub fn root(&self) -> Value {
        self.members.last().copied().unwrap_or(Value(0))
    }
}

/// How a unit is computed.
#[derive(Debug)]
pub(super) enum Form {
    /// By the kernel of its op.
    Alone,
    /// As a pointwise chain.
    Chain,
    /// As a product with an epilogue.
    Product(Product),
    /// As gradients of a layer norm.
    NormGrad(NormGrad),
}

/// A product and what follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    /// The `matmul` or `linear`.
    pub node: Value,
    /// What it computes in the end.
    pub result: Value,
    /// What is done to its numbers.
    pub after: After,
    /// A value it is added to, in place.
    pub onto: Option<Value>,
    /// The sum of the right operand's rows.
    pub sums: Option<Value>,
}

/// What is done to the numbers of a product.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    /// Nothing.
    Nothing,
    /// An activation.
    Activate(Activation),
    /// Times the derivative of an activation at a value.
    Derive(Activation, Value),
    /// Plus a value.
    Add(Value),
}

/// Gradients of a layer norm.
#[derive(Clone, Copy, Debug)]
pub(super) struct NormGrad {
    /// The `layer_norm_grad`.
    pub input: Option<Value>,
    /// The `layer_norm_scale_grad`.
    pub scale: Option<Value>,
    /// What is added to the gradient of the input.
    pub plus: Option<Value>,
    /// Where the gradient of the input goes: the `layer_norm_grad` or the sum.
    pub result: Option<Value>,
}

/// Cuts all needed nodes into units, in the order in which they can run; free nodes are in none.
pub(super) fn units(graph: &Graph, sight: &Sight, free: &[bool]) -> Vec<Unit> {
    let mut cut = Cut { graph, sight, free, owner: vec![None; graph.len()], units: Vec::new() };
    let work: Vec<Value> = graph.values().filter(|v| sight.is_work(*v) && !free[v.0 as usize]).collect();
    work.iter().for_each(|value| cut.try_product(*value));
    work.iter().for_each(|value| cut.try_norm(*value));
    work.iter().for_each(|value| cut.try_norm_scale(*value));
    work.iter().for_each(|value| cut.try_chain(*value));
    for value in work {
        if !cut.is_taken(value) {
            cut.claim(vec![value], Form::Alone);
        }
    }
    let mut units: Vec<Unit> = cut.units.into_iter().flatten().collect();
    units.sort_by_key(Unit::root);
    units
}

/// Whether a node is computed element by element.
pub(super) fn is_pointwise(op: &Op) -> bool {
    matches!(
        op,
        Op::Add(_)
            | Op::Subtract(_)
            | Op::Multiply(_)
            | Op::Divide(_)
            | Op::Compare(_)
            | Op::And(_)
            | Op::Or(_)
            | Op::Not(_)
            | Op::Choose(_)
            | Op::Negate(_)
            | Op::Exp(_)
            | Op::Log(_)
            | Op::Sqrt(_)
            | Op::Tanh(_)
            | Op::Sigmoid(_)
            | Op::Relu(_)
            | Op::Gelu(_)
            | Op::GeluSlope(_)
            | Op::ToFloat(_)
            | Op::Rescale(_)
            | Op::Uniform(_)
            | Op::Fill(_)
            | Op::Range(_)
            | Op::Eye(_)
            | Op::Before(_)
            | Op::Dropout(_)
    )
}

/// A graph being cut.
struct Cut<'a> {
    graph: &'a Graph,
    sight: &'a Sight,
    free: &'a [bool],
    owner: Vec<Option<usize>>,
    units: Vec<Option<Unit>>,
}

impl<'a> Cut<'a> {
    fn op(&self, value: Value) -> &'a Op {
        &self.graph.node(value).op
    }

    fn count(&self, value: Value) -> usize {
        self.graph.shape(value).elements()
    }

    fn operand(&self, value: Value, i: usize) -> Option<Value> {
        self.sight.operands[value.0 as usize].get(i).copied()
    }

    /// Whether every reader computes it for itself.
    fn is_free(&self, value: Value) -> bool {
        self.free[self.sight.root(value).0 as usize]
    }

    fn is_taken(&self, value: Value) -> bool {
        self.owner[value.0 as usize].is_some()
    }

    fn claim(&mut self, mut members: Vec<Value>, form: Form) {
        members.sort_unstable();
        members.iter().for_each(|member| self.owner[member.0 as usize] = Some(self.units.len()));
        self.units.push(Some(Unit { members, form }));
    }

    /// Whether everything outside that reads a member comes after all members.
    fn is_closed(&self, members: &[Value]) -> bool {
        let last = members.iter().max();
        let outside = |reader: &Value| members.contains(reader) || Some(reader) > last;
        members.iter().all(|member| self.sight.readers[member.0 as usize].iter().all(outside))
    }

    fn same_words(&self, a: Value, b: Value) -> bool {
        self.sight.seen(a) == self.sight.seen(b) && self.count(a) == self.count(b)
    }

    /// How many values a chain would read.
    fn reads(&self, members: &[Value]) -> usize {
        let operands = members.iter().flat_map(|member| &self.sight.operands[member.0 as usize]);
        let mut outside: Vec<Value> =
            operands.filter(|v| !members.contains(&self.sight.root(**v))).copied().collect();
        outside.sort_unstable();
        outside.dedup();
        outside.len()
    }

    /// Whether a chain can compute it.
    fn is_chained(&self, value: Value) -> bool {
        match (self.op(value), self.operand(value, 0)) {
            (Op::Broadcast(op), Some(operand)) => {
                let [sizes, dims] = [value, operand].map(|v| self.graph.shape(v).dims());
                pattern::of_axes(&sizes, &op.axes, &dims).is_some()
            }
            (op, _) => is_pointwise(op),
        }
    }

    fn try_chain(&mut self, value: Value) {
        if !self.is_chained(value) || self.is_taken(value) {
            return;
        }
        let mut members = vec![value];
        for operand in self.sight.operands[value.0 as usize].clone() {
            let Some(unit) = self.owner[self.sight.root(operand).0 as usize] else { continue };
            let Some(Unit { members: more, form: Form::Chain }) = &self.units[unit] else { continue };
            let joined: Vec<Value> = more.iter().chain(&members).copied().collect();
            let fits = self.count(more[0]) == self.count(value) && self.sight.is_whole(self.graph, operand);
            if fits
                && !members.contains(&more[0])
                && joined.len() <= LONGEST
                && self.reads(&joined) <= WIDEST
                && self.is_closed(&joined)
            {
                members = joined;
                self.units[unit] = None;
            }
        }
        self.claim(members, Form::Chain);
    }
}
