//! Losses: `cross_entropy` (padding is skipped, `only` says which positions count), `bce`, and `transport`.

use super::Lower;
use crate::lower::object::{Given, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Elements, Padding, Range, Type};
use crate::op::{And, BinaryCrossEntropy, CrossEntropy, Transport};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;

impl<'p> Lower<'p> {
    /// `cross_entropy(logits, target, only:, smooth:, per: rows)`
    pub fn cross_entropy(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let names = &["logits", "target", "only", "smooth", "per"];
        let mut args = self.args("cross_entropy", names, given, span)?;
        let (logits, at) = self.need_tensor(&mut args, "logits")?;
        let (target, target_at) = self.need_tensor(&mut args, "target")?;
        if logits.ty.rank() == 0 {
            return self.fail(Code::E0314, at, "logits need an axis of classes");
        }
        let target = if target.ty.elements == Elements::Condition { self.floats(&target)? } else { target };
        self.target_fits(&logits, &target, target_at)?;
        let positions = logits.ty.rank() - 1;
        let mut mask = self.lie_over(&logits.ty, &target.ty, positions, span)?;
        let only = self.optional_tensor(&mut args, "only")?;
        if let Some((only, only_at)) = &only {
            let found = only.ty.sizes();
            if found[..] != logits.ty.sizes()[..positions] || only.ty.elements != Elements::Condition {
                let message =
                    format!("`only` is a condition like the targets of {}, this is {}", logits.ty, only.ty);
                return self.fail(Code::E0314, *only_at, message);
            }
            let both = self.lie_over(&logits.ty, &only.ty, positions, span)?;
            mask = mask.or(both);
        }
        let smooth = self.optional_number(&mut args, "smooth", 0.0)?;
        let per_row = args.optional("per").is_some();
        let counted = self.counting(&logits.ty, mask, only.map(|(t, _)| t), positions)?;
        let mut ty = Type::float(if per_row { vec![logits.ty.axes[0].size.clone()] } else { Vec::new() });
        ty.ahead.extend(logits.ty.ahead.iter().copied());
        let mut operands = vec![logits.node, target.node];
        operands.extend(counted.as_ref().map(|t| t.node));
        self.emit(CrossEntropy { smooth, per_row, only: counted.is_some() }, &operands, ty)
    }

    fn target_fits(&mut self, logits: &Tensor, target: &Tensor, at: Span) -> Eval<()> {
        let sizes = logits.ty.sizes();
        let classes = sizes[sizes.len() - 1].clone();
        let (wanted, range) = match &target.ty.elements {
            Elements::Ids(range) => (&sizes[..sizes.len() - 1], Some(range.clone())),
            _ => (&sizes[..], None),
        };
        if target.ty.sizes()[..] != *wanted {
            let message = format!("`cross_entropy` of {} cannot have {} as its target", logits.ty, target.ty);
            return self.fail(Code::E0303, at, message);
        }
        let limit = match range {
            None => return Ok(()),
            Some(Range::Below(size)) => Some(size),
            Some(Range::Of(vocabulary)) => Some(Size::from(crate::lower::vocabulary::size(&vocabulary))),
            Some(Range::Any) => None,
        };
        if limit.as_ref().is_some_and(|limit| limit.at_most(&classes)) {
            return Ok(());
        }
        let message = format!("the targets {} do not fit {classes} classes", target.ty);
        self.report(Diagnostic::error(Code::E0311, at, message).note(format!("the logits are {}", logits.ty)))
    }

    /// The padding of positions, where the two lie on each other.
    fn lie_over(&mut self, a: &Type, b: &Type, positions: usize, at: Span) -> Eval<Option<(usize, Padding)>> {
        let mut found = None;
        for i in 0..positions {
            let axis = self.meet(at, &a.axes[i].clone(), &b.axes[i].clone(), 0)?;
            found = axis.padding.map(|p| (i, p)).or(found);
        }
        Ok(found)
    }

    fn counting(
        &mut self,
        logits: &Type,
        mask: Option<(usize, Padding)>,
        only: Option<Tensor>,
        positions: usize,
    ) -> Eval<Option<Tensor>> {
        let Some((axis, padding)) = mask else { return Ok(only) };
        let ty = Type::plain(logits.sizes()[..positions].to_vec(), Elements::Condition);
        let mut valid = self.spread_mask(&padding, &ty, axis)?;
        if axis + 1 < positions {
            let op = crate::op::Broadcast { sizes: ty.sizes(), axes: (0..=axis).collect() };
            valid = self.emit(op, &[valid.node], ty.clone())?;
        }
        match only {
            None => Ok(Some(valid)),
            Some(only) => self.emit(And, &[valid.node, only.node], ty).map(Some),
        }
    }
    /// `bce(logits, target)`: the mean over all valid entries.
    pub fn bce(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("bce", &["logits", "target"], given, span)?;
        let (logits, _) = self.need_tensor(&mut args, "logits")?;
        let (target, at) = self.need_tensor(&mut args, "target")?;
        if logits.ty.sizes() != target.ty.sizes() {
            let message = format!("`bce` of {} cannot have {} as its target", logits.ty, target.ty);
            return self.fail(Code::E0303, at, message);
        }
        let (logits, target) = (self.floats(&logits)?, self.floats(&target)?);
        let mut ty = self.broadcast("bce", span, &logits, &target)?;
        ty.label = None;
        ty.segments = None;
        let each = self.emit(BinaryCrossEntropy, &[logits.node, target.node], ty)?;
        self.mean(&each)
    }

    /// `transport(cost, rounds:, beta:)`
    pub fn transport(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("transport", &["cost", "rounds", "beta"], given, span)?;
        let (cost, at) = self.need_tensor(&mut args, "cost")?;
        if cost.ty.rank() != 3 {
            return self.fail(
                Code::E0314,
                at,
                format!("`transport` takes a cost [B, N, M], this is {}", cost.ty),
            );
        }
        let (rounds, beta) = (self.need(&mut args, "rounds")?, self.need(&mut args, "beta")?);
        let (count, step) = (self.count(&rounds.value, rounds.span)?, self.number(&beta.value, beta.span)?);
        if count == 0 || count > 1000 || step <= 0.0 {
            let message = "`transport` needs between 1 and 1000 rounds and a beta above 0";
            return self.fail(Code::E0314, span, message);
        }
        let cost = self.floats(&cost)?;
        let valid = [1, 2].map(|axis| cost.ty.axes[axis].padding.as_ref().map(|p| p.mask));
        let operands: Vec<_> = std::iter::once(cost.node).chain(valid.into_iter().flatten()).collect();
        let op =
            Transport { rounds: count, beta: step, first: valid[0].is_some(), second: valid[1].is_some() };
        self.emit(op, &operands, (*cost.ty).clone())
    }
}
