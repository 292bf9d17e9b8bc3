//! Relations between queries and keys: `causal`, `sees(a, b)`, `prefix(n)` and their logic (4.11).
//!
//! A relation stays a relation until an attention asks for it: then it becomes a condition [N, M], or [B, N, M] if a prefix
//! differs from row to row.

use super::Lower;
use crate::lower::object::{Given, Mask, Object, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Elements, Label, Padding, Range, Type};
use crate::op::{And, Before, Broadcast, Compare, Concat, Fill, Not, Or, Relation, Value};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::{Arg, ExprKind, Name};
use std::collections::BTreeSet;
use std::rc::Rc;

/// A stretch of queries or keys: its modality, how long it is, whose lengths it has.
type Stretch = (Option<Label>, Size, Vec<Value>);

impl<'p> Lower<'p> {
    /// `sees(a, b)`: the arguments are modalities, not values.
    pub fn sees(&mut self, args: &'p [Arg], span: Span) -> Eval<Object<'p>> {
        let mut labels: Vec<Label> = Vec::new();
        for arg in args {
            let ExprKind::Name(text) = &arg.value.kind else {
                return self.fail(
                    Code::E0314,
                    arg.value.span,
                    "`sees` takes two modalities, as in `sees(text, image)`",
                );
            };
            self.known_modality(&Name { text: text.clone(), span: arg.value.span })?;
            labels.push(text.as_str().into());
        }
        match <[Label; 2]>::try_from(labels) {
            Ok([a, b]) => Ok(Object::Mask(Rc::new(Mask::Sees(a, b)))),
            Err(_) => self.fail(Code::E0211, span, "`sees` needs two modalities, as in `sees(text, image)`"),
        }
    }

    /// `prefix(n)`: the first n keys of each row.
    pub fn prefix(&mut self, given: Vec<Given<'p>>, span: Span) -> Eval<Object<'p>> {
        let mut args = self.args("prefix", &["n"], given, span)?;
        let (n, at) = self.need_tensor(&mut args, "n")?;
        if n.ty.rank() != 1 || !matches!(n.ty.elements, Elements::Ids(_)) {
            let message = format!("`prefix` takes one whole number a row, this is {}", n.ty);
            return self.fail(Code::E0314, at, message);
        }
        Ok(Object::Mask(Rc::new(Mask::Prefix(n))))
    }

    /// A mask that can be used between these queries and keys.
    pub fn mask_fits(&mut self, given: Given<'p>, q: &Tensor, k: &Tensor) -> Eval<Rc<Mask>> {
        let mask = match given.value {
            Object::Mask(mask) => mask,
            other => {
                let message = format!("a mask is needed here, this is {}", other.describe());
                return self.fail(Code::E0411, given.span, message);
            }
        };
        let (n, m) = (q.ty.axes[2].size.clone(), k.ty.axes[2].size.clone());
        if is_causal(&mask) && n != m {
            let error =
                Diagnostic::error(Code::E0405, given.span, "a causal mask needs as many queries as keys");
            return self.report(error.note(format!("there are {n} queries and {m} keys")));
        }
        for (seen, label) in spoken(&mask) {
            let here = stretches(if seen { k } else { q });
            if !here.iter().any(|(found, _, _)| found.as_ref() == Some(&label)) {
                let over: Vec<&str> = here.iter().filter_map(|(label, _, _)| label.as_deref()).collect();
                let over =
                    if over.is_empty() { "tokens without modality".into() } else { over.join(" and ") };
                let what = if seen { "keys" } else { "queries" };
                let message = format!("the mask speaks of {label} tokens, but this attention is over {over}");
                let error = Diagnostic::error(Code::E0403, given.span, message);
                return self
                    .report(error.note(format!("its {what} are {}", if seen { &k.ty } else { &q.ty })));
            }
        }
        Ok(mask)
    }

    /// The condition [N, M] or [B, N, M] of a mask.
    pub fn relation(&mut self, mask: &Mask, q: &Tensor, k: &Tensor) -> Eval<Tensor> {
        let sizes = vec![q.ty.axes[2].size.clone(), k.ty.axes[2].size.clone()];
        let pairs = Type::plain(sizes.clone(), Elements::Condition);
        match mask {
            Mask::Causal => {
                let place = |s: &mut Self, n: &Size, axis: usize| -> Eval<Value> {
                    let ids = Elements::Ids(Range::Below(n.clone()));
                    let line = s.emit(
                        crate::op::Range { n: n.clone() },
                        &[],
                        Type::plain([n.clone()], ids.clone()),
                    )?;
                    let spread = Broadcast { sizes: sizes.clone().into(), axes: vec![axis] };
                    Ok(s.emit(spread, &[line.node], Type::plain(sizes.clone(), ids))?.node)
                };
                let (query, key) = (place(self, &sizes[0], 0)?, place(self, &sizes[1], 1)?);
                self.emit(Compare { relation: Relation::LessEqual }, &[key, query], pairs)
            }
            Mask::Sees(a, b) => {
                let rows = self.of_label(q, a, (0, &sizes))?;
                let columns = self.of_label(k, b, (1, &sizes))?;
                self.emit(And, &[rows, columns], pairs)
            }
            Mask::Prefix(n) => {
                let (rows, keys) = (n.ty.axes[0].size.clone(), sizes[1].clone());
                let open = Type::plain([rows.clone(), keys.clone()], Elements::Condition);
                let open = self.emit(Before { n: keys }, &[n.node], open)?;
                let all = vec![rows, sizes[0].clone(), sizes[1].clone()];
                let spread = Broadcast { sizes: all.clone().into(), axes: vec![0, 2] };
                self.emit(spread, &[open.node], Type::plain(all, Elements::Condition))
            }
            Mask::Not(inner) => {
                let inner = self.relation(inner, q, k)?;
                self.same_type(Not, &inner)
            }
            Mask::Both(a, b) | Mask::Either(a, b) => {
                let (a, b) = (self.relation(a, q, k)?, self.relation(b, q, k)?);
                let ty = if a.ty.rank() > b.ty.rank() { (*a.ty).clone() } else { (*b.ty).clone() };
                match mask {
                    Mask::Both(..) => self.emit(And, &[a.node, b.node], ty),
                    _ => self.emit(Or, &[a.node, b.node], ty),
                }
            }
        }
    }

    /// Where tokens are of a modality, along one axis of [N, M].
    fn of_label(&mut self, x: &Tensor, label: &Label, (axis, sizes): (usize, &[Size])) -> Eval<Value> {
        let mut parts = Vec::new();
        for (found, size, _) in stretches(x) {
            let value = f64::from(u8::from(found.as_ref() == Some(label)));
            let ty = Type::plain([size], Elements::Condition);
            parts.push(self.emit(Fill { shape: ty.shape(), value }, &[], ty)?.node);
        }
        let line = Type::plain([sizes[axis].clone()], Elements::Condition);
        let line =
            if let [one] = parts[..] { one } else { self.emit(Concat { axis: 0 }, &parts, line)?.node };
        let spread = Broadcast { sizes: sizes.into(), axes: vec![axis] };
        Ok(self.emit(spread, &[line], Type::plain(sizes.to_vec(), Elements::Condition))?.node)
    }
}

/// The stretches of tokens of queries or keys [B, H, N, K].
fn stretches(x: &Tensor) -> Vec<Stretch> {
    let owners = |padding: &Option<Padding>| padding.as_ref().map(Padding::owners).unwrap_or_default();
    match &x.ty.segments {
        Some((2, segments)) => {
            segments.iter().map(|s| (Some(s.label.clone()), s.size.clone(), owners(&s.padding))).collect()
        }
        _ => {
            let axis = &x.ty.axes[2];
            vec![(x.ty.label.clone(), axis.size.clone(), owners(&axis.padding))]
        }
    }
}

/// Owners of keys over whose places an attention may look ahead: those of a stretch of keys some stretch of queries sees
/// later places of. The axis as a whole counts with its stretches.
pub fn looked_over(mask: Option<&Mask>, q: &Tensor, k: &Tensor) -> BTreeSet<Value> {
    let queries = stretches(q);
    let mut found = BTreeSet::new();
    for (label, _, owners) in stretches(k) {
        let sees = |query: &Stretch| mask.is_none_or(|mask| later(mask, query.0.as_ref(), label.as_ref()).0);
        if queries.iter().any(sees) {
            found.extend(owners);
            found.extend(k.ty.axes[2].padding.as_ref().map(|padding| padding.owner));
        }
    }
    found
}

/// Whether a relation may hold, and may fail, for a key later than the query.
fn later(mask: &Mask, query: Option<&Label>, key: Option<&Label>) -> (bool, bool) {
    match mask {
        Mask::Causal => (false, true),
        Mask::Prefix(_) => (true, true),
        Mask::Sees(a, b) => {
            let holds = query == Some(a) && key == Some(b);
            (holds, !holds)
        }
        Mask::Not(inner) => {
            let (may, may_not) = later(inner, query, key);
            (may_not, may)
        }
        Mask::Both(a, b) => {
            let (a, b) = (later(a, query, key), later(b, query, key));
            (a.0 && b.0, a.1 || b.1)
        }
        Mask::Either(a, b) => {
            let (a, b) = (later(a, query, key), later(b, query, key));
            (a.0 || b.0, a.1 && b.1)
        }
    }
}

fn is_causal(mask: &Mask) -> bool {
    match mask {
        Mask::Causal => true,
        Mask::Sees(..) | Mask::Prefix(_) => false,
        Mask::Not(inner) => is_causal(inner),
        Mask::Both(a, b) | Mask::Either(a, b) => is_causal(a) || is_causal(b),
    }
}

/// The modalities that a mask speaks of, and whether of keys.
fn spoken(mask: &Mask) -> Vec<(bool, Label)> {
    match mask {
        Mask::Causal | Mask::Prefix(_) => Vec::new(),
        Mask::Sees(a, b) => vec![(false, a.clone()), (true, b.clone())],
        Mask::Not(inner) => spoken(inner),
        Mask::Both(a, b) | Mask::Either(a, b) => spoken(a).into_iter().chain(spoken(b)).collect(),
    }
}
