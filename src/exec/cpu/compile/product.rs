//! `matmul` and `linear`, with what was fused into them, to one product.
//!
//! If the right operand has no leading axes, all leading axes of the left one are rows; otherwise both have the same
//! leading axes, and each place in them is a product of its own.

use super::Compiler;
use super::unit::{After, Product as Unit};
use crate::exec::cpu::frame::{Frame, Place};
use crate::exec::cpu::product::{Activation, Matrix, Product, Size, Then, product, scratch_words};
use crate::exec::cpu::view::View;
use crate::op::{Op, Value};
use crate::shape::{Size as Length, Sizes};
use smallvec::SmallVec;

/// An operand or result: its words, and from item to item of the batch.
#[derive(Clone, Copy)]
struct Side {
    place: Place,
    stride: usize,
    step: usize,
    transposed: bool,
}

impl Side {
    fn matrix(self, frame: &Frame) -> Matrix {
        let data = frame.view(self.place);
        Matrix { data, stride: self.stride, step: self.step, transposed: self.transposed }
    }
}

/// What comes after the sums, with places instead of views.
#[derive(Clone, Copy)]
enum Follow {
    Nothing,
    Activate(Activation, Option<Place>),
    Derive(Activation, Place),
    Add(Place),
}

impl Follow {
    fn then(self, frame: &Frame) -> Then {
        match self {
            Self::Nothing => Then::Nothing,
            Self::Activate(activation, before) => {
                Then::Activate(activation, before.map_or(View::EMPTY, |place| frame.view(place)))
            }
            Self::Derive(activation, before) => Then::Derive(activation, frame.view(before)),
            Self::Add(other) => Then::Add(frame.view(other)),
        }
    }

    fn read(self) -> Option<Place> {
        match self {
            Self::Derive(_, place) | Self::Add(place) => Some(place),
            Self::Nothing | Self::Activate(..) => None,
        }
    }

    fn written(self) -> Option<Place> {
        if let Self::Activate(_, before) = self { before } else { None }
    }
}

impl Compiler<'_> {
    /// The launch of a product.
    pub(super) fn product(&mut self, unit: &Unit) {
        let (left, right) = self.transposes(unit.node);
        let [of_a, of_b] = [0, 1].map(|i| self.operand(unit.node, i));
        let size = self.size(of_a, of_b, left, right);
        let [a, b, c] = self.places([of_a, of_b, unit.result]);
        let side = |place, transposed, rows: usize, columns: usize| {
            let stride = if transposed { rows } else { columns };
            Side {
                place,
                stride: stride.max(1),
                step: if size.batch > 1 { rows * columns } else { 0 },
                transposed,
            }
        };
        let a = side(a, left, size.m, size.k);
        let b = side(b, right, size.k, size.n);
        let c = side(c, false, size.m, size.n);
        let bias = matches!(self.op(unit.node), Op::Linear(_)).then(|| self.operand(unit.node, 2));
        let bias = bias.map(|bias| self.place(bias));
        let sums = unit.sums.map(|sums| self.place(sums));
        let follow = self.follow(unit);
        let accumulate = unit.onto.is_some();
        let mut reads: SmallVec<[Place; 6]> = [a.place, b.place].into_iter().collect();
        reads.extend(bias.into_iter().chain(follow.read()).chain(accumulate.then_some(c.place)));
        let writes: SmallVec<[Place; 4]> =
            [c.place].into_iter().chain(sums).chain(follow.written()).collect();
        let scratch = scratch_words(size, self.threads);
        self.launch(&reads, &writes, scratch, move |worker, frame, scratch| {
            let call = Product {
                size,
                a: a.matrix(frame),
                b: b.matrix(frame),
                c: c.matrix(frame),
                accumulate,
                bias: bias.map(|place| frame.view(place)),
                then: follow.then(frame),
                column_sums: sums.map(|place| frame.view(place)),
            };
            product(worker, &call, scratch);
        });
    }

    fn follow(&mut self, unit: &Unit) -> Follow {
        match unit.after {
            After::Nothing => Follow::Nothing,
            After::Activate(activation) => {
                let at = unit.node.0 as usize;
                let others = self.sight.named[at] || self.sight.readers(unit.node).len() > 1;
                Follow::Activate(activation, others.then(|| self.place(unit.node)))
            }
            After::Derive(activation, at) => Follow::Derive(activation, self.place(at)),
            After::Add(other) => Follow::Add(self.place(other)),
        }
    }

    fn transposes(&self, node: Value) -> (bool, bool) {
        match self.op(node) {
            Op::Matmul(op) => (op.transpose_left, op.transpose_right),
            _ => (false, false),
        }
    }

    fn size(&self, a: Value, b: Value, left: bool, right: bool) -> Size {
        let (a, b) = (&self.graph.shape(a).sizes, &self.graph.shape(b).sizes);
        let from_end = |sizes: &Sizes, place: usize| sizes.iter().rev().nth(place).map_or(1, Length::len);
        let last = |sizes: &Sizes| (from_end(sizes, 1), from_end(sizes, 0));
        let ((a_rows, a_columns), (b_rows, b_columns)) = (last(a), last(b));
        let outer: usize = a.iter().rev().skip(2).map(Length::len).product();
        let n = if right { b_rows } else { b_columns };
        let (m, k) = if left { (a_columns, a_rows) } else { (a_rows, a_columns) };
        if b.len() > 2 { Size { batch: outer, m, n, k } } else { Size { batch: 1, m: outer * m, n, k } }
    }
}
