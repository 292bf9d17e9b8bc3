//! How the shapes of an operation's operands and result belong together, for the compiler.
//!
//! Equal axes are one type: `Const<768>` is no `Const<512>`, and no `usize`.
//!
//! ```
//! use chiasm::embed::typed::{Joins, Product};
//! use dfdx::shapes::Const;
//! fn added<A: Joins<B, Output = (usize, Const<2>)>, B>() {}
//! added::<(usize, Const<2>), (Const<2>,)>();
//! fn multiplied<A: Product<B, Output = (usize, Const<7>)>, B>() {}
//! multiplied::<(usize, Const<2>), (Const<2>, Const<7>)>();
//! ```

use crate::embed::Sizes;
use dfdx::shapes::Dim;

/// Two shapes of which the shorter is the end of the longer: the operands of `add`.
pub trait Joins<B>: Sizes {
    /// The longer one.
    type Output: Sizes;
}

/// A shape with this end: what a gain or a bias is over.
pub trait EndsIn<B>: Sizes {}

/// `[.., K]` and `[K, N]`, or `[.., M, K]` and `[.., K, N]`: the operands of `matmul`.
pub trait Product<B>: Sizes {
    /// `[.., N]`, or `[.., M, N]`.
    type Output: Sizes;
}

/// A shape and the same with its last two axes exchanged.
pub trait Turns: Sizes {
    /// With the axes exchanged.
    type Output: Sizes;
}

/// Queries `Self`, keys `K` and values `V`: `[B, N, hK]`, `[B, M, hK]`, `[B, M, hV]`, or with heads as an axis of their own
/// `[B, H, N, K]`, `[B, H, M, K]`, `[B, H, M, V]`.
pub trait Attends<K, V>: Sizes {
    /// As the queries, as wide as the values.
    type Output: Sizes;
}

macro_rules! joins {
    ([$($whole:ident)*]) => {
        impl<$($whole: Dim),*> Joins<($($whole,)*)> for ($($whole,)*) {
            type Output = ($($whole,)*);
        }
        impl<$($whole: Dim),*> EndsIn<($($whole,)*)> for ($($whole,)*) {}
    };
    ([$($whole:ident)*] [$($end:ident)*]) => {
        impl<$($whole: Dim),*> Joins<($($end,)*)> for ($($whole,)*) {
            type Output = ($($whole,)*);
        }
        impl<$($whole: Dim),*> Joins<($($whole,)*)> for ($($end,)*) {
            type Output = ($($whole,)*);
        }
        impl<$($whole: Dim),*> EndsIn<($($end,)*)> for ($($whole,)*) {}
    };
}

macro_rules! ends {
    ([$($whole:ident)*]) => {
        joins!([$($whole)*]);
        ends!([$($whole)*] $($whole)*);
    };
    ([$($whole:ident)*] $first:ident $($end:ident)*) => {
        joins!([$($whole)*] [$($end)*]);
        ends!([$($whole)*] ; $($end)*);
    };
    ([$($whole:ident)*] ;) => {};
    ([$($whole:ident)*] ; $($end:ident)+) => {
        ends!([$($whole)*] $($end)*);
    };
}

joins!([]);
ends!([A]);
ends!([A B]);
ends!([A B C]);
ends!([A B C E]);
ends!([A B C E F]);
ends!([A B C E F G]);

macro_rules! products {
    ($([$($row:ident)*])*) => {$(
        impl<$($row: Dim,)* K: Dim, N: Dim> Product<(K, N)> for ($($row,)* K) {
            type Output = ($($row,)* N);
        }
    )*};
}

impl<K: Dim, N: Dim> Product<(K, N)> for (K,) {
    type Output = (N,);
}

products!([A] [A B] [A B C] [A B C E]);

macro_rules! stacks {
    ($([$($row:ident)*])*) => {$(
        impl<$($row: Dim,)* M: Dim, K: Dim, N: Dim> Product<($($row,)* K, N)> for ($($row,)* M, K) {
            type Output = ($($row,)* M, N);
        }
    )*};
}

stacks!([A] [A B] [A B C]);

macro_rules! turns {
    ($([$($row:ident)*])*) => {$(
        impl<$($row: Dim,)* M: Dim, N: Dim> Turns for ($($row,)* M, N) {
            type Output = ($($row,)* N, M);
        }
    )*};
}

turns!([] [A] [A B] [A B C] [A B C E]);

impl<B: Dim, N: Dim, M: Dim, K: Dim, V: Dim> Attends<(B, M, K), (B, M, V)> for (B, N, K) {
    type Output = (B, N, V);
}

impl<B: Dim, H: Dim, N: Dim, M: Dim, K: Dim, V: Dim> Attends<(B, H, M, K), (B, H, M, V)> for (B, H, N, K) {
    type Output = (B, H, N, V);
}
