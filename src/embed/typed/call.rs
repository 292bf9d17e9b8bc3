//! One operation: typed operands without their types, a graph of one node run on the caller's tape, a result with its type.
//!
//! So everything that the `dfdx` executor knows holds here too: shapes by the rule of the op, expansion of what dfdx lacks,
//! ids inside of their tables, dfdx's errors. Invariant: two operands that are one tensor to dfdx are one to the graph.

use super::steered::{Meaning, Steered};
use crate::embed::{EmbedError, Engine, Sizes, Tracing};
use crate::exec::dfdx::{Held, Real, Trail, Walk, seen};
use crate::graph::{Graph, Origin};
use crate::op::{Array, Context, Input, Op};
use crate::recipe::Timeline;
use crate::shape::{Kind, Shape};
use dfdx::optim::UnusedTensors;
use dfdx::shapes::HasShape;
use dfdx::tensor::{NoneTape, PutTape, SplitTape, Tensor};
use dfdx::tensor_ops::ReshapeTo;

/// An operand without its type.
pub struct Item<D: Engine, T> {
    what: What<D>,
    shape: Shape,
    tape: T,
}

enum What<D: Engine> {
    /// All numbers in a row.
    Real(Tensor<(usize,), f32, D>),
    /// Ids, conditions, or a number.
    Host(Array),
}

/// What stands for a real operand: a tensor with its tape, one that is lent and counts without a tape, or a number.
pub trait Operand<D: Engine, T: Tracing<D>> {
    /// Its shape.
    type Shape: Sizes;
    /// The operand without its type.
    ///
    /// # Errors
    /// What the device says.
    fn item(self) -> Result<Item<D, T>, EmbedError>;
}

impl<S: Sizes, D: Engine, T: Tracing<D>> Operand<D, T> for Tensor<S, f32, D, T> {
    type Shape = S;

    fn item(self) -> Result<Item<D, T>, EmbedError> {
        let dims: Vec<usize> = self.shape().concrete().into();
        let count = (dims.iter().product::<usize>(),);
        // On the tape, because a tensor that is not contiguous is copied here.
        let (row, tape) = self.try_reshape_like(&count).map_err(EmbedError::device)?.split_tape();
        Ok(Item { what: What::Real(row), shape: Shape::float(dims), tape })
    }
}

impl<S: Sizes, D: Engine, T: Tracing<D>, U: Tracing<D>> Operand<D, T> for &Tensor<S, f32, D, U> {
    type Shape = S;

    fn item(self) -> Result<Item<D, T>, EmbedError> {
        self.retaped::<T>().item()
    }
}

impl<D: Engine, T: Tracing<D>> Operand<D, T> for f64 {
    type Shape = ();

    fn item(self) -> Result<Item<D, T>, EmbedError> {
        Ok(Item::host(Array::filled(&[], self), Kind::Float))
    }
}

impl<D: Engine, T: Tracing<D>> Item<D, T> {
    /// Ids, conditions, or numbers that are on no device yet.
    pub(super) fn host(array: Array, kind: Kind) -> Self {
        let shape = Shape::float(array.dims.clone()).with_kind(kind);
        Self { what: What::Host(array), shape, tape: T::default() }
    }

    /// Its shape.
    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The numbers, on the host, and what they are.
    pub(super) fn look(self) -> (Array, Kind) {
        let array = match self.what {
            What::Host(array) => array,
            What::Real(row) => {
                Array { dims: self.shape.dims(), data: row.as_vec().into_iter().map(f64::from).collect() }
            }
        };
        (array, self.shape.kind)
    }
}

/// A result of real numbers, on a device.
///
/// # Errors
/// Operands that do not fit the op, a type that is not the result's, an id outside of its table, what dfdx says.
pub fn real<S: Sizes, D: Engine, T: Tracing<D>>(
    op: impl Into<Op>,
    items: Vec<Item<D, T>>,
    device: &D,
) -> Result<Tensor<S, f32, D, T>, EmbedError> {
    let op = op.into();
    let name = op.name();
    let (row, dims, tape) = run(op, items, device)?;
    let result = seen(row, sized::<S>(name, &dims)?).map_err(EmbedError::Device)?;
    Ok(result.put_tape(tape))
}

/// The same for operands that know their device.
///
/// # Errors
/// As [`real`]; numbers alone, which are on no device.
pub fn reals<S: Sizes, D: Engine, T: Tracing<D>>(
    op: impl Into<Op>,
    items: Vec<Item<D, T>>,
) -> Result<Tensor<S, f32, D, T>, EmbedError> {
    let device = items.iter().find_map(|item| match &item.what {
        What::Real(row) => Some(row.device().clone()),
        What::Host(_) => None,
    });
    let op = op.into();
    let nowhere = || EmbedError::Misfit { op: op.name(), message: "expected a tensor on a device".into() };
    let device = device.ok_or_else(nowhere)?;
    real(op, items, &device)
}

/// Ids or conditions of an op's definition; nothing here has a gradient.
///
/// # Errors
/// Operands that do not fit the op, a type that is not the result's.
pub fn steered<S: Sizes, K: Meaning>(
    op: impl Into<Op>,
    operands: Vec<(Array, Kind)>,
) -> Result<Steered<S, K>, EmbedError> {
    let op = op.into();
    let shapes: Vec<Shape> =
        operands.iter().map(|(array, kind)| Shape::float(array.dims.clone()).with_kind(*kind)).collect();
    let shape = op.infer(&shapes.iter().collect::<Vec<_>>()).map_err(|misfit| wrong(op.name(), &misfit))?;
    if shape.kind != K::KIND {
        let message = format!("it gives {shape}, but its type says {}", shape.with_kind(K::KIND));
        return Err(EmbedError::Misfit { op: op.name(), message });
    }
    let arrays: Vec<&Array> = operands.iter().map(|(array, _)| array).collect();
    let node = crate::graph::Node { op, shape, origin: Origin::default() };
    crate::exec::check::indices(&node, &arrays)?;
    let array = node.op.eval(&arrays, &context());
    Ok(Steered::new(sized::<S>(node.op.name(), &array.dims)?, array))
}

type Row<D, T> = (Tensor<(usize,), f32, D>, Vec<usize>, T);

/// A graph of the op alone; its leaves are the operands.
fn run<D: Engine, T: Tracing<D>>(
    op: Op,
    items: Vec<Item<D, T>>,
    device: &D,
) -> Result<Row<D, T>, EmbedError> {
    let name = op.name();
    let mut graph = Graph::default();
    let (leaves, tape) = merged(items, &mut graph, name)?;
    let operands: Vec<_> = leaves.iter().map(|leaf| leaf.0).collect();
    let value = graph.add(op, &operands, &Origin::default()).map_err(|misfit| wrong(name, &misfit))?;
    graph.name("result", value);
    let broken = |faults| EmbedError::Misfit { op: name, message: format!("{faults:?}") };
    let walk = Walk::new(&graph.verify().map_err(broken)?, "dfdx", &|_| T::OWNS_TAPE)?;

    let mut trail = Trail::with(device.clone(), tape.owned());
    let mut held: Vec<Option<Held<D>>> = Vec::new();
    for (_, what, shape) in leaves {
        held.push(Some(brought(&mut trail, what, &shape, T::OWNS_TAPE).map_err(EmbedError::Device)?));
    }
    let mut found = walk.run(&mut trail, &context(), &mut |_, node| match &node.op {
        Op::Input(input) => {
            let at = input.name.parse::<usize>().ok();
            Ok(at.and_then(|at| held.get(at).cloned().flatten()).map(Ok))
        }
        _ => Ok(None),
    })?;
    let output = walk.graph.output("result").and_then(|value| found[value.0 as usize].take());
    let nothing = || EmbedError::Misfit { op: name, message: "it gives no real numbers".into() };
    let real = output.ok_or_else(nothing)?;
    let real = real.real().map_err(|_| nothing())?;
    let row = real.tensor.row().map_err(EmbedError::Device)?;
    Ok((row, real.dims.clone(), T::of(trail.into_tape())))
}

type Leaves<D> = Vec<(crate::op::Value, What<D>, Shape)>;

/// A leaf for each operand, the same one for operands that are one tensor, and all tapes as one.
fn merged<D: Engine, T: Tracing<D>>(
    items: Vec<Item<D, T>>,
    graph: &mut Graph,
    name: &'static str,
) -> Result<(Leaves<D>, T), EmbedError> {
    let mut leaves: Leaves<D> = Vec::new();
    let mut tape = T::default();
    for (at, Item { what, shape, tape: its }) in items.into_iter().enumerate() {
        tape = tape.merge(its);
        let same = |(_, known, as_shape): &&(_, What<D>, Shape)| *as_shape == shape && is_same(known, &what);
        if let Some((value, ..)) = leaves.iter().find(same) {
            leaves.push((*value, What::Host(Array::filled(&[], 0.0)), Shape::scalar()));
            continue;
        }
        let input = Input { name: at.to_string(), shape: shape.clone() };
        let value = graph.add(input, &[], &Origin::default()).map_err(|misfit| wrong(name, &misfit))?;
        leaves.push((value, what, shape));
    }
    Ok((leaves, tape))
}

/// Whether two operands are one tensor to dfdx's tape.
fn is_same<D: Engine>(a: &What<D>, b: &What<D>) -> bool {
    let (What::Real(a), What::Real(b)) = (a, b) else { return false };
    let [mut first, mut second] = [UnusedTensors::default(), UnusedTensors::default()];
    first.add(a);
    second.add(b);
    first.ids == second.ids
}

fn brought<D: Engine>(
    trail: &mut Trail<D>,
    what: What<D>,
    shape: &Shape,
    carries: bool,
) -> Result<Held<D>, String> {
    match what {
        What::Host(array) if shape.kind == Kind::Float => trail.bring_array(&array).map(Held::Real),
        What::Host(array) => Ok(Held::Steers(array)),
        What::Real(row) => {
            let row: Real<D> = trail.leaf(row, carries)?;
            trail.reshaped(&row, &shape.dims()).map(Held::Real)
        }
    }
}

/// The type with its sizes, if it has those lengths.
fn sized<S: Sizes>(op: &'static str, dims: &[usize]) -> Result<S, EmbedError> {
    let found = Shape::float(dims.to_vec());
    crate::embed::shapes::typed::<S>(op, &found).map_err(|error| match error {
        EmbedError::Type { expected, found, .. } => EmbedError::Result { op, expected, found },
        other => other,
    })
}

fn wrong(op: &'static str, misfit: &crate::op::Misfit) -> EmbedError {
    EmbedError::Misfit { op, message: misfit.to_string() }
}

/// Nothing is drawn, and no time passes.
fn context() -> Context {
    let time = Timeline { length: 0, epoch: 1 };
    Context { seed: 0, stage: String::new(), step: 0, time, first_row: 0 }
}

/// An operand whose gradient nobody asks for.
pub fn still<D: Engine, S: Sizes, T: Tracing<D>>(
    x: &Tensor<S, f32, D, T>,
) -> Result<Item<D, NoneTape>, EmbedError> {
    x.retaped::<NoneTape>().item()
}
