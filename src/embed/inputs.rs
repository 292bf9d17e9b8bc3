//! What a caller gives to a value: dfdx tensors with or without a tape, ids, or rows that the model reads itself.
//!
//! ```
//! use chiasm::embed::Inputs;
//! use dfdx::prelude::*;
//! let device = Cpu::default();
//! let picture: Tensor<(usize, Const<3>, Const<16>, Const<16>), f32, _> = device.zeros_like(&(1, Const, Const, Const));
//! let inputs = Inputs::new().tensor("image", picture).rows("text", ["a red circle"]);
//! # let _: Inputs<Cpu, NoneTape> = inputs;
//! ```

use crate::exec::dfdx::{Engine, Real, Trail};
use crate::network::Input;
use crate::tensor;
use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{Merge, NoneTape, OwnedTape, SplitTape, Tape, Tensor};

/// A tape, or none: what dfdx's `NoneTape` and `OwnedTape<f32, D>` are.
pub trait Tracing<D: Engine>: Tape<f32, D> + Sized + private::Sealed {
    /// The operations so far; an empty tape for none.
    #[doc(hidden)]
    fn owned(self) -> OwnedTape<f32, D>;
    /// The same as the type has it.
    #[doc(hidden)]
    fn of(tape: OwnedTape<f32, D>) -> Self;
}

mod private {
    pub trait Sealed {}
    impl Sealed for dfdx::tensor::NoneTape {}
    impl<D: crate::exec::dfdx::Engine> Sealed for dfdx::tensor::OwnedTape<f32, D> {}
}

impl<D: Engine> Tracing<D> for NoneTape {
    fn owned(self) -> OwnedTape<f32, D> {
        OwnedTape::default()
    }

    fn of(_: OwnedTape<f32, D>) -> Self {
        NoneTape
    }
}

impl<D: Engine> Tracing<D> for OwnedTape<f32, D> {
    fn owned(self) -> OwnedTape<f32, D> {
        self
    }

    fn of(tape: OwnedTape<f32, D>) -> Self {
        tape
    }
}

/// A dfdx tensor of any shape, until its call.
pub(super) struct Given<D: Engine> {
    pub name: String,
    /// Whether it came with a tape.
    pub carries: bool,
    pub bring: Box<dyn FnOnce(&mut Trail<D>) -> Result<Real<D>, String>>,
}

/// The inputs of one call, by name, and their tape `T`.
pub struct Inputs<D: Engine, T: Tracing<D> = NoneTape> {
    pub(super) tape: T,
    pub(super) real: Vec<Given<D>>,
    /// All of them; of dfdx tensors the lengths only.
    pub(super) all: Vec<(String, Input)>,
}

impl<D: Engine> Default for Inputs<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Engine> Inputs<D> {
    /// None yet, without a tape.
    pub fn new() -> Self {
        Self { tape: NoneTape, real: Vec::new(), all: Vec::new() }
    }
}

impl<D: Engine> Inputs<D, OwnedTape<f32, D>> {
    /// None yet, with an empty tape that joins another one later; as `Tensor::retaped`.
    pub fn retaped() -> Self {
        Self { tape: OwnedTape::default(), real: Vec::new(), all: Vec::new() }
    }
}

impl<D: Engine, T: Tracing<D>> Inputs<D, T> {
    /// Real numbers, rows first; pixels are `[rows, 3, side, side]` in 0..1. A tensor with a tape gets a gradient, and its
    /// tape goes on in the result; these inputs must have a tape then ([`Inputs::of`], [`Inputs::retaped`],
    /// [`Embedded::traced`](super::Embedded::traced)).
    #[must_use]
    pub fn tensor<S: Shape, U: Tracing<D>>(mut self, name: &str, tensor: Tensor<S, f32, D, U>) -> Self
    where
        T: Merge<U>,
    {
        let (tensor, tape) = tensor.split_tape();
        self.tape = self.tape.merge(tape);
        self.push(name, tensor, U::OWNS_TAPE)
    }

    /// One tensor and its tape, if it has one.
    pub fn of<S: Shape>(name: &str, tensor: Tensor<S, f32, D, T>) -> Self {
        let (tensor, tape) = tensor.split_tape();
        Self { tape, real: Vec::new(), all: Vec::new() }.push(name, tensor, T::OWNS_TAPE)
    }

    fn push<S: Shape>(mut self, name: &str, tensor: Tensor<S, f32, D>, carries: bool) -> Self {
        let dims: Vec<usize> = tensor.shape().concrete().into();
        // Shapes are checked by the lengths; the numbers stay on the device.
        self.all.push((name.to_string(), tensor::Tensor::floats(dims, Vec::new()).into()));
        let bring = Box::new(move |trail: &mut Trail<D>| trail.given(tensor, carries));
        self.real.push(Given { name: name.to_string(), carries, bring });
        self
    }

    /// Ids, rows first: tokens `[rows, words]`, with `text.lengths` `[rows]` beside them, or labels `[rows]`.
    #[must_use]
    pub fn ids<S: Shape>(mut self, name: &str, ids: Tensor<S, usize, D>) -> Self {
        let dims: Vec<usize> = ids.shape().concrete().into();
        // No table has so many rows, so a number too large is refused as an id outside of its table.
        let small = |id: usize| i32::try_from(id).unwrap_or(i32::MAX);
        let ids = tensor::Tensor::ids(dims, ids.as_vec().into_iter().map(small).collect());
        self.all.push((name.to_string(), ids.into()));
        self
    }

    /// Rows that the model reads itself: texts, token rows, pictures of any size ([`Input`]).
    #[must_use]
    pub fn rows(mut self, name: &str, rows: impl Into<Input>) -> Self {
        self.all.push((name.to_string(), rows.into()));
        self
    }
}
