//! `kmeans(x, rounds: n)`, as the start of a state [K, D]: k-means by cosine, made of smaller ops.
//!
//! Rows and centres have length one. The first centres are K different rows, some twice if there are fewer. A round
//! gives every row to its nearest centre and moves each centre to the direction of the mean of its rows; a centre without
//! rows stays.

use super::Lower;
use crate::lower::object::{Given, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Axis, Elements, Range, Type};
use crate::op::{
    Argmax, Broadcast, Choose, Compare, Fill, Matmul, Normalize, Permute, Relation, Reshape, Shuffle, SumBy,
    Take,
};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

impl<'p> Lower<'p> {
    /// `kmeans(x, rounds: n)`
    pub fn kmeans(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("kmeans", &["x", "rounds"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let rounds = self.need(&mut args, "rounds")?;
        let count = self.count(&rounds.value, rounds.span)?;
        let Some((name, state)) = self.starting.clone() else {
            return self.fail(
                Code::E0314,
                span,
                "`kmeans` is how a state begins: state book : [K, D] = kmeans(…)",
            );
        };
        let (centres, width) = match state.sizes().as_slice() {
            [k, d] => (k.clone(), d.clone()),
            _ => {
                let message = format!("`kmeans` gives [K, D], and the state `{name}` is {state}");
                return self.fail(Code::E0502, span, message);
            }
        };
        if x.ty.axes.last().map(|a| &a.size) != Some(&width) || count > 1000 {
            let message = format!("`kmeans` of {} gives no {state}", x.ty);
            return self.fail(Code::E0502, at, message);
        }
        let rows = self.unit_rows(&x, &width, span)?;
        let mut book = self.first_centres(&rows, &centres, &width, span)?;
        for _ in 0..count {
            book = self.moved_centres(&rows, &book)?;
        }
        Ok(book)
    }

    /// All rows [R, D], of length one.
    fn unit_rows(&mut self, x: &Tensor, width: &Size, span: Span) -> Eval<Tensor> {
        let x = self.floats(x)?;
        let lead = x.ty.shape().with_sizes(x.ty.sizes()[..x.ty.rank() - 1].to_vec());
        let Some(count) = lead.count() else {
            return self.fail(Code::E0316, span, "the product of two batch sizes is not a size");
        };
        let ty = Type::float([count, width.clone()]);
        let flat = if x.ty.rank() == 2 {
            x
        } else {
            self.emit(Reshape { sizes: ty.sizes() }, &[x.node], ty.clone())?
        };
        self.emit(Normalize, &[flat.node], ty)
    }

    fn first_centres(&mut self, rows: &Tensor, centres: &Size, width: &Size, span: Span) -> Eval<Tensor> {
        let count = rows.ty.axes[0].size.clone();
        let draw = self.draw(&[], false, span);
        let ids = Elements::Ids(Range::Below(count.clone()));
        let op = Shuffle { n: count, first: centres.clone(), draw };
        let chosen = self.emit(op, &[], Type::plain([centres.clone()], ids))?;
        self.emit(Take, &[rows.node, chosen.node], Type::float([centres.clone(), width.clone()]))
    }

    fn moved_centres(&mut self, rows: &Tensor, book: &Tensor) -> Eval<Tensor> {
        let (count, [k, d]) = (rows.ty.axes[0].size.clone(), [0, 1].map(|i| book.ty.axes[i].size.clone()));
        let turned = self.emit(Permute { axes: vec![1, 0] }, &[book.node], Type::float([d, k.clone()]))?;
        let product = Matmul { transpose_left: false, transpose_right: false };
        let near = self.emit(product, &[rows.node, turned.node], Type::float([count.clone(), k.clone()]))?;
        let ids = Type::plain([count.clone()], Elements::Ids(Range::Below(k.clone())));
        let nearest = self.emit(Argmax, &[near.node], ids)?;
        let sums = self.emit(SumBy { rows: k.clone() }, &[rows.node, nearest.node], (*book.ty).clone())?;
        let new = self.same_type(Normalize, &sums)?;
        let ones = Type::float([count]);
        let ones = self.emit(Fill { shape: ones.shape(), value: 1.0 }, &[], ones)?;
        let hits = Type { axes: vec![Axis::full(k.clone())], ..Type::float([]) };
        let hits = self.emit(SumBy { rows: k.clone() }, &[ones.node, nearest.node], hits)?;
        let zero = self.fill(0.0, Elements::Float)?;
        let some = Type::plain([k.clone()], Elements::Condition);
        let some = self.emit(Compare { relation: Relation::Greater }, &[hits.node, zero.node], some)?;
        let spread = Broadcast { sizes: book.ty.sizes(), axes: vec![0] };
        let some = self.emit(spread, &[some.node], book.ty.with_elements(Elements::Condition))?;
        self.emit(Choose, &[some.node, new.node, book.node], (*book.ty).clone())
    }
}
