//! Shapes of dfdx's types held against shapes of a file.
//!
//! ```
//! use chiasm::{embed::Sizes, shape::Shape};
//! use dfdx::shapes::Const;
//! let features = Shape::float([chiasm::shape::Size::symbol("B"), 8usize.into()]);
//! assert!(<(usize, Const<8>)>::fits(&features) && !<(usize, Const<9>)>::fits(&features));
//! ```

use super::EmbedError;
use crate::shape::{Shape, Size};
use dfdx::shapes::{ConstDim, Dim};

/// A dfdx shape of up to six axes, each `usize` or `Const<N>`.
pub trait Sizes: dfdx::shapes::Shape {
    /// Whether there are as many axes, and every constant is the size of its axis. A batch symbol may be any constant.
    fn fits(shape: &Shape) -> bool;
}

macro_rules! sizes {
    ($($axis:ident)*) => {
        impl<$($axis: Dim),*> Sizes for ($($axis,)*) {
            fn fits(shape: &Shape) -> bool {
                let axes: &[fn(usize) -> bool] = &[$(|size| $axis::from_size(size).is_some()),*];
                let fit = |(fits, size): (&fn(usize) -> bool, &Size)| size.number().is_none() || fits(size.len());
                axes.len() == shape.rank() && axes.iter().zip(&shape.sizes).all(fit)
            }
        }
    };
}

sizes!();
sizes!(A);
sizes!(A B);
sizes!(A B C);
sizes!(A B C E);
sizes!(A B C E F);
sizes!(A B C E F G);

/// The number of parameters: known when a model is opened. dfdx visits only tensors whose lengths are constant by their
/// type, so it is called one; that constant, zero, would be read if dfdx built the tensor, which it never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length(pub(super) usize);

impl Dim for Length {
    fn size(&self) -> usize {
        self.0
    }

    fn from_size(size: usize) -> Option<Self> {
        Some(Self(size))
    }
}

impl ConstDim for Length {
    const SIZE: usize = 0;
}

/// An error value if a type does not fit a shape of the file.
pub fn check<S: Sizes>(name: &str, shape: &Shape) -> Result<(), EmbedError> {
    if S::fits(shape) { Ok(()) } else { Err(other_type::<S>(name, shape)) }
}

/// The type with its sizes, if it has those lengths.
pub fn typed<S: Sizes>(name: &str, shape: &Shape) -> Result<S, EmbedError> {
    check::<S>(name, shape)?;
    let mut concrete = S::Concrete::default();
    shape.dims().iter().enumerate().for_each(|(axis, length)| concrete[axis] = *length);
    S::from_concrete(&concrete).ok_or_else(|| other_type::<S>(name, shape))
}

fn other_type<S>(name: &str, shape: &Shape) -> EmbedError {
    let words = std::any::type_name::<S>();
    let plain: Vec<&str> =
        words.split_inclusive([' ', '(']).map(|word| word.rsplit("::").next().unwrap_or(word)).collect();
    EmbedError::Type { name: name.to_string(), expected: plain.concat(), found: shape.to_string() }
}
