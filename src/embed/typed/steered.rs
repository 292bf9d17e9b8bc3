//! Ids and conditions, with their shapes as types. They steer, have no gradient and lie on the host.
//!
//! ```
//! use chiasm::embed::typed::{Conditions, Ids, host};
//! use dfdx::prelude::*;
//! let device = Cpu::default();
//! let lengths: Ids<(usize,)> = host::ids(&device.tensor_from_vec(vec![2usize, 1], (2,)));
//! let used: Conditions<(usize, Const<3>)> = host::before(&lengths, 3)?;
//! assert_eq!(used.numbers(), [1.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
//! # Ok::<(), chiasm::embed::EmbedError>(())
//! ```

use super::call::{Item, still};
use crate::embed::{EmbedError, Engine, Sizes, Tracing};
use crate::op::Array;
use crate::shape::Kind;
use dfdx::tensor::{NoneTape, Tensor};
use std::marker::PhantomData;

/// What the numbers of a [`Steered`] are.
pub trait Meaning {
    /// As a graph says it.
    const KIND: Kind;
}

/// Whole numbers: tokens, labels, places.
#[derive(Clone, Copy, Debug)]
pub struct Id;

/// True or false.
#[derive(Clone, Copy, Debug)]
pub struct Condition;

impl Meaning for Id {
    const KIND: Kind = Kind::Ids;
}

impl Meaning for Condition {
    const KIND: Kind = Kind::Condition;
}

/// Ids or conditions of shape `S`.
#[derive(Clone, Debug)]
pub struct Steered<S, K> {
    shape: S,
    array: Array,
    meaning: PhantomData<K>,
}

/// Whole numbers of shape `S`.
pub type Ids<S> = Steered<S, Id>;
/// True or false, of shape `S`.
pub type Conditions<S> = Steered<S, Condition>;

impl<S: Sizes, K: Meaning> Steered<S, K> {
    pub(super) fn new(shape: S, array: Array) -> Self {
        Self { shape, array, meaning: PhantomData }
    }

    /// Sizes of the axes.
    pub fn sizes(&self) -> &S {
        &self.shape
    }

    /// Row by row; conditions are 1 or 0.
    pub fn numbers(&self) -> &[f64] {
        &self.array.data
    }

    pub(super) fn item<D: Engine, T: Tracing<D>>(&self) -> Item<D, T> {
        Item::host(self.array.clone(), K::KIND)
    }
}

/// What an op that steers looks at: ids, conditions, a tensor without its tape, or a number.
pub trait Look {
    /// The numbers and what they are.
    ///
    /// # Errors
    /// What the device says.
    fn look(&self) -> Result<(Array, Kind), EmbedError>;
}

impl<S: Sizes, K: Meaning> Look for Steered<S, K> {
    fn look(&self) -> Result<(Array, Kind), EmbedError> {
        Ok((self.array.clone(), K::KIND))
    }
}

impl<S: Sizes, D: Engine, T: Tracing<D>> Look for Tensor<S, f32, D, T> {
    fn look(&self) -> Result<(Array, Kind), EmbedError> {
        let item: Item<D, NoneTape> = still(self)?;
        Ok(item.look())
    }
}

impl Look for f64 {
    fn look(&self) -> Result<(Array, Kind), EmbedError> {
        Ok((Array::filled(&[], *self), Kind::Float))
    }
}

impl Look for i64 {
    fn look(&self) -> Result<(Array, Kind), EmbedError> {
        Ok((Array::filled(&[], *self as f64), Kind::Ids))
    }
}

impl Look for bool {
    fn look(&self) -> Result<(Array, Kind), EmbedError> {
        Ok((Array::filled(&[], f64::from(u8::from(*self))), Kind::Condition))
    }
}
