//! Products and what is done to their tiles: activations, derivatives, sums, gradients of biases.

use super::{After, Cut, Form, Product};
use crate::exec::cpu::product::Activation;
use crate::op::{Op, Value};

impl Cut<'_> {
    /// The other operand of a sum with a product, if both are as large as the sum.
    pub(super) fn other_term(&self, sum: Value, term: Value) -> Option<Value> {
        let (a, b) = (self.operand(sum, 0)?, self.operand(sum, 1)?);
        let other = if self.sight.root(a) == term { b } else { a };
        let equal = self.count(a) == self.count(sum) && self.count(b) == self.count(sum);
        (equal && self.sight.root(other) != term && !self.is_free(other)).then_some(other)
    }

    /// A node that reads all of a product and nobody else does.
    pub(super) fn follower(&self, value: Value) -> Option<Value> {
        let reader = self.sight.sole_reader(value)?;
        let whole = self.count(reader) == self.count(value);
        (whole && !self.is_taken(reader) && !self.is_free(reader)).then_some(reader)
    }

    pub(super) fn try_product(&mut self, node: Value) {
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

    pub(super) fn addition(&self, node: Value) -> Option<(Value, Value)> {
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
}
