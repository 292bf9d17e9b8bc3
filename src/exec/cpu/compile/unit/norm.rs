//! The two gradients of a layer norm, and the sum that the first one goes into, as one launch.

use super::{Cut, Form, NormGrad};
use crate::op::{Op, Value};

impl Cut<'_> {
    pub(super) fn try_norm(&mut self, value: Value) {
        if matches!(self.op(value), Op::LayerNormGrad(_)) && !self.is_taken(value) {
            self.norm_grad(value);
        }
    }

    /// Gradients of gain and shift whose partner is not wanted, or runs at another time.
    pub(super) fn try_norm_scale(&mut self, value: Value) {
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
}
