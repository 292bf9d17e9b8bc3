//! What emitted Rust is made of: the operations of a graph on dfdx tensors whose shapes are types, and its parameters.
//!
//! `chiasm emit rust` writes a module against this one; nothing hinders writing such a module by hand. A value is a dfdx
//! tensor ([`Value`]), ids and conditions lie on the host ([`Ids`], [`Conditions`]). Each operation computes what the op of
//! the same name computes on the `dfdx` executor, and is on the caller's tape. An operand that is given away brings its tape; one that is
//! lent (`&x`, `&self.w`) counts with an empty one, so that a value read twice is on one tape.
//!
//! ```
//! use chiasm::embed::typed::{Value, op};
//! use dfdx::prelude::*;
//! let device = Cpu::default();
//! let w: Tensor<(Const<3>, Const<2>), f32, Cpu> = device.ones();
//! let x: Tensor<(usize, Const<3>), f32, Cpu> = device.ones_like(&(4, Const));
//! let y: Value<(usize, Const<2>), Cpu, _> = op::matmul(x.leaky_trace(), &w)?;
//! let loss = op::mul(&y, y.retaped::<NoneTape>())?; // computed, but `y` keeps the tape
//! assert_eq!(loss.as_vec(), [9.0; 8]);
//! let slope = y.square().mean().backward().get(&w);
//! assert_eq!(slope.as_vec(), [3.0; 6]);
//! # Ok::<(), chiasm::embed::EmbedError>(())
//! ```
//!
//! What is checked when: sizes that an operation relates (`add`, `matmul`, `linear`, `layer_norm`, `attend`) by the compiler;
//! a type that is written behind a result (`reshape`, `slice`, `take`) and sizes that are `usize` when it runs. Either way a
//! shape that does not agree is an error and never another result.
//!
//! ```compile_fail,E0277
//! # use chiasm::embed::typed::op;
//! # use dfdx::prelude::*;
//! fn product(x: Tensor<(usize, Const<4>), f32, Cpu>, w: &Tensor<(Const<3>, Const<2>), f32, Cpu>) {
//!     let _ = op::matmul(x, w); // 4 columns, 3 rows
//! }
//! ```
//! ```
//! # use chiasm::embed::typed::op;
//! # use dfdx::prelude::*;
//! fn product(x: Tensor<(usize, Const<3>), f32, Cpu>, w: &Tensor<(Const<3>, Const<2>), f32, Cpu>) {
//!     let _ = op::matmul(x, w);
//! }
//! ```

mod attend;
mod call;
pub mod host;
pub mod op;
mod parts;
mod relations;
mod steered;

pub use super::{EmbedError, Engine, Sizes, Tracing};
pub use attend::Attend;
pub use call::{Item, Operand};
#[doc(hidden)]
pub use parts::below;
pub use parts::{Part, Visit, Weights, load, save};
pub use relations::{Attends, EndsIn, Joins, Product, Turns};
pub use steered::{Condition, Conditions, Id, Ids, Look, Meaning, Steered};

use dfdx::tensor::{PutTape, SplitTape, Tensor};

/// Real numbers of shape `S` on a device `D`, with a tape or without one.
pub type Value<S, D, T> = Tensor<S, f32, D, T>;

/// What an operation gives.
pub type Done<S, D, T> = Result<Value<S, D, T>, EmbedError>;

/// The same value with an empty tape, for a module that reads it beside the reader that gets its tape.
pub fn fork<S: Sizes, D: Engine, T: Tracing<D>>(x: &Value<S, D, T>) -> Value<S, D, T> {
    x.retaped()
}

/// A value with an empty tape, and the tape it had: for one that is read many times in a loop.
pub fn split<S: Sizes, D: Engine, T: Tracing<D>>(x: Value<S, D, T>) -> (Value<S, D, T>, T) {
    let (x, tape) = x.split_tape();
    (x.put_tape(T::default()), tape)
}

/// A value with one more tape.
pub fn join<S: Sizes, D: Engine, T: Tracing<D>>(x: Value<S, D, T>, tape: T) -> Value<S, D, T> {
    let (x, its) = x.split_tape();
    x.put_tape(its.merge(tape))
}
