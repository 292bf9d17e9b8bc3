//! Operations whose result is real numbers, on the caller's tape.
//!
//! Operands are tensors given away with their tapes, tensors lent (`&x`, counted with an empty tape) and numbers. Where
//! the sizes of a result do not follow from the operands' types, its type is written behind its name: `let part:
//! Value<(usize, Const<1>, Const<8>), D, T> = op::slice(x, 1, 0, 1)?`. Every function returns an error if operands do not fit,
//! the result has another type, an id is outside of its table, or dfdx says so.

use super::call::{Item, Operand, real, reals};
use super::host::sizes;
use super::steered::{Conditions, Ids, Meaning, Steered};
use super::{Attend, Attends, Done, EndsIn, Joins, Product, Turns, Value};
use crate::embed::{EmbedError, Engine, Sizes, Tracing};
use crate::op::{self as graph, Window};

const fn matrices(transpose_left: bool, transpose_right: bool) -> graph::Matmul {
    graph::Matmul { transpose_left, transpose_right }
}

macro_rules! each {
    ($($(#[$doc:meta])* $name:ident = $op:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// As the module says.
        pub fn $name<S: Sizes, D: Engine, T: Tracing<D>>(
            x: impl Operand<D, T, Shape = S>,
        ) -> Done<S, D, T> {
            reals($op, vec![x.item()?])
        }
    )*};
}

each! {
    /// `-x`
    negate = graph::Negate;
    /// The exponential.
    exp = graph::Exp;
    /// The natural logarithm.
    log = graph::Log;
    /// The square root.
    sqrt = graph::Sqrt;
    /// The hyperbolic tangent.
    tanh = graph::Tanh;
    /// `1 / (1 + exp(-x))`
    sigmoid = graph::Sigmoid;
    /// What is above zero.
    relu = graph::Relu;
    /// `x` times the normal distribution up to `x`.
    gelu = graph::Gelu;
    /// Softmax of each row.
    softmax = graph::Softmax;
    /// Its logarithm.
    log_softmax = graph::LogSoftmax;
    /// Each row by its length.
    normalize = graph::Normalize;
    /// The same without gradient.
    stop = graph::Stop;
}

macro_rules! pairs {
    ($($(#[$doc:meta])* $name:ident = $op:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// The shorter operand is repeated before its axes.
        ///
        /// # Errors
        /// As the module says.
        pub fn $name<A: Joins<B>, B: Sizes, D: Engine, T: Tracing<D>>(
            a: impl Operand<D, T, Shape = A>,
            b: impl Operand<D, T, Shape = B>,
        ) -> Done<A::Output, D, T> {
            reals($op, vec![a.item()?, b.item()?])
        }
    )*};
}

pairs! {
    /// `a + b`
    add = graph::Add;
    /// `a - b`
    sub = graph::Subtract;
    /// `a * b`
    mul = graph::Multiply;
    /// `a / b`
    div = graph::Divide;
}

/// `a b`: the last axis of `a` with the last but one of `b`.
///
/// # Errors
/// As the module says.
pub fn matmul<A: Product<B>, B: Sizes, D: Engine, T: Tracing<D>>(
    a: impl Operand<D, T, Shape = A>,
    b: impl Operand<D, T, Shape = B>,
) -> Done<A::Output, D, T> {
    reals(matrices(false, false), vec![a.item()?, b.item()?])
}

/// `a b'`, with the last two axes of `b` exchanged.
///
/// # Errors
/// As the module says.
pub fn matmul_turned<A: Product<B::Output>, B: Turns, D: Engine, T: Tracing<D>>(
    a: impl Operand<D, T, Shape = A>,
    b: impl Operand<D, T, Shape = B>,
) -> Done<<A as Product<B::Output>>::Output, D, T> {
    reals(matrices(false, true), vec![a.item()?, b.item()?])
}

/// The last two axes exchanged.
///
/// # Errors
/// As the module says.
pub fn turned<S: Turns, D: Engine, T: Tracing<D>>(x: impl Operand<D, T, Shape = S>) -> Done<S::Output, D, T> {
    let item = x.item()?;
    let mut axes: Vec<usize> = (0..item.shape().rank()).collect();
    let last = axes.len().saturating_sub(2);
    axes[last..].reverse();
    reals(graph::Permute { axes }, vec![item])
}

/// Attention, as long as the queries and as wide as the values: `op::attend(Attend::heads(12), q, k, v)`.
///
/// # Errors
/// As the module says.
pub fn attend<Q: Attends<K, V>, K: Sizes, V: Sizes, D: Engine, T: Tracing<D>>(
    how: Attend<D, T>,
    queries: impl Operand<D, T, Shape = Q>,
    keys: impl Operand<D, T, Shape = K>,
    values: impl Operand<D, T, Shape = V>,
) -> Done<Q::Output, D, T> {
    let mut items = vec![queries.item()?, keys.item()?, values.item()?];
    let op = how.op();
    items.extend(how.items()?);
    reals(op, items)
}

/// `x w + b`, with `w` `[in, out]`.
///
/// # Errors
/// As the module says.
pub fn linear<S: Product<W>, W: Sizes, B: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T, Shape = S>,
    w: impl Operand<D, T, Shape = W>,
    b: impl Operand<D, T, Shape = B>,
) -> Done<S::Output, D, T>
where
    S::Output: EndsIn<B>,
{
    reals(graph::Linear, vec![x.item()?, w.item()?, b.item()?])
}

/// Each row with mean 0 and variance 1, times the gain, plus the shift.
///
/// # Errors
/// As the module says.
pub fn layer_norm<S: EndsIn<G>, G: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T, Shape = S>,
    gain: impl Operand<D, T, Shape = G>,
    shift: impl Operand<D, T, Shape = G>,
    eps: f64,
) -> Done<S, D, T> {
    reals(graph::LayerNorm { eps }, vec![x.item()?, gain.item()?, shift.item()?])
}

/// Each row with mean 0 and variance 1.
///
/// # Errors
/// As the module says.
pub fn standardize<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T, Shape = S>,
    eps: f64,
) -> Done<S, D, T> {
    reals(graph::Standardize { eps }, vec![x.item()?])
}

/// Pixels `[B, C, H, W]` by the mean and the deviation of their channels.
///
/// # Errors
/// As the module says.
pub fn rescale<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T, Shape = S>,
    mean: &[f64],
    deviation: &[f64],
) -> Done<S, D, T> {
    reals(graph::Rescale { mean: mean.to_vec(), deviation: deviation.to_vec() }, vec![x.item()?])
}

/// The same elements in other axes.
///
/// # Errors
/// As the module says.
pub fn reshape<S: Sizes, D: Engine, T: Tracing<D>>(x: impl Operand<D, T>, shape: S) -> Done<S, D, T> {
    reals(graph::Reshape { sizes: sizes(&shape).into() }, vec![x.item()?])
}

/// Repeated along new axes; axis i goes to `axes[i]`.
///
/// # Errors
/// As the module says.
pub fn broadcast<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T>,
    axes: &[usize],
    shape: S,
) -> Done<S, D, T> {
    reals(graph::Broadcast { sizes: sizes(&shape).into(), axes: axes.to_vec() }, vec![x.item()?])
}

/// Axes in another order: axis i of the result is axis `axes[i]` of `x`.
///
/// # Errors
/// As the module says.
pub fn permute<S: Sizes, D: Engine, T: Tracing<D>>(x: impl Operand<D, T>, axes: &[usize]) -> Done<S, D, T> {
    reals(graph::Permute { axes: axes.to_vec() }, vec![x.item()?])
}

/// Places `start..end` of one axis.
///
/// # Errors
/// As the module says.
pub fn slice<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T>,
    axis: usize,
    start: usize,
    end: usize,
) -> Done<S, D, T> {
    reals(graph::Slice { axis, start: start.into(), end: end.into() }, vec![x.item()?])
}

/// Zeros before and after one axis.
///
/// # Errors
/// As the module says.
pub fn pad<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T>,
    axis: usize,
    before: usize,
    after: usize,
) -> Done<S, D, T> {
    reals(graph::Pad { axis, before: before.into(), after: after.into() }, vec![x.item()?])
}

/// An operand of [`concat`].
///
/// # Errors
/// As the module says.
pub fn part<D: Engine, T: Tracing<D>>(x: impl Operand<D, T>) -> Result<Item<D, T>, EmbedError> {
    x.item()
}

/// Side by side along one axis: `op::concat(1, [op::part(a)?, op::part(b)?])`.
///
/// # Errors
/// As the module says.
pub fn concat<S: Sizes, D: Engine, T: Tracing<D>>(
    axis: usize,
    parts: impl IntoIterator<Item = Item<D, T>>,
) -> Done<S, D, T> {
    reals(graph::Concat { axis }, parts.into_iter().collect())
}

/// The sum over one axis.
///
/// # Errors
/// As the module says.
pub fn sum<S: Sizes, D: Engine, T: Tracing<D>>(x: impl Operand<D, T>, axis: usize) -> Done<S, D, T> {
    reals(graph::Sum { axis }, vec![x.item()?])
}

/// The sum over so many axes in front.
///
/// # Errors
/// As the module says.
pub fn sum_leading<S: Sizes, D: Engine, T: Tracing<D>>(x: impl Operand<D, T>, axes: usize) -> Done<S, D, T> {
    reals(graph::SumLeading { axes }, vec![x.item()?])
}

/// The largest of one axis; equal ones share the gradient.
///
/// # Errors
/// As the module says.
pub fn max<S: Sizes, D: Engine, T: Tracing<D>>(x: impl Operand<D, T>, axis: usize) -> Done<S, D, T> {
    reals(graph::Max { axis }, vec![x.item()?])
}

/// Rows of a table `[rows, ..]` by number: the axes of the ids, then those behind `rows`.
///
/// # Errors
/// As the module says.
pub fn take<S: Sizes, I: Sizes, D: Engine, T: Tracing<D>>(
    table: impl Operand<D, T>,
    ids: &Ids<I>,
) -> Done<S, D, T> {
    reals(graph::Take, vec![table.item()?, ids.item()])
}

/// Rows `[n, ..]` added up by number: `[rows, ..]`.
///
/// # Errors
/// As the module says.
pub fn sum_by<S: Sizes, I: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T>,
    ids: &Ids<I>,
    rows: usize,
) -> Done<S, D, T> {
    reals(graph::SumBy { rows: rows.into() }, vec![x.item()?, ids.item()])
}

/// The last place of each row where the condition `[B, N]` holds.
///
/// # Errors
/// As the module says.
pub fn last<S: Sizes, M: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T>,
    mask: &Conditions<M>,
) -> Done<S, D, T> {
    reals(graph::Last, vec![x.item()?, mask.item()])
}

/// `yes` where the condition holds, `no` elsewhere; the condition has the front axes of the result. One of them is a tensor.
///
/// # Errors
/// As the module says.
pub fn choose<S: Sizes, M: Sizes, D: Engine, T: Tracing<D>>(
    test: &Conditions<M>,
    yes: impl Operand<D, T>,
    no: impl Operand<D, T>,
) -> Done<S, D, T> {
    reals(graph::Choose, vec![test.item(), yes.item()?, no.item()?])
}

/// One number where the condition holds, another elsewhere.
///
/// # Errors
/// As the module says.
pub fn choose_number<M: Sizes, D: Engine, T: Tracing<D>>(
    test: &Conditions<M>,
    yes: f64,
    no: f64,
    device: &D,
) -> Done<M, D, T> {
    real(graph::Choose, vec![test.item(), yes.item()?, no.item()?], device)
}

/// Ids and conditions as real numbers.
///
/// # Errors
/// As the module says.
pub fn to_float<S: Sizes, K: Meaning, D: Engine, T: Tracing<D>>(
    x: &Steered<S, K>,
    device: &D,
) -> Done<S, D, T> {
    real(graph::ToFloat, vec![x.item()], device)
}

/// The same number everywhere.
///
/// # Errors
/// As the module says.
pub fn fill<S: Sizes, D: Engine, T: Tracing<D>>(shape: S, value: f64, device: &D) -> Done<S, D, T> {
    let shape = crate::shape::Shape::float(sizes(&shape));
    real(graph::Fill { shape, value }, Vec::new(), device)
}

/// The matrix `[to, from]` that resamples an axis.
///
/// # Errors
/// As the module says.
pub fn bicubic<S: Sizes, D: Engine, T: Tracing<D>>(from: usize, to: usize, device: &D) -> Done<S, D, T> {
    real(graph::Bicubic { from, to }, Vec::new(), device)
}

/// A square window: its side, its step, zeros before and after the image.
pub fn window(side: usize, stride: usize, pad: usize, after: usize) -> Window {
    Window { side, stride, pad, after }
}

/// What lies under a window at each of its places: `[B, C, H, W]` to `[B, places, C * side * side]`.
///
/// # Errors
/// As the module says.
pub fn unfold<S: Sizes, D: Engine, T: Tracing<D>>(x: impl Operand<D, T>, window: Window) -> Done<S, D, T> {
    reals(graph::Unfold { window }, vec![x.item()?])
}

/// A convolution: `x` `[B, C, H, W]`, `w` `[O, C, k, k]`, `b` `[O]`.
///
/// # Errors
/// As the module says.
pub fn conv2d<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T>,
    w: impl Operand<D, T>,
    b: impl Operand<D, T>,
    window: Window,
) -> Done<S, D, T> {
    let Window { pad, after, stride, .. } = window;
    reals(graph::Conv2d { pad, after, stride }, vec![x.item()?, w.item()?, b.item()?])
}

/// A convolution of each channel by itself: `x` `[B, C, H, W]`, `w` `[C, 1, k, k]`.
///
/// # Errors
/// As the module says.
pub fn depthwise<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T>,
    w: impl Operand<D, T>,
    window: Window,
) -> Done<S, D, T> {
    reals(graph::Depthwise { window }, vec![x.item()?, w.item()?])
}

/// What is right for logits `[.., K]`: ids `[..]`, or probabilities `[.., K]`.
pub trait Truth<D: Engine, T: Tracing<D>> {
    /// The operand without its type.
    ///
    /// # Errors
    /// What the device says.
    fn truth(self) -> Result<Item<D, T>, EmbedError>;
}

impl<S: Sizes, D: Engine, T: Tracing<D>> Truth<D, T> for &Ids<S> {
    fn truth(self) -> Result<Item<D, T>, EmbedError> {
        Ok(self.item())
    }
}

impl<S: Sizes, D: Engine, T: Tracing<D>> Truth<D, T> for Value<S, D, T> {
    fn truth(self) -> Result<Item<D, T>, EmbedError> {
        self.item()
    }
}

impl<S: Sizes, D: Engine, T: Tracing<D>, U: Tracing<D>> Truth<D, T> for &Value<S, D, U> {
    fn truth(self) -> Result<Item<D, T>, EmbedError> {
        self.item()
    }
}

/// `-log p` of what is right, with a share `smooth` for all classes alike: the mean, or a sum for each row.
///
/// # Errors
/// As the module says.
pub fn cross_entropy<S: Sizes, D: Engine, T: Tracing<D>>(
    logits: impl Operand<D, T>,
    truth: impl Truth<D, T>,
    smooth: f64,
    per_row: bool,
) -> Done<S, D, T> {
    reals(graph::CrossEntropy { smooth, per_row, only: false }, vec![logits.item()?, truth.truth()?])
}

/// The same over the places where a condition `[..]` holds.
///
/// # Errors
/// As the module says.
pub fn cross_entropy_where<S: Sizes, M: Sizes, D: Engine, T: Tracing<D>>(
    logits: impl Operand<D, T>,
    truth: impl Truth<D, T>,
    only: &Conditions<M>,
    smooth: f64,
    per_row: bool,
) -> Done<S, D, T> {
    let items = vec![logits.item()?, truth.truth()?, only.item()];
    reals(graph::CrossEntropy { smooth, per_row, only: true }, items)
}

/// Each logit against its probability, on its own.
///
/// # Errors
/// As the module says.
pub fn binary_cross_entropy<S: Sizes, D: Engine, T: Tracing<D>>(
    x: impl Operand<D, T, Shape = S>,
    truth: impl Operand<D, T, Shape = S>,
) -> Done<S, D, T> {
    reals(graph::BinaryCrossEntropy, vec![x.item()?, truth.item()?])
}
