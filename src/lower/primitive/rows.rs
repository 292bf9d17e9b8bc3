//! Selecting and joining: `take concat join repeat choose range fill eye sum_by`.

use super::Lower;
use crate::lower::object::{Given, Object, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Axis, Elements, Padding, Piece, Range, Segment, Type, merge_labels};
use crate::op::{Broadcast, Choose, Concat, Eye, Fill, SumBy, Take};
use crate::shape::{Shape, Size};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

impl<'p> Lower<'p> {
    /// Ids that may index a table of so many rows.
    fn index_of(&mut self, index: &Tensor, rows: &Size, at: Span) -> Eval<()> {
        let limit = match &index.ty.elements {
            Elements::Ids(Range::Below(size)) => Some(size.clone()),
            Elements::Ids(Range::Of(vocabulary)) => {
                Some(Size::from(crate::lower::vocabulary::size(vocabulary)))
            }
            _ => None,
        };
        match limit {
            Some(limit) if limit.at_most(rows) => Ok(()),
            Some(limit) => {
                self.fail(Code::E0311, at, format!("ids below {limit} do not fit a table of {rows} rows"))
            }
            None => self.fail(
                Code::E0311,
                at,
                format!("these are not indices of a table of {rows} rows: {}", index.ty),
            ),
        }
    }

    /// `take(table, index)`
    pub fn take(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("take", &["table", "index"], given, span)?;
        let (table, at) = self.need_tensor(&mut args, "table")?;
        let (index, index_at) = self.need_tensor(&mut args, "index")?;
        let Some(rows) = table.ty.axes.first().map(|a| a.size.clone()) else {
            return self.fail(Code::E0314, at, format!("a table has rows, this is {}", table.ty));
        };
        self.index_of(&index, &rows, index_at)?;
        let mut ty = (*table.ty).clone();
        let rest = ty.axes.split_off(1);
        let mut moved = Vec::new();
        for axis in rest {
            moved.push(self.taken_axis(&axis, &index, &mut ty)?);
        }
        ty.axes = index.ty.axes.iter().cloned().chain(moved).collect();
        ty.segments = match ty.segments.take() {
            Some((axis, segments)) if axis > 0 && index.ty.rank() == 1 => {
                Some((axis, self.taken_segments(&segments, &index, &mut ty)?))
            }
            _ => None,
        };
        ty.label = table.ty.label.clone().or_else(|| index.ty.label.clone());
        ty.ahead.extend(index.ty.ahead.iter().copied());
        self.emit(Take, &[table.node, index.node], ty)
    }

    /// Rows carry their lengths along: the same selection of the same owner is the same new owner.
    fn taken_axis(&mut self, axis: &Axis, index: &Tensor, ty: &mut Type) -> Eval<Axis> {
        let Some(padding) = &axis.padding else { return Ok(axis.clone()) };
        if index.ty.rank() != 1 {
            return Ok(Axis::full(axis.size.clone()));
        }
        let padding = Some(self.taken_padding(padding, index, ty)?);
        Ok(Axis { size: axis.size.clone(), padding })
    }

    fn tensors(
        &mut self,
        name: &str,
        given: Vec<Given<'p>>,
        span: Span,
    ) -> Eval<(Vec<(Tensor, Span)>, Option<Given<'p>>)> {
        let (mut tensors, mut axis) = (Vec::new(), None);
        for one in given {
            match one.name {
                Some("axis") if name == "concat" => axis = Some(one),
                Some(other) => {
                    let at = one.name_span.map_or(one.span, |n| n.to(one.span));
                    return self.fail(Code::E0203, at, format!("`{name}` has no argument `{other}`"));
                }
                None => tensors.push((self.tensor(one.value, one.span)?, one.span)),
            }
        }
        if tensors.is_empty() {
            return self.fail(Code::E0211, span, format!("`{name}` needs something to join"));
        }
        Ok((tensors, axis))
    }

    /// `concat(a, b, …, axis: n)`
    pub fn concat(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let (tensors, axis) = self.tensors("concat", given, span)?;
        let Some(axis) = axis else { return self.fail(Code::E0211, span, "`concat` needs `axis`") };
        let axis = self.axis(&tensors[0].0, &axis)?;
        let mut ty = (*tensors[0].0.ty).clone();
        for (tensor, at) in &tensors[1..] {
            self.joins(&ty, &tensor.ty, axis, *at)?;
            ty.axes[axis].size = ty.axes[axis].size.clone() + tensor.ty.axes[axis].size.clone();
            ty.label = merge_labels(ty.modality(), tensor.ty.modality());
            ty.ahead.extend(tensor.ty.ahead.iter().copied());
            ty.elements = wider(&ty.elements, &tensor.ty.elements);
        }
        ty.segments = None;
        let parts: Vec<Tensor> = tensors.into_iter().map(|(t, _)| t).collect();
        if axis == 0 {
            self.concat_rows(&parts, &mut ty)?;
        } else if parts.iter().any(|t| t.ty.axes[axis].padding.is_some()) {
            return self.fail(Code::E0312, span, "padded sequences are put side by side by `join`");
        }
        let nodes: Vec<_> = parts.iter().map(|t| t.node).collect();
        self.emit(Concat { axis }, &nodes, ty)
    }

    fn joins(&mut self, a: &Type, b: &Type, axis: usize, at: Span) -> Eval<()> {
        let rest = |t: &Type| {
            t.axes
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != axis)
                .map(|(_, a)| a.size.clone())
                .collect::<Vec<_>>()
        };
        let kinds = a.kind() == b.kind();
        if a.rank() == b.rank() && rest(a) == rest(b) && kinds {
            return Ok(());
        }
        self.fail(
            Code::E0312,
            at,
            format!("{b} cannot be joined to {a} along axis {axis}: they differ elsewhere"),
        )
    }

    /// Row-wise `concat` carries the lengths of all.
    fn concat_rows(&mut self, parts: &[Tensor], ty: &mut Type) -> Eval<()> {
        for axis in 1..ty.rank() {
            let of = |t: &Tensor| (t.ty.axes[axis].padding.clone(), t.ty.axes[0].size.clone());
            let each: Vec<_> = parts.iter().map(of).collect();
            let places = ty.axes[axis].size.clone();
            ty.axes[axis].padding = self.stacked_padding(&each, &places, ty)?;
        }
        let Some((axis, first)) = parts[0].ty.segments.clone() else { return Ok(()) };
        let alike = |t: &Tensor| {
            t.ty.segments.as_ref().is_some_and(|(at, segments)| {
                let pairs = segments.iter().zip(&first);
                *at == axis
                    && segments.len() == first.len()
                    && pairs.into_iter().all(|(a, b)| (&a.label, &a.size) == (&b.label, &b.size))
            })
        };
        if axis == 0 || !parts.iter().all(alike) {
            return Ok(());
        }
        let mut segments = Vec::new();
        for (i, segment) in first.iter().enumerate() {
            let of = |t: &Tensor| {
                let padding = t.ty.segments.as_ref().and_then(|(_, s)| s[i].padding.clone());
                (padding, t.ty.axes[0].size.clone())
            };
            let each: Vec<_> = parts.iter().map(of).collect();
            let padding = self.stacked_padding(&each, &segment.size, ty)?;
            segments.push(Segment { padding, ..segment.clone() });
        }
        ty.label = None;
        ty.segments = Some((axis, segments));
        Ok(())
    }

    /// The condition `[B, N]` of an axis, all true where nothing is padded.
    pub fn mask_of(&mut self, x: &Tensor, axis: usize) -> Eval<crate::op::Value> {
        self.condition_of(&x.ty.axes[axis].padding, &x.ty.axes[0].size, &x.ty.axes[axis].size)
    }

    /// `join(a, b, …)`: token sequences side by side, segments kept.
    pub fn join(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let (tensors, _) = self.tensors("join", given, span)?;
        let mut ty = (*tensors[0].0.ty).clone();
        if ty.rank() != 3 {
            return self.fail(
                Code::E0312,
                tensors[0].1,
                format!("`join` takes token sequences [B, N, D], this is {ty}"),
            );
        }
        for (tensor, at) in &tensors[1..] {
            self.joins(&ty, &tensor.ty, 1, *at)?;
            ty.axes[1].size = ty.axes[1].size.clone() + tensor.ty.axes[1].size.clone();
            ty.ahead.extend(tensor.ty.ahead.iter().copied());
        }
        let parts: Vec<Tensor> = tensors.into_iter().map(|(t, _)| t).collect();
        self.segments_of(&parts, &mut ty);
        ty.axes[1].padding = self.joined_padding(&parts, &ty)?;
        let nodes: Vec<_> = parts.iter().map(|t| t.node).collect();
        self.emit(Concat { axis: 1 }, &nodes, ty)
    }

    /// Unlabelled tokens adopt the label if there is only one; then there are no segments.
    fn segments_of(&mut self, parts: &[Tensor], ty: &mut Type) {
        let mut labels: Vec<_> = parts.iter().filter_map(|t| t.ty.modality()).collect();
        labels.dedup();
        if labels.len() <= 1 && parts.iter().all(|t| t.ty.segments.is_none()) {
            ty.label = labels.into_iter().next();
            ty.segments = None;
            return;
        }
        let mut segments: Vec<Segment> = Vec::new();
        for part in parts {
            match &part.ty.segments {
                Some((_, inner)) => segments.extend(inner.iter().cloned()),
                None => {
                    let label = part
                        .ty
                        .label
                        .clone()
                        .or_else(|| labels.first().cloned())
                        .unwrap_or_else(|| "fused".into());
                    let Axis { size, padding } = part.ty.axes[1].clone();
                    segments.push(Segment { label, size, padding });
                }
            }
        }
        ty.label = None;
        ty.segments = Some((1, segments));
    }

    fn joined_padding(&mut self, parts: &[Tensor], ty: &Type) -> Eval<Option<Padding>> {
        if parts.iter().all(|t| t.ty.axes[1].padding.is_none()) {
            return Ok(None);
        }
        let mut masks = Vec::new();
        for part in parts {
            masks.push(self.mask_of(part, 1)?);
        }
        let sizes = [ty.axes[0].size.clone(), ty.axes[1].size.clone()];
        let mask = self.emit(Concat { axis: 1 }, &masks, Type::plain(sizes, Elements::Condition))?;
        self.owners.entry(mask.node).or_insert_with(|| "a joined sequence".into());
        let piece = |axis: &Axis| Piece { size: axis.size.clone(), padding: axis.padding.clone() };
        let pieces = parts.iter().map(|t| piece(&t.ty.axes[1])).collect();
        Ok(Some(Padding { pieces, ..Padding::of(mask.node) }))
    }

    /// `repeat(x, n)`: a new first axis.
    pub fn repeat(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("repeat", &["x", "n"], given, span)?;
        let (x, _) = self.need_tensor(&mut args, "x")?;
        let n = self.need(&mut args, "n")?;
        let n = self.size(&n.value, n.span)?;
        let mut ty = (*x.ty).clone();
        ty.axes.insert(0, Axis::full(n));
        ty.axes.iter_mut().for_each(|a| a.padding = None);
        ty.segments = ty.segments.map(|(axis, segments)| (axis + 1, segments));
        let axes = (1..ty.rank()).collect();
        self.emit(Broadcast { sizes: ty.sizes(), axes }, &[x.node], ty)
    }

    /// `choose(where, yes, no)`
    pub fn choose(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("choose", &["where", "yes", "no"], given, span)?;
        let (test, at) = self.need_tensor(&mut args, "where")?;
        if test.ty.elements != Elements::Condition {
            return self.fail(Code::E0314, at, format!("`choose` needs a condition, this is {}", test.ty));
        }
        let (yes, no) = (self.need(&mut args, "yes")?, self.need(&mut args, "no")?);
        let ids =
            |o: &Object<'p>| matches!(o, Object::Tensor(t) if matches!(t.ty.elements, Elements::Ids(_)));
        let whole = |o: &Object<'p>| matches!(o, Object::Whole(_));
        let as_ids = [&yes, &no].iter().all(|g| ids(&g.value) || whole(&g.value));
        let (yes, no) = if as_ids {
            (self.ids(yes.value, yes.span)?, self.ids(no.value, no.span)?)
        } else {
            (self.tensor(yes.value, yes.span)?, self.tensor(no.value, no.span)?)
        };
        let (yes, no) =
            if yes.ty.kind() == no.ty.kind() { (yes, no) } else { (self.floats(&yes)?, self.floats(&no)?) };
        let mut ty = self.broadcast("choose", span, &yes, &no)?;
        ty.elements = wider(&yes.ty.elements, &no.ty.elements);
        if test.ty.rank() > ty.rank() && ty.rank() == 0 {
            ty = Type { elements: ty.elements.clone(), ..(*test.ty).clone() };
        }
        self.lines_up(&test, &mut ty, span)?;
        self.emit(Choose, &[test.node, yes.node, no.node], ty)
    }

    fn lines_up(&mut self, test: &Tensor, ty: &mut Type, at: Span) -> Eval<()> {
        let fits =
            test.ty.rank() <= ty.rank() && test.ty.axes.iter().zip(&ty.axes).all(|(a, b)| a.size == b.size);
        if !fits {
            let message = format!("shapes do not fit: the condition {} and {ty}", test.ty);
            return self.fail(Code::E0301, at, message);
        }
        for i in 0..test.ty.rank() {
            ty.axes[i] = self.meet(at, &ty.axes[i].clone(), &test.ty.axes[i].clone(), 0)?;
        }
        ty.ahead.extend(test.ty.ahead.iter().copied());
        Ok(())
    }

    /// `range(n)`
    pub fn range(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("range", &["n"], given, span)?;
        let n = self.need(&mut args, "n")?;
        let n = self.size(&n.value, n.span)?;
        let ty = Type::plain([n.clone()], Elements::Ids(Range::Below(n.clone())));
        self.emit(crate::op::Range { n }, &[], ty)
    }

    /// `fill(shape, v)`: whole v gives ids.
    pub fn filled(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("fill", &["shape", "value"], given, span)?;
        let (sizes, _) = self.need_sizes(&mut args, "shape")?;
        let value = self.need(&mut args, "value")?;
        let elements = match &value.value {
            Object::Whole(v) if v.number().is_some_and(|v| v < 0) => Elements::Ids(Range::Any),
            Object::Whole(v) => Elements::Ids(Range::Below(v.clone() + Size::from(1i64))),
            _ => Elements::Float,
        };
        let value = self.number(&value.value, value.span)?;
        let ty = Type::plain(sizes, elements);
        let shape: Shape = ty.shape();
        self.emit(Fill { shape, value }, &[], ty)
    }

    /// `eye(n)`
    pub fn eye(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("eye", &["n"], given, span)?;
        let n = self.need(&mut args, "n")?;
        let n = self.size(&n.value, n.span)?;
        self.emit(Eye { n: n.clone() }, &[], Type::plain([n.clone(), n], Elements::Condition))
    }

    /// `sum_by(x, index)`: rows added up by index.
    pub fn sum_by(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("sum_by", &["x", "index"], given, span)?;
        let (x, _) = self.need_tensor(&mut args, "x")?;
        let (index, at) = self.need_tensor(&mut args, "index")?;
        let Elements::Ids(Range::Below(rows)) = index.ty.elements.clone() else {
            return self.fail(Code::E0311, at, format!("these are not indices: {}", index.ty));
        };
        if index.ty.rank() != 1
            || x.ty.axes.first().map(|a| &a.size) != index.ty.axes.first().map(|a| &a.size)
        {
            return self.fail(
                Code::E0314,
                at,
                format!("`sum_by` needs one index a row of {}, this is {}", x.ty, index.ty),
            );
        }
        let x = self.floats(&x)?;
        let mut ty = (*x.ty).clone();
        ty.axes[0] = Axis::full(rows.clone());
        self.emit(SumBy { rows }, &[x.node, index.node], ty)
    }
}

/// Ids of two ranges together.
pub fn wider(a: &Elements, b: &Elements) -> Elements {
    let (Elements::Ids(x), Elements::Ids(y)) = (a, b) else { return a.clone() };
    let wide = match (x, y) {
        (Range::Any, _) | (_, Range::Any) => Range::Any,
        (Range::Of(v), Range::Of(w)) if v != w => Range::Any,
        (Range::Of(v), _) | (_, Range::Of(v)) => Range::Of(v.clone()),
        (Range::Below(m), Range::Below(n)) if m.at_most(n) => Range::Below(n.clone()),
        (Range::Below(m), Range::Below(n)) if n.at_most(m) => Range::Below(m.clone()),
        _ => Range::Any,
    };
    Elements::Ids(wide)
}
