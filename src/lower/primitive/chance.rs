//! Draws: `dropout uniform randint shuffle sample`, each with a path that other edits do not move (4.10).

use super::Lower;
use super::reduce::without;
use crate::lower::object::{Given, Object, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Elements, Range, Type};
use crate::op::{Draw, Dropout, RandomIds, SampleIds, Shuffle, Uniform, Value};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

impl<'p> Lower<'p> {
    /// The address of a draw. What depends on a slow copy draws for itself.
    pub fn draw(&mut self, operands: &[Value], rows: bool, at: Span) -> Draw {
        let path = self.draw_path(at);
        let slow = operands.iter().any(|v| self.is_slow(*v));
        let path = match (slow, &self.worlds[self.world].twin) {
            (true, Some(name)) => format!("{name}/{path}"),
            _ => path,
        };
        Draw { path, rows }
    }

    /// `dropout(x, p, per: rows)`; the identity in a task.
    pub fn dropout(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        let mut args = self.args("dropout", &["x", "p", "per"], given, span)?;
        let x = self.need(&mut args, "x")?;
        let share = self.need(&mut args, "p")?;
        let share = self.number(&share.value, share.span)?;
        if !(0.0..1.0).contains(&share) {
            return self.fail(
                Code::E0314,
                span,
                format!("the share that is dropped is below 1, this is {share}"),
            );
        }
        let per_row = args.optional("per").is_some();
        let tensor = self.tensor(x.value, x.span)?;
        if !self.training || share == 0.0 {
            return Ok(Object::Tensor(tensor));
        }
        let draw = self.draw(&[tensor.node], batched(&tensor.ty.sizes()), span);
        self.same_type(Dropout { share, per_row, draw }, &tensor).map(Object::Tensor)
    }

    /// `uniform(shape)`
    pub fn uniform(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("uniform", &["shape"], given, span)?;
        let (sizes, _) = self.need_sizes(&mut args, "shape")?;
        let draw = self.draw(&[], batched(&sizes), span);
        self.emit(Uniform { sizes: sizes.clone().into(), draw }, &[], Type::float(sizes))
    }

    /// `randint(K, shape)`
    pub fn randint(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("randint", &["below", "shape"], given, span)?;
        let below = self.need(&mut args, "below")?;
        let range = match &below.value {
            Object::Vocabulary(vocabulary) => Range::Of(vocabulary.clone()),
            other => Range::Below(self.size(other, below.span)?),
        };
        let limit = self.size(&below.value, below.span)?;
        let Some(limit) = limit.number().filter(|n| *n > 0) else {
            return self.fail(
                Code::E0316,
                below.span,
                format!("`randint` needs a known number above 0, this is {limit}"),
            );
        };
        let (sizes, _) = self.need_sizes(&mut args, "shape")?;
        let draw = self.draw(&[], batched(&sizes), span);
        let op = RandomIds { sizes: sizes.clone().into(), below: limit as u64, draw };
        self.emit(op, &[], Type::plain(sizes, Elements::Ids(range)))
    }

    /// `shuffle(n)`: a permutation.
    pub fn shuffle(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("shuffle", &["n"], given, span)?;
        let n = self.need(&mut args, "n")?;
        let n = self.size(&n.value, n.span)?;
        let draw = self.draw(&[], false, span);
        let ty = Type::plain([n.clone()], Elements::Ids(Range::Below(n.clone())));
        self.emit(Shuffle { first: n.clone(), n, draw }, &[], ty)
    }

    /// `sample(weights)`: one column a row.
    pub fn sample(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("sample", &["weights"], given, span)?;
        let (weights, at) = self.need_tensor(&mut args, "weights")?;
        let Some(last) = weights.ty.rank().checked_sub(1) else {
            return self.fail(Code::E0314, at, "`sample` needs at least one axis of weights");
        };
        let weights = self.floats(&weights)?;
        let weights = self.masked(&weights, last, 0.0)?;
        let columns = weights.ty.axes[last].size.clone();
        let mut ty = without(&weights.ty, last).with_elements(Elements::Ids(Range::Below(columns)));
        ty.label = None;
        let draw = self.draw(&[weights.node], batched(&ty.sizes()), span);
        self.emit(SampleIds { draw }, &[weights.node], ty)
    }
}

/// Whether the first axis counts rows of the batch.
fn batched(sizes: &[Size]) -> bool {
    sizes.first().is_some_and(|s| s.number().is_none())
}
