//! What pointwise ops share: the broadcasting rule and its gradient.
//!
//! The shorter shape equals the END of the longer, both ways; scalars fit anywhere.

use super::{Array, Build, Misfit, Op, SumLeading, Value};
use crate::shape::{Kind, Shape, Sizes};

/// C1: the shorter shape equals the end of the longer.
pub fn joined(a: &Shape, b: &Shape) -> Result<Sizes, Misfit> {
    let (long, short) = if a.rank() >= b.rank() { (a, b) } else { (b, a) };
    if long.sizes[long.rank() - short.rank()..] == short.sizes[..] {
        return Ok(long.sizes.clone());
    }
    Err(Misfit::new("C1", format!("the shorter shape must equal the end of the longer: {a} and {b}")))
}

/// C2: an operand of one kind.
pub fn of_kind(operand: &Shape, kind: Kind) -> Result<(), Misfit> {
    if operand.kind == kind {
        return Ok(());
    }
    Err(Misfit::new("C2", format!("expected {kind:?}, found {operand}")))
}

/// C3: so many operands.
pub fn count<'a, const N: usize>(operands: &[&'a Shape]) -> Result<[&'a Shape; N], Misfit> {
    operands
        .try_into()
        .map_err(|_| Misfit::new("C3", format!("expected {N} operands, found {}", operands.len())))
}

/// The shape of a float function of each element.
pub fn unary(operands: &[&Shape]) -> Result<Shape, Misfit> {
    let [x] = count(operands)?;
    of_kind(x, Kind::Float)?;
    Ok(x.clone())
}

/// The shape of arithmetic on two operands of one kind.
pub fn arithmetic(operands: &[&Shape]) -> Result<Shape, Misfit> {
    let [a, b] = count(operands)?;
    of_kind(b, a.kind)?;
    if a.kind == Kind::Condition {
        return Err(Misfit::new("C2", format!("expected numbers, found {a}")));
    }
    Ok(Shape { sizes: joined(a, b)?, kind: a.kind })
}

/// The shape of logic on two conditions.
pub fn logic(operands: &[&Shape]) -> Result<Shape, Misfit> {
    let [a, b] = count(operands)?;
    of_kind(a, Kind::Condition)?;
    of_kind(b, Kind::Condition)?;
    Ok(Shape { sizes: joined(a, b)?, kind: Kind::Condition })
}

/// A function of two arrays under the broadcasting rule.
pub fn zip(a: &Array, b: &Array, f: impl Fn(f64, f64) -> f64) -> Array {
    let long = if a.dims.len() >= b.dims.len() { a } else { b };
    let (n, m) = (a.data.len().max(1), b.data.len().max(1));
    let data = (0..long.data.len()).map(|i| f(a.data[i % n], b.data[i % m])).collect();
    Array { dims: long.dims.clone(), data }
}

/// The gradient of an operand that was broadcast: summed over the axes it lacks.
pub fn reduced(build: &mut dyn Build, dy: Value, operand: Value) -> Value {
    let axes = build.shape(dy).rank() - build.shape(operand).rank();
    if axes == 0 { dy } else { build.add(SumLeading { axes }.into(), &[dy]) }
}

/// Two nodes through an op.
pub fn both(build: &mut dyn Build, op: impl Into<Op>, a: Value, b: Value) -> Value {
    build.add(op.into(), &[a, b])
}
