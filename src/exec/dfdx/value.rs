//! What a node's value is here: real numbers as a dfdx tensor, ids and conditions on the host.
//!
//! A tensor keeps its rank in the type and has run-time sizes. dfdx computes in few forms (a row, a grid, a block), so that
//! little code is generated: seeing a tensor in another form moves nothing and leaves it the same tensor to dfdx's tape.
//! Invariant: a [`Ranked`] is contiguous.
//!
//! ```text
//! Ranked::R3(Tensor<(usize, usize, usize), f32, Cpu>)   [2, 5, 8]   seen as a grid   Tensor<(usize, usize), f32, Cpu>   [10, 8]
//! ```

use crate::op::Array;
use dfdx::shapes::Shape;
use dfdx::tensor::{OwnedTape, Tensor, TensorFromVec};
use dfdx::tensor_ops::{Device, ReshapeTo};

/// A dfdx device that graphs run on: `Cpu`, and `Cuda` with the feature `dfdx-cuda`.
pub trait Engine: Device<f32> + TensorFromVec<bool> {}

impl<D: Device<f32> + TensorFromVec<bool>> Engine for D {}

/// What dfdx did, or what it says went wrong.
pub type Done<T> = Result<T, String>;

/// The words of an error of a device.
pub fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A tensor on the tape.
pub type Taped<S, D> = Tensor<S, f32, D, OwnedTape<f32, D>>;
/// One axis.
pub type Row = (usize,);
/// Two axes.
pub type Grid = (usize, usize);
/// Three axes.
pub type Block = (usize, usize, usize);

/// A tensor of any rank that dfdx has.
#[derive(Clone, Debug)]
pub enum Ranked<D: Engine> {
    /// A single number.
    R0(Tensor<(), f32, D>),
    /// One axis.
    R1(Tensor<Row, f32, D>),
    /// Two axes.
    R2(Tensor<Grid, f32, D>),
    /// Three axes.
    R3(Tensor<Block, f32, D>),
    /// Four axes.
    R4(Tensor<(usize, usize, usize, usize), f32, D>),
    /// Five axes.
    R5(Tensor<(usize, usize, usize, usize, usize), f32, D>),
    /// Six axes.
    R6(Tensor<(usize, usize, usize, usize, usize, usize), f32, D>),
}

/// The most axes of a dfdx tensor.
pub const MOST_AXES: usize = 6;

impl<D: Engine> Ranked<D> {
    /// A row brought to axes.
    ///
    /// # Errors
    /// More axes than dfdx has, or no memory.
    pub fn new(row: Tensor<Row, f32, D>, dims: &[usize]) -> Done<Self> {
        Ok(match *dims {
            [] => Self::R0(seen(row, ())?),
            [a] => Self::R1(seen(row, (a,))?),
            [a, b] => Self::R2(seen(row, (a, b))?),
            [a, b, c] => Self::R3(seen(row, (a, b, c))?),
            [a, b, c, d] => Self::R4(seen(row, (a, b, c, d))?),
            [a, b, c, d, e] => Self::R5(seen(row, (a, b, c, d, e))?),
            [a, b, c, d, e, f] => Self::R6(seen(row, (a, b, c, d, e, f))?),
            _ => return Err(format!("dfdx has no tensors of {} axes", dims.len())),
        })
    }

    /// All elements as one axis.
    ///
    /// # Errors
    /// No memory.
    pub fn row(&self) -> Done<Tensor<Row, f32, D>> {
        match self.clone() {
            Self::R0(tensor) => seen(tensor, (1,)),
            Self::R1(tensor) => Ok(tensor),
            Self::R2(tensor) => row(tensor),
            Self::R3(tensor) => row(tensor),
            Self::R4(tensor) => row(tensor),
            Self::R5(tensor) => row(tensor),
            Self::R6(tensor) => row(tensor),
        }
    }
}

fn row<S: Shape, D: Engine>(tensor: Tensor<S, f32, D>) -> Done<Tensor<Row, f32, D>> {
    let count = dfdx::shapes::HasShape::shape(&tensor).num_elements();
    seen(tensor, (count,))
}

/// The same elements in other axes.
pub fn seen<S: Shape, R: Shape, D: Engine>(tensor: Tensor<S, f32, D>, shape: R) -> Done<Tensor<R, f32, D>> {
    tensor.try_reshape_like(&shape).map_err(said)
}

/// Real numbers on the device.
#[derive(Clone, Debug)]
pub struct Real<D: Engine> {
    /// The numbers.
    pub tensor: Ranked<D>,
    /// Lengths of the axes.
    pub dims: Vec<usize>,
    /// Which tensor it is to the tape: dfdx cannot join a tensor with itself.
    pub source: u32,
    /// Whether the tape has to bring it a gradient.
    pub carries: bool,
}

impl<D: Engine> Real<D> {
    /// The elements in other axes.
    ///
    /// # Errors
    /// No memory.
    pub fn seen<S: Shape>(&self, shape: S) -> Done<Tensor<S, f32, D>> {
        seen(self.tensor.row()?, shape)
    }

    /// How many numbers.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// All but the last axis, and the last.
    pub fn rows(&self) -> Grid {
        let width = self.dims.last().copied().unwrap_or(1);
        (self.count() / width.max(1), width)
    }

    /// Elements before, on and after an axis.
    pub fn around(&self, axis: usize) -> Block {
        (self.dims[..axis].iter().product(), self.dims[axis], self.dims[axis + 1..].iter().product())
    }

    /// The numbers, on the host.
    ///
    /// # Errors
    /// No memory.
    pub fn numbers(&self) -> Done<Vec<f32>> {
        Ok(self.tensor.row()?.as_vec())
    }

    /// The same as the definitions of ops read it.
    ///
    /// # Errors
    /// No memory.
    pub fn array(&self) -> Done<Array> {
        Ok(Array { dims: self.dims.clone(), data: self.numbers()?.into_iter().map(f64::from).collect() })
    }
}

/// The value of a node.
#[derive(Clone, Debug)]
pub enum Held<D: Engine> {
    /// Real numbers.
    Real(Real<D>),
    /// Ids or conditions: they steer and have no gradient.
    Steers(Array),
}

impl<D: Engine> Held<D> {
    /// As the definitions of ops read it.
    ///
    /// # Errors
    /// No memory.
    pub fn array(&self) -> Done<Array> {
        match self {
            Self::Real(real) => real.array(),
            Self::Steers(array) => Ok(array.clone()),
        }
    }

    /// The real numbers.
    ///
    /// # Errors
    /// It has none; the verifier does not let this happen.
    pub fn real(&self) -> Done<&Real<D>> {
        match self {
            Self::Real(real) => Ok(real),
            Self::Steers(_) => Err("expected real numbers, found ids or conditions".to_string()),
        }
    }
}
