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
    match op {
        Op::Add(_)
        | Op::Subtract(_)
        | Op::Multiply(_)
        | Op::Divide(_)
        | Op::Compare(_)
        | Op::And(_)
        | Op::Or(_) => true,
        Op::Not(_) | Op::Choose(_) | Op::Negate(_) | Op::Exp(_) | Op::Log(_) | Op::Sqrt(_) | Op::Tanh(_) => {
            true
        }
        Op::Sigmoid(_) | Op::Relu(_) | Op::Gelu(_) | Op::GeluSlope(_) | Op::ToFloat(_) | Op::Rescale(_) => {
            true
        }
        Op::Uniform(_) | Op::Fill(_) | Op::Range(_) | Op::Eye(_) | Op::Before(_) => true,
        Op::Dropout(_) => true,
        _ => false,
    }
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

    /// The other operand of a sum with a product, if both are as large as the sum.
    fn other_term(&self, sum: Value, term: Value) -> Option<Value> {
        let (a, b) = (self.operand(sum, 0)?, self.operand(sum, 1)?);
        let other = if self.sight.root(a) == term { b } else { a };
        let equal = self.count(a) == self.count(sum) && self.count(b) == self.count(sum);
        (equal && self.sight.root(other) != term && !self.is_free(other)).then_some(other)
    }

    /// A node that reads all of a product and nobody else does.
    fn follower(&self, value: Value) -> Option<Value> {
        let reader = self.sight.sole_reader(value)?;
        let whole = self.count(reader) == self.count(value);
        (whole && !self.is_taken(reader) && !self.is_free(reader)).then_some(reader)
    }

    fn try_product(&mut self, node: Value) {
        if !matches!(self.op(node), Op::Matmul(_) | Op::Linear(_)) || self.is_taken(node) {
            return;
        }
        let mut members = vec![node];
        let mut product = Product { node, result: node, after: After::Nothing, onto: None, sums: None };
        if let Some((last, after)) = self.activation(node).or_else(|| self.derivative(node)) {
            product.result = last.last().copied().unwrap_or(node);
            members.extend(last);
            product.after = after;
        } else if let Some((sum, other)) = self.addition(node) {
            members.push(sum);
            product.result = sum;
            let free = self.sight.sole_reader(self.sight.root(other)) == Some(sum);
            if free && self.is_made(self.sight.root(other)) && self.sight.is_whole(self.graph, other) {
                product.onto = Some(other);
            } else {
                product.after = After::Add(other);
            }
        }
        if product.onto.is_none()
            && let Some(sums) = self.column_sums(node, &members)
        {
            members.push(sums);
            product.sums = Some(sums);
        }
        self.claim(members, Form::Product(product));
    }

    /// Whether a launch writes it (and not a leaf).
    fn is_made(&self, root: Value) -> bool {
        !matches!(
            self.op(root),
            Op::Input(_) | Op::Parameter(_) | Op::Twin(_) | Op::State(_) | Op::Clock(_) | Op::Fill(_)
        )
    }

    fn activation(&self, node: Value) -> Option<(Vec<Value>, After)> {
        let kind = |reader: Value| match self.op(reader) {
            Op::Gelu(_) => Some(Activation::Gelu),
            Op::Relu(_) => Some(Activation::Relu),
            Op::Multiply(_) if self.is_quick_gate(node, reader) => Some(Activation::QuickGelu),
            _ => None,
        };
        let open = |reader: &Value| !self.is_taken(*reader) && !self.is_free(*reader);
        let whole = |reader: &Value| self.count(*reader) == self.count(node) && open(reader);
        let (reader, activation) = self
            .sight
            .readers(node)
            .into_iter()
            .filter(whole)
            .find_map(|reader| Some((reader, kind(reader)?)))?;
        self.is_closed(&[node, reader]).then(|| (vec![reader], After::Activate(activation)))
    }

    /// Whether a product is `h sigmoid(1.702 h)`.
    fn is_quick_gate(&self, h: Value, product: Value) -> bool {
        let gate = |i: usize| {
            let sigmoid = self.sight.root(self.operand(product, i)?);
            let scaled = self.operand(sigmoid, 0).map(|v| self.sight.root(v))?;
            let operands = &self.sight.operands[scaled.0 as usize];
            let factor = operands.iter().find_map(|v| match self.op(self.sight.root(*v)) {
                Op::Fill(fill) => Some(fill.value),
                _ => None,
            });
            let whole = self.sight.root(self.operand(product, 1 - i)?) == h && self.is_free(sigmoid);
            let right = matches!((self.op(sigmoid), self.op(scaled)), (Op::Sigmoid(_), Op::Multiply(_)));
            let of_h = operands.iter().any(|v| self.sight.root(*v) == h);
            Some(whole && right && of_h && factor == Some(1.702))
        };
        (0..2).any(|i| gate(i) == Some(true))
    }

    fn derivative(&self, node: Value) -> Option<(Vec<Value>, After)> {
        let product = self.follower(node).filter(|reader| matches!(self.op(*reader), Op::Multiply(_)))?;
        let slope = self.sight.root(self.other_term(product, node)?);
        let alone = self.sight.sole_reader(slope) == Some(product) && !self.is_taken(slope);
        let at = self.operand(slope, 0).filter(|at| alone && !self.is_free(*at))?;
        if !matches!(self.op(slope), Op::GeluSlope(_)) {
            return None;
        }
        let members = [node, slope, product];
        self.is_closed(&members).then(|| (vec![slope, product], After::Derive(Activation::Gelu, at)))
    }

    fn addition(&self, node: Value) -> Option<(Value, Value)> {
        let sum = self.follower(node).filter(|reader| matches!(self.op(*reader), Op::Add(_)))?;
        Some((sum, self.other_term(sum, node)?))
    }

    /// The gradient of a bias beside that of its weights.
    fn column_sums(&self, node: Value, members: &[Value]) -> Option<Value> {
        let Op::Matmul(op) = self.op(node) else { return None };
        let right = self
            .operand(node, 1)
            .filter(|right| op.transpose_left && !op.transpose_right && self.rank(*right) == 2)?;
        let width = self.graph.shape(right).dims().last().copied()?;
        let fits = |reader: &Value| {
            matches!(self.op(*reader), Op::SumLeading(_))
                && self.count(*reader) == width
                && !self.is_taken(*reader)
                && self.operand(*reader, 0).is_some_and(|of| self.same_words(of, right))
                && self.is_closed(&[members, &[*reader]].concat())
        };
        self.sight.readers(self.sight.root(right)).into_iter().find(fits)
    }

    fn rank(&self, value: Value) -> usize {
        self.graph.shape(value).rank()
    }

    fn same_words(&self, a: Value, b: Value) -> bool {
        self.sight.seen(a) == self.sight.seen(b) && self.count(a) == self.count(b)
    }

    fn try_norm(&mut self, value: Value) {
        if matches!(self.op(value), Op::LayerNormGrad(_)) && !self.is_taken(value) {
            self.norm_grad(value);
        }
    }

    /// Gradients of gain and shift whose partner is not wanted, or runs at another time.
    fn try_norm_scale(&mut self, value: Value) {
        if matches!(self.op(value), Op::LayerNormScaleGrad(_)) && !self.is_taken(value) {
            let norm = NormGrad { input: None, scale: Some(value), plus: None, result: None };
            self.claim(vec![value], Form::NormGrad(norm));
        }
    }

    fn norm_grad(&mut self, input: Value) {
        let (mut members, mut norm) =
            (vec![input], NormGrad { input: Some(input), scale: None, plus: None, result: Some(input) });
        if let Some(scale) = self.norm_scale(input).filter(|scale| self.is_closed(&[input, *scale])) {
            members.push(scale);
            norm.scale = Some(scale);
        }
        if let Some((sum, other)) = self.addition(input)
            && self.is_closed(&[members.as_slice(), &[sum]].concat())
        {
            members.push(sum);
            (norm.plus, norm.result) = (Some(other), Some(sum));
        }
        self.claim(members, Form::NormGrad(norm));
    }

    /// The gradient of gain and shift at the same place.
    fn norm_scale(&self, input: Value) -> Option<Value> {
        let x = self.operand(input, 0)?;
        self.sight.readers(self.sight.root(x)).into_iter().find(|reader| {
            matches!(self.op(*reader), Op::LayerNormScaleGrad(_))
                && !self.is_taken(*reader)
                && self.are_pair(input, *reader)
        })
    }

    fn are_pair(&self, input: Value, scale: Value) -> bool {
        let (Op::LayerNormGrad(a), Op::LayerNormScaleGrad(b)) = (self.op(input), self.op(scale)) else {
            return false;
        };
        let of = |value, i| self.operand(value, i).unwrap_or(value);
        a.eps == b.eps
            && self.same_words(of(input, 0), of(scale, 0))
            && self.same_words(of(input, 2), of(scale, 1))
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
