//! Operations whose result steers: ids and conditions, by the definitions of their ops, on the host.
//!
//! The type of a result is written behind its name, `let used: Conditions<(usize, Const<24>)> = host::before(&lengths, 24)?`, and
//! every function returns an error if the operands do not fit the op or the result has another type.

use super::call::steered;
use super::steered::{Conditions, Ids, Look, Meaning, Steered};
use crate::embed::{EmbedError, Engine, Sizes};
use crate::op::{
    And, Argmax, Array, Before, Broadcast, Choose, Compare, Concat, Eye, Fill, Not, Offsets, Or, Pad,
    Permute, Range, Reshape, Slice, Take,
};
pub use crate::op::{Relation, Stretch};
use crate::shape::{Shape, Size};
use dfdx::shapes::HasShape;
use dfdx::tensor::{SplitTape, Tensor};

type Done<S, K> = Result<Steered<S, K>, EmbedError>;

/// Sizes of a type, as ops have them.
pub(super) fn sizes<S: Sizes>(shape: &S) -> Vec<Size> {
    let dims: Vec<usize> = shape.concrete().into();
    dims.into_iter().map(Size::from).collect()
}

/// Ids that the caller gives; larger ones than any table has rows are refused where they index one.
pub fn ids<S: Sizes, D: Engine>(ids: &Tensor<S, usize, D>) -> Ids<S> {
    let dims: Vec<usize> = ids.shape().concrete().into();
    let small = |id: usize| f64::from(i32::try_from(id).unwrap_or(i32::MAX));
    Steered::new(*ids.shape(), Array { dims, data: ids.as_vec().into_iter().map(small).collect() })
}

/// The same, and the tape that they bring.
pub fn taped_ids<S: Sizes, D: Engine, T>(given: Tensor<S, usize, D, T>) -> (Ids<S>, T) {
    let (given, tape) = given.split_tape();
    (ids(&given), tape)
}

/// Whether each of `n` places of a row is below its length.
///
/// # Errors
/// As the module says.
pub fn before<S: Sizes>(lengths: &impl Look, n: usize) -> Result<Conditions<S>, EmbedError> {
    steered(Before { n: n.into() }, vec![lengths.look()?])
}

/// `a` compared with `b`.
///
/// # Errors
/// As the module says.
pub fn compare<S: Sizes>(
    relation: Relation,
    a: &impl Look,
    b: &impl Look,
) -> Result<Conditions<S>, EmbedError> {
    steered(Compare { relation }, vec![a.look()?, b.look()?])
}

/// Both.
///
/// # Errors
/// As the module says.
pub fn and<S: Sizes>(a: &impl Look, b: &impl Look) -> Result<Conditions<S>, EmbedError> {
    steered(And, vec![a.look()?, b.look()?])
}

/// One of them or both.
///
/// # Errors
/// As the module says.
pub fn or<S: Sizes>(a: &impl Look, b: &impl Look) -> Result<Conditions<S>, EmbedError> {
    steered(Or, vec![a.look()?, b.look()?])
}

/// The opposite.
///
/// # Errors
/// As the module says.
pub fn not<S: Sizes>(a: &impl Look) -> Result<Conditions<S>, EmbedError> {
    steered(Not, vec![a.look()?])
}

/// `yes` where the condition holds, `no` elsewhere.
///
/// # Errors
/// As the module says.
pub fn choose<S: Sizes, K: Meaning>(test: &impl Look, yes: &impl Look, no: &impl Look) -> Done<S, K> {
    steered(Choose, vec![test.look()?, yes.look()?, no.look()?])
}

/// Rows of a table by number.
///
/// # Errors
/// As the module says.
pub fn take<S: Sizes, K: Meaning>(table: &impl Look, ids: &impl Look) -> Done<S, K> {
    steered(Take, vec![table.look()?, ids.look()?])
}

/// The place of the largest number of each row.
///
/// # Errors
/// As the module says.
pub fn argmax<S: Sizes>(x: &impl Look) -> Result<Ids<S>, EmbedError> {
    steered(Argmax, vec![x.look()?])
}

/// The same number everywhere.
///
/// # Errors
/// As the module says.
pub fn fill<S: Sizes, K: Meaning>(shape: S, value: f64) -> Done<S, K> {
    let shape = Shape::float(sizes(&shape)).with_kind(K::KIND);
    steered(Fill { shape, value }, Vec::new())
}

/// 0, 1, 2 and so on.
///
/// # Errors
/// As the module says.
pub fn range<S: Sizes>(n: usize) -> Result<Ids<S>, EmbedError> {
    steered(Range { n: n.into() }, Vec::new())
}

/// True on the diagonal.
///
/// # Errors
/// As the module says.
pub fn eye<S: Sizes>(n: usize) -> Result<Conditions<S>, EmbedError> {
    steered(Eye { n: n.into() }, Vec::new())
}

/// Which row of a table of relative positions belongs to each pair of places.
///
/// # Errors
/// As the module says.
pub fn offsets<S: Sizes>(stretches: &[Stretch], window: usize, reach: usize) -> Result<Ids<S>, EmbedError> {
    steered(Offsets { stretches: stretches.to_vec(), window, reach }, Vec::new())
}

/// The same elements in other axes.
///
/// # Errors
/// As the module says.
pub fn reshape<S: Sizes, K: Meaning>(x: &impl Look, shape: S) -> Done<S, K> {
    steered(Reshape { sizes: sizes(&shape).into() }, vec![x.look()?])
}

/// Repeated along new axes; axis i goes to `axes[i]`.
///
/// # Errors
/// As the module says.
pub fn broadcast<S: Sizes, K: Meaning>(x: &impl Look, axes: &[usize], shape: S) -> Done<S, K> {
    steered(Broadcast { sizes: sizes(&shape).into(), axes: axes.to_vec() }, vec![x.look()?])
}

/// Axes in another order.
///
/// # Errors
/// As the module says.
pub fn permute<S: Sizes, K: Meaning>(x: &impl Look, axes: &[usize]) -> Done<S, K> {
    steered(Permute { axes: axes.to_vec() }, vec![x.look()?])
}

/// Places of one axis.
///
/// # Errors
/// As the module says.
pub fn slice<S: Sizes, K: Meaning>(x: &impl Look, axis: usize, start: usize, end: usize) -> Done<S, K> {
    steered(Slice { axis, start: start.into(), end: end.into() }, vec![x.look()?])
}

/// Zeros before and after one axis.
///
/// # Errors
/// As the module says.
pub fn pad<S: Sizes, K: Meaning>(x: &impl Look, axis: usize, before: usize, after: usize) -> Done<S, K> {
    steered(Pad { axis, before: before.into(), after: after.into() }, vec![x.look()?])
}

/// Side by side along one axis.
///
/// # Errors
/// As the module says.
pub fn concat<S: Sizes, K: Meaning>(axis: usize, parts: &[&dyn Look]) -> Done<S, K> {
    steered(Concat { axis }, parts.iter().map(|part| part.look()).collect::<Result<_, _>>()?)
}
