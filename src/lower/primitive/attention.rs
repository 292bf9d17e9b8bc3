//! `attend`: operands, type, and over whose places it looks ahead (3.7).

use super::Lower;
use super::mask::looked_over;
use crate::lower::object::{Given, Mask, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Axis, Type};
use crate::op::{Attend, Drop};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

impl<'p> Lower<'p> {
    /// `attend(q, k, v, mask:, bias:, drop:)`
    pub fn attend(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args("attend", &["q", "k", "v", "mask", "bias", "drop"], given, span)?;
        let (q, q_at) = self.need_tensor(&mut args, "q")?;
        let (k, k_at) = self.need_tensor(&mut args, "k")?;
        let (v, v_at) = self.need_tensor(&mut args, "v")?;
        self.heads_fit(&q, &k, (&v, v_at), (q_at, k_at))?;
        let mask = match args.optional("mask") {
            None => None,
            Some(given) => Some(self.mask_fits(given, &q, &k)?),
        };
        let causal = matches!(mask.as_deref(), Some(Mask::Causal));
        let relation = match mask.as_deref() {
            None | Some(Mask::Causal) => None,
            Some(mask) => Some(self.relation(mask, &q, &k)?.node),
        };
        let bias = self.optional_tensor(&mut args, "bias")?;
        let share = self.optional_number(&mut args, "drop", 0.0)?;
        let padding = k.ty.axes[2].padding.clone();
        let mut operands = vec![q.node, k.node, v.node];
        operands.extend(padding.as_ref().map(|p| p.mask));
        operands.extend(bias.as_ref().map(|(b, _)| b.node));
        operands.extend(relation);
        let drop = self.drop_weights(share, &operands, span);
        let (relation, bias) = (relation.is_some(), bias.is_some());
        let op = Attend { heads: None, causal, mask: padding.is_some(), bias, relation, drop };
        let mut ty = attended(&q, &k, &v);
        ty.ahead.extend(looked_over(mask.as_deref(), &q, &k));
        self.emit(op, &operands, ty)
    }

    fn drop_weights(&mut self, share: f64, operands: &[crate::op::Value], span: Span) -> Option<Drop> {
        (self.training && share > 0.0).then(|| Drop { share, draw: self.draw(operands, true, span) })
    }

    fn heads_fit(
        &mut self,
        q: &Tensor,
        k: &Tensor,
        (v, v_at): (&Tensor, Span),
        at: (Span, Span),
    ) -> Eval<()> {
        let size = |t: &Tensor, i: usize| t.ty.axes[i].size.clone();
        for (tensor, at) in [(q, at.0), (k, at.1), (v, v_at)] {
            if tensor.ty.rank() != 4 {
                let message = format!("`attend` takes [B, H, N, K], this is {}", tensor.ty);
                return self.fail(Code::E0314, at, message);
            }
        }
        let fit = size(q, 0) == size(k, 0) && size(q, 1) == size(k, 1) && size(q, 3) == size(k, 3);
        if !fit {
            return self.fail(Code::E0314, at.1, format!("queries {} and keys {} do not fit", q.ty, k.ty));
        }
        if (0..3).any(|i| size(k, i) != size(v, i)) {
            return self.fail(Code::E0314, v_at, format!("keys {} and values {} do not fit", k.ty, v.ty));
        }
        Ok(())
    }
}

fn attended(q: &Tensor, k: &Tensor, v: &Tensor) -> Type {
    let mut ty = (*q.ty).clone();
    ty.axes[3] = Axis::full(v.ty.axes[3].size.clone());
    let joined = ty.segments.is_some();
    ty.absorb(&k.ty);
    ty.absorb(&v.ty);
    if joined {
        ty.label = None;
    }
    ty
}
