//! Places of sequences: `last before hide put cut_point`, and words picked by `pick_words pick_exactly`.

use super::Lower;
use super::reduce::without;
use super::rows::wider;
use crate::lower::model::{TABLE, VocabularyKind};
use crate::lower::object::{Given, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Elements, Padding, Range, Segment, Type};
use crate::op::{
    And, Before, Compare, Concat, Fill, Input, Last, Not, PickWords, Relation, SampleIds, Slice, Take, Value,
};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use std::rc::Rc;

impl<'p> Lower<'p> {
    /// `last(x)`: the last valid place of each row.
    pub fn last(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("last", &["x"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        if x.ty.rank() < 2 {
            return self.fail(
                Code::E0314,
                at,
                format!("`last` takes sequences [B, N, ..], this is {}", x.ty),
            );
        }
        let mask = self.mask_of(&x, 1)?;
        let ty = without(&x.ty, 1);
        self.emit(Last, &[x.node, mask], ty)
    }

    /// `before(x, n)`: position < n.
    pub fn before(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("before", &["x", "n"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let (n, n_at) = self.need_tensor(&mut args, "n")?;
        if x.ty.rank() < 2 {
            return self.fail(
                Code::E0314,
                at,
                format!("`before` takes sequences [B, N, ..], this is {}", x.ty),
            );
        }
        if n.ty.rank() != 1 || !matches!(n.ty.elements, Elements::Ids(_)) {
            return self.fail(
                Code::E0314,
                n_at,
                format!("`before` takes one whole number a row, this is {}", n.ty),
            );
        }
        let axes = x.ty.axes[..2].to_vec();
        let ty = Type { axes, ..Type::plain([], Elements::Condition) };
        self.emit(Before { n: x.ty.axes[1].size.clone() }, &[n.node], ty)
    }

    /// `hide(x, where)`: makes padding where the condition holds.
    pub fn hide(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("hide", &["x", "where"], given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let (hidden, hidden_at) = self.need_tensor(&mut args, "where")?;
        if x.ty.rank() < 2 {
            return self.fail(
                Code::E0314,
                at,
                format!("`hide` takes sequences [B, N, ..], this is {}", x.ty),
            );
        }
        if hidden.ty.elements != Elements::Condition || hidden.ty.sizes()[..] != x.ty.sizes()[..2] {
            let message =
                format!("`hide` needs a condition for each place of {}, this is {}", x.ty, hidden.ty);
            return self.fail(Code::E0314, hidden_at, message);
        }
        let met = self.meet(span, &x.ty.axes[1].clone(), &hidden.ty.axes[1].clone(), 0)?;
        let ty = Type::plain(x.ty.sizes()[..2].to_vec(), Elements::Condition);
        let mut mask = self.emit(Not, &[hidden.node], ty.clone())?;
        if let Some(before) = met.padding {
            mask = self.emit(And, &[before.mask, mask.node], ty)?;
        }
        self.owners.entry(mask.node).or_insert_with(|| "what `hide` leaves".into());
        let mut ty = (*x.ty).clone();
        ty.axes[1].padding = Some(Padding::of(mask.node));
        if let Some((1, segments)) = ty.segments.clone() {
            ty.segments = Some((1, self.cut_segments(segments, mask.node)?));
        }
        Ok(self.retype(&x, ty))
    }

    /// Stretches of a joined axis under a new condition.
    fn cut_segments(&mut self, mut segments: Vec<Segment>, mask: Value) -> Eval<Vec<Segment>> {
        let whole = Padding::of(mask);
        let mut start = Size::from(0i64);
        for segment in &mut segments {
            let end = start.clone() + segment.size.clone();
            let cut = self.cut_padding(&whole, &start, &end)?;
            segment.padding = cut.map(|p| Padding::of(p.mask));
            start = end;
        }
        Ok(segments)
    }

    /// `put(ids, at, value)`: one position replaced in every row.
    pub fn put(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("put", &["ids", "at", "value"], given, span)?;
        let (ids, ids_at) = self.need_tensor(&mut args, "ids")?;
        let (place, value) = (self.need(&mut args, "at")?, self.need(&mut args, "value")?);
        if ids.ty.rank() != 2 || !matches!(ids.ty.elements, Elements::Ids(_)) {
            return self.fail(Code::E0314, ids_at, format!("`put` takes ids [B, T], this is {}", ids.ty));
        }
        let length = ids.ty.axes[1].size.clone();
        let at = self.size(&place.value, place.span)?;
        let next = at.clone() + Size::from(1i64);
        if !(Size::from(0i64).at_most(&at) && next.at_most(&length)) {
            return self.fail(Code::E0307, place.span, format!("{at} is outside an axis of {length}"));
        }
        let number = self.number(&value.value, value.span)?;
        let new = self.ids(value.value, value.span)?;
        let elements = wider(&ids.ty.elements, &new.ty.elements);
        let one = Type::plain([ids.ty.axes[0].size.clone(), Size::from(1i64)], elements.clone());
        let one = self.emit(Fill { shape: one.shape(), value: number }, &[], one)?;
        let mut parts = Vec::new();
        for (low, high) in [(Size::from(0i64), at.clone()), (next, length)] {
            if low != high {
                let sizes = [ids.ty.axes[0].size.clone(), high.clone() - low.clone()];
                let cut = Slice { axis: 1, start: low, end: high };
                parts.push(self.emit(cut, &[ids.node], Type::plain(sizes, elements.clone()))?.node);
            }
        }
        parts.insert(usize::from(!at.is_empty()), one.node);
        self.emit(Concat { axis: 1 }, &parts, ids.ty.with_elements(elements))
    }

    /// `cut_point(ids)`: a valid place of each row, all alike.
    pub fn cut_point(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let (ids, mask) = self.tokens_of("cut_point", &["ids"], given, span)?.0;
        let weights = self.floats(&mask)?;
        let places = Range::Below(ids.ty.axes[1].size.clone());
        let ty = Type::plain([ids.ty.axes[0].size.clone()], Elements::Ids(places));
        let draw = self.draw(&[weights.node], true, span);
        self.emit(SampleIds { draw }, &[weights.node], ty)
    }

    /// `pick_exactly(ids, rate)`: `min(round(rate n), n - 1)` of the valid tokens, never the first.
    pub fn pick_exactly(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let ((ids, valid), rate) = self.tokens_of("pick_exactly", &["ids", "rate"], given, span)?;
        let length = ids.ty.axes[1].size.clone();
        let ty = (*valid.ty).clone();
        let every = Type::plain([length.clone()], Elements::Ids(Range::Below(length.clone())));
        let place = self.emit(crate::op::Range { n: length.clone() }, &[], every)?;
        let zero = self.fill(0.0, Elements::Ids(Range::Below(Size::from(1i64))))?;
        let later = Type::plain([length], Elements::Condition);
        let later = self.emit(Compare { relation: Relation::Greater }, &[place.node, zero.node], later)?;
        let eligible = self.emit(And, &[valid.node, later.node], ty.clone())?;
        let begins = self.emit(Fill { shape: ty.shape(), value: 1.0 }, &[], ty)?;
        self.picked(&ids, [valid.node, eligible.node, begins.node], (rate, 0, 1), span)
    }

    /// `pick_words(ids, rate)`: whole words until `max(1, round(rate n))` of the n valid tokens are picked.
    pub fn pick_words(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let ((ids, valid), rate) = self.tokens_of("pick_words", &["ids", "rate"], given, span)?;
        let Elements::Ids(Range::Of(vocabulary)) = ids.ty.elements.clone() else {
            let message = format!("`pick_words` takes ids of a vocabulary, this is {}", ids.ty);
            return self.fail(Code::E0311, span, message);
        };
        let ty = (*valid.ty).clone();
        let Some(special) = crate::lower::vocabulary::special_ids(&vocabulary) else {
            let message = format!(
                "`pick_words` would pick the special tokens of {} too: they are not known",
                vocabulary.name
            );
            let error = Diagnostic::error(Code::E0314, span, message);
            return self.report(
                error.note("say their ids, as in `special: [0, 2, 3, 4, 1]` for pad, cls, sep, mask and unk"),
            );
        };
        let mut eligible = valid.node;
        for id in special {
            let special = self.fill(id as f64, Elements::Ids(Range::Any))?;
            let other = Compare { relation: Relation::NotEqual };
            let other = self.emit(other, &[ids.node, special.node], ty.clone())?;
            eligible = self.emit(And, &[eligible, other.node], ty.clone())?.node;
        }
        let begins = self.word_starts(&ids, &vocabulary)?;
        self.picked(&ids, [valid.node, eligible, begins], (rate, 1, 0), span)
    }

    /// Where words begin. Byte pairs mark where words end: the next token begins one.
    fn word_starts(&mut self, ids: &Tensor, vocabulary: &Rc<crate::lower::model::Vocabulary>) -> Eval<Value> {
        let name = format!("{TABLE}{}", vocabulary.name);
        let rows = Size::from(crate::lower::vocabulary::size(vocabulary));
        let table = Type::plain([rows], Elements::Condition);
        let leaf = self.emit(Input { name: name.clone(), shape: table.shape() }, &[], table)?;
        self.tables.insert(name, (leaf.clone(), vocabulary.clone()));
        let ty = Type::plain(ids.ty.sizes(), Elements::Condition);
        let marks = self.emit(Take, &[leaf.node, ids.node], ty.clone())?;
        let length = ids.ty.axes[1].size.clone();
        if vocabulary.kind != VocabularyKind::Bpe || length == Size::from(1i64) {
            return Ok(marks.node);
        }
        let sizes = |n: Size| [ids.ty.axes[0].size.clone(), n];
        let before = length - Size::from(1i64);
        let cut = Slice { axis: 1, start: Size::from(0i64), end: before.clone() };
        let before = self.emit(cut, &[marks.node], Type::plain(sizes(before), Elements::Condition))?;
        let first = Type::plain(sizes(Size::from(1i64)), Elements::Condition);
        let first = self.emit(Fill { shape: first.shape(), value: 1.0 }, &[], first)?;
        Ok(self.emit(Concat { axis: 1 }, &[first.node, before.node], ty)?.node)
    }

    fn picked(
        &mut self,
        ids: &Tensor,
        conditions: [Value; 3],
        (rate, at_least, spare): (f64, usize, usize),
        span: Span,
    ) -> Eval<Tensor> {
        let draw = self.draw(&conditions, true, span);
        let mut ty = ids.ty.with_elements(Elements::Condition);
        ty.label = None;
        self.emit(PickWords { rate, at_least, spare, draw }, &conditions, ty)
    }

    /// Ids [B, T] with the condition of their valid places, and the rate, if one is asked for.
    fn tokens_of(
        &mut self,
        name: &'static str,
        names: &'static [&'static str],
        given: Vec<Given<'p>>,
        span: Span,
    ) -> Eval<((Tensor, Tensor), f64)> {
        let mut args = self.args(name, names, given, span)?;
        let (ids, at) = self.need_tensor(&mut args, "ids")?;
        if ids.ty.rank() != 2 || !matches!(ids.ty.elements, Elements::Ids(_)) {
            let error =
                Diagnostic::error(Code::E0314, at, format!("`{name}` takes ids [B, T], this is {}", ids.ty));
            return self.report(error);
        }
        let mut rate = 0.0;
        if names.len() > 1 {
            let given = self.need(&mut args, "rate")?;
            rate = self.number(&given.value, given.span)?;
            if !(0.0..=1.0).contains(&rate) {
                return self.fail(
                    Code::E0314,
                    given.span,
                    format!("a rate lies between 0 and 1, this is {rate}"),
                );
            }
        }
        let mask = self.mask_of(&ids, 1)?;
        let valid = Type::plain(ids.ty.sizes(), Elements::Condition);
        Ok(((ids, Tensor { node: mask, ty: valid.into() }), rate))
    }
}
