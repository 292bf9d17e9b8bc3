//! Products, transposes, indices, segments and routes: forms that look at axes.

use super::object::{Object, Tensor};
use super::scope::Env;
use super::state::{Eval, Lower};
use super::types::{Axis, Elements, Padding, Segment, Type};
use crate::op::{Broadcast, Choose, Concat, Matmul, Permute, Reshape, Slice};
use crate::shape::{Size, Sizes};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arm, Expr, Index, Name};
use std::rc::Rc;

impl<'p> Lower<'p> {
    /// `x @ y`
    pub fn matmul(&mut self, x: &Tensor, y: &Tensor, at: Span) -> Eval<Tensor> {
        let (a, b) = (&x.ty, &y.ty);
        let plain = b.rank() == 2 && a.rank() >= 1;
        let batched = a.rank() == b.rank() && a.rank() > 2;
        if !plain && !batched {
            let note = format!(
                "it needs [.., n] @ [n, m], or equal leading axes; these have {} and {} axes",
                a.rank(),
                b.rank()
            );
            return self.no_product(x, y, at, note);
        }
        let (last, inner) = (a.rank() - 1, b.rank() - 2);
        if a.axes[last].size != b.axes[inner].size {
            let note = format!("the inner sizes differ: {} and {}", a.axes[last].size, b.axes[inner].size);
            return self.no_product(x, y, at, note);
        }
        if batched && (0..inner).any(|i| a.axes[i].size != b.axes[i].size) {
            return self.no_product(x, y, at, "the leading axes differ".into());
        }
        if let (Some(p), Some(q)) = (&a.axes[last].padding, &b.axes[inner].padding)
            && batched
            && p.owner != q.owner
        {
            return self.padded_differently(at, p, q);
        }
        let (x, y) = (self.floats(x)?, self.floats(y)?);
        let x = self.masked(&x, last, 0.0)?;
        let y = if batched { self.masked(&y, inner, 0.0)? } else { y };
        let mut ty = (*x.ty).clone();
        if ty.segments.as_ref().is_some_and(|(axis, _)| *axis == last) {
            ty.label = ty.modality();
            ty.segments = None;
        }
        let padding = if batched { y.ty.axes[inner + 1].padding.clone() } else { None };
        ty.axes[last] = Axis { size: y.ty.axes[inner + 1].size.clone(), padding };
        ty.elements = Elements::Float;
        ty.absorb(&y.ty);
        self.emit(Matmul { transpose_left: false, transpose_right: false }, &[x.node, y.node], ty)
    }

    fn no_product(&mut self, x: &Tensor, y: &Tensor, at: Span, note: String) -> Eval<Tensor> {
        let message = format!("`@` does not fit: {} @ {}", x.ty, y.ty);
        self.report(Diagnostic::error(Code::E0302, at, message).note(note))
    }

    /// x with `value` at the padded places of an axis; x itself if it has none.
    pub fn masked(&mut self, x: &Tensor, axis: usize, value: f64) -> Eval<Tensor> {
        let Some(padding) = x.ty.axes[axis].padding.clone() else { return Ok(x.clone()) };
        let condition = self.spread_mask(&padding, &x.ty, axis)?;
        let other = self.fill(value, x.ty.elements.clone())?;
        self.emit(Choose, &[condition.node, x.node, other.node], (*x.ty).clone())
    }

    /// The condition `[B, N]` of a padded axis over all axes up to that one.
    pub fn spread_mask(&mut self, padding: &Padding, ty: &Type, axis: usize) -> Eval<Tensor> {
        let sizes = Sizes::from(&ty.sizes()[..=axis]);
        let spread = Type::plain(sizes.clone(), Elements::Condition);
        if axis == 1 {
            return Ok(self.retype(&Tensor { node: padding.mask, ty: Rc::new(spread.clone()) }, spread));
        }
        self.emit(Broadcast { sizes, axes: vec![0, axis] }, &[padding.mask], spread)
    }

    /// `x'`
    pub fn transpose(&mut self, x: &Tensor, at: Span) -> Eval<Tensor> {
        let rank = x.ty.rank();
        if rank < 2 {
            return self.fail(
                Code::E0314,
                at,
                format!("only two axes or more can be swapped, this is {}", x.ty),
            );
        }
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(rank - 2, rank - 1);
        self.permute(x, axes, at)
    }

    /// Axes in another order. Padding belongs to rows, so a padded tensor keeps its first axis.
    pub fn permute(&mut self, x: &Tensor, axes: Vec<usize>, at: Span) -> Eval<Tensor> {
        if axes[0] != 0 && x.ty.axes.iter().any(|a| a.padding.is_some()) {
            let message = format!("the rows of a padded sequence must stay in front, this is {}", x.ty);
            return self.fail(Code::E0314, at, message);
        }
        let mut ty = (*x.ty).clone();
        ty.axes = axes.iter().map(|a| x.ty.axes[*a].clone()).collect();
        if let Some((axis, _)) = &mut ty.segments {
            *axis = axes.iter().position(|a| a == axis).unwrap_or(*axis);
        }
        self.emit(Permute { axes }, &[x.node], ty)
    }

    /// `x[…]` on lists and tensors.
    pub fn index(
        &mut self,
        object: Object<'p>,
        indices: &'p [Index],
        at: Span,
        env: &Env<'p>,
    ) -> Eval<Object<'p>> {
        if let Object::List(items) = object {
            return self.list_index(items, indices, at, env);
        }
        if let Object::Twin(inner, slow) = object {
            let inner = self.index(*inner, indices, at, env)?;
            return Ok(Object::Twin(Box::new(inner), slow));
        }
        let mut tensor = self.tensor(object, at)?;
        if indices.len() > tensor.ty.rank() {
            let message = format!("{} indices for {}", indices.len(), tensor.ty);
            return self.fail(Code::E0307, at, message);
        }
        let mut axis = 0;
        for index in indices {
            match index {
                Index::All(_) => axis += 1,
                Index::Range { low, high, span } => {
                    let (low, high) = self.range_ends(&tensor.ty.axes[axis].size.clone(), low, high, env)?;
                    tensor = self.slice(&tensor, axis, low, high, *span)?;
                    axis += 1;
                }
                Index::At(expr) => tensor = self.select(&tensor, axis, expr, env)?,
            }
        }
        Ok(Object::Tensor(tensor))
    }

    fn list_index(
        &mut self,
        items: Vec<Object<'p>>,
        indices: &'p [Index],
        at: Span,
        env: &Env<'p>,
    ) -> Eval<Object<'p>> {
        let length = Size::from(items.len());
        match indices {
            [Index::At(expr)] => {
                let object = self.eval(expr, env, None)?;
                let place = self.size(&object, expr.span)?;
                let place = self.counted(&length, place).number().unwrap_or(-1);
                match usize::try_from(place).ok().and_then(|i| items.get(i)) {
                    Some(item) => Ok(item.clone()),
                    None => self.fail(Code::E0307, expr.span, format!("the list has {length} elements")),
                }
            }
            [Index::Range { low, high, span }] => {
                let (low, high) = self.range_ends(&length, low, high, env)?;
                let (low, high) = (low.number().unwrap_or(-1), high.number().unwrap_or(-1));
                if low < 0 || high < low || high as usize > items.len() {
                    return self.fail(Code::E0307, *span, format!("the list has {length} elements"));
                }
                Ok(Object::List(items[low as usize..high as usize].to_vec()))
            }
            _ => self.fail(Code::E0307, at, "a list has one axis"),
        }
    }

    fn counted(&self, length: &Size, place: Size) -> Size {
        if place.number().is_some_and(|n| n < 0) { length.clone() + place } else { place }
    }

    fn range_ends(
        &mut self,
        length: &Size,
        low: &'p Option<Expr>,
        high: &'p Option<Expr>,
        env: &Env<'p>,
    ) -> Eval<(Size, Size)> {
        let mut end = |expr: &'p Option<Expr>, missing: Size| -> Eval<Size> {
            let Some(expr) = expr else { return Ok(missing) };
            let object = self.eval(expr, env, None)?;
            let place = self.size(&object, expr.span)?;
            Ok(self.counted(length, place))
        };
        Ok((end(low, Size::from(0i64))?, end(high, length.clone())?))
    }

    /// `x[.., low..high, ..]`; lengths are kept, shifted.
    pub fn slice(&mut self, x: &Tensor, axis: usize, low: Size, high: Size, at: Span) -> Eval<Tensor> {
        let size = x.ty.axes[axis].size.clone();
        let inside = Size::from(0i64).at_most(&low) && low.at_most(&high) && high.at_most(&size);
        if !inside {
            let message = format!("{low}..{high} is outside an axis of {size}");
            return self.fail(Code::E0307, at, message);
        }
        if low.is_empty() && high == size {
            return Ok(x.clone());
        }
        if axis == 0 && x.ty.axes.iter().any(|a| a.padding.is_some()) {
            return self.fail(
                Code::E0314,
                at,
                format!("rows of a padded sequence are chosen by `take`, this is {}", x.ty),
            );
        }
        let mut ty = (*x.ty).clone();
        if ty.segments.as_ref().is_some_and(|(joined, _)| *joined == axis) {
            ty.label = ty.modality();
            ty.segments = None;
        }
        let padding = match &x.ty.axes[axis].padding {
            None => None,
            Some(p) => self.cut_padding(p, &low, &high)?,
        };
        ty.axes[axis] = Axis { size: high.clone() - low.clone(), padding };
        self.emit(Slice { axis, start: low, end: high }, &[x.node], ty)
    }

    fn select(&mut self, x: &Tensor, axis: usize, expr: &'p Expr, env: &Env<'p>) -> Eval<Tensor> {
        let object = self.eval(expr, env, None)?;
        let size = x.ty.axes[axis].size.clone();
        let place = self.size(&object, expr.span)?;
        let place = self.counted(&size, place);
        let next = place.clone() + Size::from(1i64);
        if !(Size::from(0i64).at_most(&place) && next.at_most(&size)) {
            let message = format!("{} is outside an axis of {size}", object.describe());
            return self.fail(Code::E0307, expr.span, message);
        }
        let one = self.slice(x, axis, place, next, expr.span)?;
        let mut ty = (*one.ty).clone();
        ty.label = ty.modality();
        ty.axes.remove(axis);
        ty.segments = None;
        self.emit(Reshape { sizes: ty.sizes() }, &[one.node], ty)
    }

    /// `x.text`: that stretch of a joined sequence.
    pub fn segment(&mut self, x: &Tensor, name: &Name) -> Eval<Tensor> {
        let Some((axis, segments)) = x.ty.segments.clone() else {
            return self.fail(Code::E0406, name.span, format!("{} has no `{}` part", x.ty, name.text));
        };
        let mut start = Size::from(0i64);
        for segment in &segments {
            let end = start.clone() + segment.size.clone();
            if *segment.label == *name.text {
                return self.stretch(x, axis, segment, start, Some("fused"));
            }
            start = end;
        }
        let known: Vec<&str> = segments.iter().map(|s| &*s.label).collect();
        let message = format!("{} has no `{}` part", x.ty, name.text);
        self.report(
            Diagnostic::error(Code::E0406, name.span, message)
                .note(format!("its parts: {}", known.join(", "))),
        )
    }

    fn stretch(
        &mut self,
        x: &Tensor,
        axis: usize,
        segment: &Segment,
        start: Size,
        label: Option<&str>,
    ) -> Eval<Tensor> {
        let end = start.clone() + segment.size.clone();
        let mut ty = (*x.ty).clone();
        ty.segments = None;
        ty.label = label.map_or_else(|| Some(segment.label.clone()), |l| Some(l.into()));
        ty.axes[axis] = Axis { size: segment.size.clone(), padding: segment.padding.clone() };
        self.emit(Slice { axis, start, end }, &[x.node], ty)
    }

    /// `route x { image: f(x)  text: g(x) }`
    pub fn route(&mut self, value: &'p Name, arms: &'p [Arm], at: Span, env: &Env<'p>) -> Eval<Object<'p>> {
        let object = self.lookup(&value.text, value.span, env)?;
        let x = self.tensor(object, value.span)?;
        let mut open = Vec::new();
        for arm in arms {
            let holds = match &arm.test {
                None => true,
                Some(test) => {
                    let test = self.eval(test, env, None)?;
                    self.holds(&test)
                }
            };
            // An arm whose expert is `none` is no arm.
            if holds {
                open.push(arm);
            }
        }
        let label = x.ty.modality();
        let fit = open.iter().find(|arm| Some(arm.label.text.as_str()) == label.as_deref());
        match (fit, &x.ty.segments) {
            (Some(arm), _) => self.eval(&arm.value, env, None),
            (None, Some((axis, segments))) => self.split_route(value, &x, *axis, segments, &open, at, env),
            (None, None) => self.no_expert(&x, label.as_deref(), &open, at),
        }
    }

    fn no_expert(&mut self, x: &Tensor, label: Option<&str>, open: &[&'p Arm], at: Span) -> Eval<Object<'p>> {
        let label = label.unwrap_or("none");
        let known: Vec<&str> = open.iter().map(|arm| arm.label.text.as_str()).collect();
        let error = Diagnostic::error(Code::E0402, at, format!("no expert for modality `{label}`"))
            .note(format!("the argument is {}", x.ty))
            .note(format!("there are experts for: {}", known.join(", ")))
            .note(format!(
                "add an arm `{label}: …`; or pass a sequence made by join(…), which splits into its parts"
            ));
        self.report(error)
    }

    #[allow(clippy::too_many_arguments)]
    fn split_route(
        &mut self,
        value: &'p Name,
        x: &Tensor,
        axis: usize,
        segments: &[Segment],
        open: &[&'p Arm],
        at: Span,
        env: &Env<'p>,
    ) -> Eval<Object<'p>> {
        let mut start = Size::from(0i64);
        let mut results = Vec::new();
        for segment in segments {
            let Some(arm) = open.iter().find(|arm| arm.label.text == *segment.label) else {
                return self.no_expert(x, Some(&segment.label), open, at);
            };
            let piece = self.stretch(x, axis, segment, start.clone(), None)?;
            start = start + segment.size.clone();
            let locals = super::scope::Locals::default();
            locals.world.set(self.world);
            locals.set(&value.text, Object::Tensor(piece));
            let inner = env.with(super::scope::Layer::Locals(locals));
            let result = self.eval(&arm.value, &inner, None)?;
            results.push(self.tensor(result, arm.value.span)?);
        }
        let mut ty = (*results[0].ty).clone();
        ty.axes[axis] = x.ty.axes[axis].clone();
        ty.segments.clone_from(&x.ty.segments);
        ty.label = None;
        for result in &results[1..] {
            ty.ahead.extend(result.ty.ahead.iter().copied());
        }
        let nodes: Vec<_> = results.iter().map(|r| r.node).collect();
        self.emit(Concat { axis }, &nodes, ty).map(Object::Tensor)
    }
}
