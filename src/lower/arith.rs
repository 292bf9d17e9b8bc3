//! Operators on numbers and tensors: broadcasting, padding, modality (3.3, 3.4, 3.6).

use super::object::{Mask, Object, Tensor};
use super::state::{Eval, Lower};
use super::types::{Axis, Elements, Padding, Range, Type};
use crate::op::{Add, And, Compare, Divide, Multiply, Negate, Not, Op, Or, Relation, Subtract};
use crate::shape::Size;
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::Diagnostic;
use chiasm_dsl::print::sign;
use chiasm_dsl::span::Span;
use chiasm_dsl::tree::BinaryOp;
use std::rc::Rc;

/// The largest whole number that is told from its neighbours everywhere.
const LARGEST: u64 = 1 << 53;

fn relation(op: BinaryOp) -> Option<Relation> {
    Some(match op {
        BinaryOp::Equal => Relation::Equal,
        BinaryOp::NotEqual => Relation::NotEqual,
        BinaryOp::Less => Relation::Less,
        BinaryOp::LessEqual => Relation::LessEqual,
        BinaryOp::Greater => Relation::Greater,
        BinaryOp::GreaterEqual => Relation::GreaterEqual,
        _ => return None,
    })
}

impl<'p> Lower<'p> {
    /// `a op b` for everything but `@`, `and`, `or`.
    pub fn arithmetic(&mut self, op: BinaryOp, at: Span, a: Object<'p>, b: Object<'p>) -> Eval<Object<'p>> {
        if let (Some(x), Some(y)) = (plain(&a), plain(&b)) {
            return self.static_arithmetic(op, at, x, y);
        }
        if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual)
            && let (Object::Text(x), Object::Text(y)) = (&a, &b)
        {
            return Ok(Object::Truth((x == y) == (op == BinaryOp::Equal)));
        }
        let vocabulary = |o: &Object<'p>| matches!(o, Object::Vocabulary(_));
        if vocabulary(&a) || vocabulary(&b) {
            let (x, y) = (self.widen(a, at)?, self.widen(b, at)?);
            return self.arithmetic(op, at, x, y);
        }
        self.tensor_arithmetic(op, at, a, b).map(Object::Tensor)
    }

    fn widen(&mut self, object: Object<'p>, at: Span) -> Eval<Object<'p>> {
        if let Object::Vocabulary(_) = object {
            self.size(&object, at).map(Object::Whole)
        } else {
            Ok(object)
        }
    }

    fn static_arithmetic(&mut self, op: BinaryOp, at: Span, a: Plain, b: Plain) -> Eval<Object<'p>> {
        if let Some(relation) = relation(op) {
            return self.static_compare(relation, at, &a, &b);
        }
        if let (Plain::Whole(x), Plain::Whole(y)) = (&a, &b)
            && let Some(size) = self.whole_arithmetic(op, at, x, y)?
        {
            return Ok(Object::Whole(size));
        }
        let (Some(x), Some(y)) = (a.number(), b.number()) else {
            return self.fail(Code::E0316, at, format!("`{}` of batch sizes is not a size", sign(op)));
        };
        let divides = matches!(op, BinaryOp::Divide | BinaryOp::Remainder);
        if divides && y == 0.0 {
            return self.fail(Code::E0316, at, "division by zero");
        }
        let value = match op {
            BinaryOp::Add => x + y,
            BinaryOp::Subtract => x - y,
            BinaryOp::Multiply => x * y,
            BinaryOp::Divide => x / y,
            BinaryOp::Remainder => x.rem_euclid(y),
            _ => x.powf(y),
        };
        let whole =
            matches!((&a, &b, op), (Plain::Whole(_), Plain::Whole(_), BinaryOp::Power | BinaryOp::Remainder));
        let exact = whole && value.fract() == 0.0 && value.abs() < 9e15;
        Ok(if exact { Object::whole(value as i64) } else { Object::Real(value) })
    }

    fn whole_arithmetic(&mut self, op: BinaryOp, at: Span, x: &Size, y: &Size) -> Eval<Option<Size>> {
        let result = self.exact_arithmetic(op, at, x, y)?;
        match result {
            Some(size) if size.largest() > LARGEST => {
                self.fail(Code::E0316, at, format!("a whole number is at most 2^53, this is about {size}"))
            }
            result => Ok(result),
        }
    }

    fn exact_arithmetic(&mut self, op: BinaryOp, at: Span, x: &Size, y: &Size) -> Eval<Option<Size>> {
        Ok(match op {
            BinaryOp::Add => Some(x.clone() + y.clone()),
            BinaryOp::Subtract => Some(x.clone() - y.clone()),
            BinaryOp::Multiply => match x.times(y) {
                Some(size) => Some(size),
                None => return self.fail(Code::E0316, at, "the product of two batch sizes is not a size"),
            },
            BinaryOp::Divide => y.number().filter(|k| *k != 0).and_then(|k| x.divided(k)),
            _ => None,
        })
    }

    fn static_compare(&mut self, relation: Relation, at: Span, a: &Plain, b: &Plain) -> Eval<Object<'p>> {
        if let (Plain::Whole(x), Plain::Whole(y)) = (a, b) {
            match relation {
                Relation::Equal => return Ok(Object::Truth(x == y)),
                Relation::NotEqual => return Ok(Object::Truth(x != y)),
                _ => {}
            }
        }
        let (Some(x), Some(y)) = (a.number(), b.number()) else {
            return self.fail(Code::E0316, at, "batch sizes cannot be compared before a run");
        };
        Ok(Object::Truth(match relation {
            Relation::Equal => x == y,
            Relation::NotEqual => x != y,
            Relation::Less => x < y,
            Relation::LessEqual => x <= y,
            Relation::Greater => x > y,
            Relation::GreaterEqual => x >= y,
        }))
    }

    fn tensor_arithmetic(&mut self, op: BinaryOp, at: Span, a: Object<'p>, b: Object<'p>) -> Eval<Tensor> {
        let Some((x, y)) = self.same_elements(op, at, a, b)? else {
            return self.fail(Code::E0313, at, format!("`{}` needs plain numbers", sign(op)));
        };
        let mut ty = self.broadcast(sign(op), at, &x, &y)?;
        let node: Op = match op {
            BinaryOp::Add => Add.into(),
            BinaryOp::Subtract if self.is_zero(&x) && y.ty.elements == Elements::Float => {
                return self.same_type(Negate, &y);
            }
            BinaryOp::Subtract => Subtract.into(),
            BinaryOp::Multiply => Multiply.into(),
            BinaryOp::Divide => Divide.into(),
            _ => match relation(op) {
                Some(relation) => {
                    ty.elements = Elements::Condition;
                    ty.label = None;
                    Compare { relation }.into()
                }
                None => {
                    let message = format!("`{}` needs plain numbers, not tensors", sign(op));
                    return self.fail(Code::E0313, at, message);
                }
            },
        };
        if let (Elements::Ids(_), false) = (&ty.elements, ty.elements == Elements::Condition) {
            ty.elements = Elements::Ids(Range::Any);
        }
        self.emit(node, &[x.node, y.node], ty)
    }

    fn is_zero(&self, x: &Tensor) -> bool {
        matches!(&self.graph.node(x.node).op, Op::Fill(fill) if fill.value == 0.0 && x.ty.rank() == 0)
    }

    /// Both as tensors of one kind: ids stay ids beside whole numbers, conditions count as 0 and 1.
    fn same_elements(
        &mut self,
        op: BinaryOp,
        at: Span,
        a: Object<'p>,
        b: Object<'p>,
    ) -> Eval<Option<(Tensor, Tensor)>> {
        let ids =
            |o: &Object<'p>| matches!(o, Object::Tensor(t) if matches!(t.ty.elements, Elements::Ids(_)));
        let whole = |o: &Object<'p>| matches!(o, Object::Whole(s) if s.number().is_some());
        let keep = op != BinaryOp::Divide && (ids(&a) || whole(&a)) && (ids(&b) || whole(&b));
        if keep {
            return Ok(Some((self.ids(a, at)?, self.ids(b, at)?)));
        }
        let (x, y) = (self.tensor(a, at)?, self.tensor(b, at)?);
        let both = x.ty.elements == Elements::Condition && y.ty.elements == Elements::Condition;
        if both && relation(op).is_some() {
            return Ok(Some((x, y)));
        }
        Ok(Some((self.floats(&x)?, self.floats(&y)?)))
    }

    /// A whole number as ids, or ids as they are.
    pub fn ids(&mut self, object: Object<'p>, at: Span) -> Eval<Tensor> {
        match object {
            Object::Whole(size) => {
                let value = size.number().unwrap_or(0);
                let range =
                    if value < 0 { Range::Any } else { Range::Below(Size::from(value.saturating_add(1))) };
                self.fill(value as f64, Elements::Ids(range))
            }
            other => self.tensor(other, at),
        }
    }

    /// The type of a pointwise result; the shorter shape equals the end of the longer.
    pub fn broadcast(&mut self, what: &str, at: Span, x: &Tensor, y: &Tensor) -> Eval<Type> {
        let (long, short) = if x.ty.rank() >= y.ty.rank() { (x, y) } else { (y, x) };
        let offset = long.ty.rank() - short.ty.rank();
        let mut ty = (*long.ty).clone();
        for (i, axis) in short.ty.axes.iter().enumerate() {
            let here = ty.axes[offset + i].clone();
            if here.size != axis.size {
                return self.shapes_differ(what, at, x, y, (short.ty.rank() - i, &here, axis));
            }
            ty.axes[offset + i] = self.meet(at, &here, axis, offset)?;
        }
        if ty.segments.is_none() && offset == 0 {
            ty.segments = short.ty.segments.clone();
        }
        let segmented = ty.segments.is_some();
        ty.absorb(&short.ty);
        if segmented {
            ty.label = None;
        }
        Ok(ty)
    }

    fn shapes_differ(
        &mut self,
        what: &str,
        at: Span,
        x: &Tensor,
        y: &Tensor,
        (from_right, a, b): (usize, &Axis, &Axis),
    ) -> Eval<Type> {
        let message = format!("shapes do not fit: {} {what} {}", x.ty, y.ty);
        let note = format!("counting from the right, in place {from_right} {} meets {}", a.size, b.size);
        self.report(Diagnostic::error(Code::E0301, at, message).note(note))
    }

    /// Two axes that lie on each other.
    pub fn meet(&mut self, at: Span, a: &Axis, b: &Axis, offset: usize) -> Eval<Axis> {
        let padding = match (&a.padding, &b.padding) {
            (Some(p), Some(q)) if p.owner != q.owner && offset == 0 => {
                return self.padded_differently(at, p, q);
            }
            (Some(p), Some(q)) if p.mask != q.mask && offset == 0 => {
                let ty = self.mask_type(p);
                let mask = self.emit(And, &[p.mask, q.mask], ty)?;
                Some(Padding { mask: mask.node, ..p.clone() })
            }
            (Some(p), _) => Some(p.clone()),
            (None, Some(q)) if offset == 0 => Some(q.clone()),
            _ => None,
        };
        Ok(Axis { size: a.size.clone(), padding })
    }

    /// Refuses two sequences with different owners of padding.
    pub fn padded_differently<T>(&mut self, at: Span, p: &Padding, q: &Padding) -> Eval<T> {
        let note = format!(
            "one has the lengths of {}, the other those of {}",
            self.owner_name(p),
            self.owner_name(q)
        );
        let error = Diagnostic::error(Code::E0308, at, "these two sequences are padded differently");
        self.report(error.note(note))
    }

    /// The type of a padding condition.
    pub fn mask_type(&self, padding: &Padding) -> Type {
        Type::plain(self.graph.shape(padding.mask).sizes.clone(), Elements::Condition)
    }

    /// `and`, `or` of truths, masks and conditions.
    pub fn logic(&mut self, op: BinaryOp, at: Span, a: Object<'p>, b: Object<'p>) -> Eval<Object<'p>> {
        let and = op == BinaryOp::And;
        match (a, b) {
            (Object::Mask(a), Object::Mask(b)) => {
                Ok(Object::Mask(Rc::new(if and { Mask::Both(a, b) } else { Mask::Either(a, b) })))
            }
            (Object::Mask(_), other) | (other, Object::Mask(_)) if !matches!(other, Object::Truth(_)) => {
                let message = format!("a mask is needed here, this is {}", other.describe());
                self.fail(Code::E0411, at, message)
            }
            (Object::Truth(false), _) | (_, Object::Truth(false)) if and => Ok(Object::Truth(false)),
            (Object::Truth(true), _) | (_, Object::Truth(true)) if !and => Ok(Object::Truth(true)),
            (Object::Truth(_), other) | (other, Object::Truth(_)) => Ok(other),
            (a, b) => {
                let (x, y) = (self.tensor(a, at)?, self.tensor(b, at)?);
                for t in [&x, &y] {
                    if t.ty.elements != Elements::Condition {
                        return self.fail(
                            Code::E0314,
                            at,
                            format!("`{}` needs conditions, this is {}", sign(op), t.ty),
                        );
                    }
                }
                let ty = Type { label: None, ..self.broadcast(sign(op), at, &x, &y)? };
                let node: Op = if and { And.into() } else { Or.into() };
                self.emit(node, &[x.node, y.node], ty).map(Object::Tensor)
            }
        }
    }

    /// `not c`
    pub fn negation(&mut self, x: &Tensor, at: Span) -> Eval<Tensor> {
        if x.ty.elements != Elements::Condition {
            return self.fail(Code::E0314, at, format!("`not` needs a condition, this is {}", x.ty));
        }
        self.same_type(Not, x)
    }
}

/// A number that is known, or a size.
enum Plain {
    Whole(Size),
    Real(f64),
}

impl Plain {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(size) => size.number().map(|n| n as f64),
            Self::Real(x) => Some(*x),
        }
    }
}

fn plain(object: &Object<'_>) -> Option<Plain> {
    match object {
        Object::Whole(size) => Some(Plain::Whole(size.clone())),
        Object::Real(x) => Some(Plain::Real(*x)),
        Object::Truth(t) => Some(Plain::Whole(Size::from(i64::from(*t)))),
        _ => None,
    }
}
