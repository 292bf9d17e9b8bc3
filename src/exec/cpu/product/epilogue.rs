//! What follows a product on the rows of a tile, while they are in the nearest cache.

use super::{Activation, Then};
use crate::exec::cpu::level::by_level;
use crate::exec::cpu::math;

/// Finishes one piece of a row of C, which begins at word `at` of every matrix laid out like C.
#[inline]
pub(super) fn finish(
    level: crate::exec::cpu::level::Level,
    c: &mut [f32],
    bias: Option<&[f32]>,
    then: Then,
    at: usize,
) {
    if let Some(bias) = bias {
        add(level, c, bias);
    }
    match then {
        Then::Nothing => {}
        Then::Add(other) => add(level, c, other.part(at, c.len()).read()),
        Then::Activate(activation, before) => {
            if !before.is_empty() {
                before.part(at, c.len()).write().copy_from_slice(c);
            }
            match activation {
                Activation::Gelu => gelu(level, c),
                Activation::QuickGelu => quick_gelu(level, c),
                Activation::Relu => relu(level, c),
            }
        }
        Then::Derive(activation, before) => {
            let before = before.part(at, c.len()).read();
            match activation {
                Activation::Gelu => gelu_gradient(level, c, before),
                Activation::QuickGelu => quick_gelu_gradient(level, c, before),
                Activation::Relu => relu_gradient(level, c, before),
            }
        }
    }
}

by_level! {
    pub(super) fn add[F](c: &mut [f32], other: &[f32]) {
        c.iter_mut().zip(other).for_each(|(c, x)| *c += x);
    }

    fn gelu[F](c: &mut [f32]) {
        c.iter_mut().for_each(|c| *c = math::gelu::<F>(*c));
    }

    fn gelu_gradient[F](c: &mut [f32], before: &[f32]) {
        c.iter_mut().zip(before).for_each(|(c, x)| *c *= math::gelu_gradient::<F>(*x));
    }

    fn quick_gelu[F](c: &mut [f32]) {
        c.iter_mut().for_each(|c| *c = math::quick_gelu::<F>(*c));
    }

    fn quick_gelu_gradient[F](c: &mut [f32], before: &[f32]) {
        c.iter_mut().zip(before).for_each(|(c, x)| *c *= math::quick_gelu_gradient::<F>(*x));
    }

    fn relu[F](c: &mut [f32]) {
        c.iter_mut().for_each(|c| *c = if *c > 0.0 { *c } else { 0.0 });
    }

    fn relu_gradient[F](c: &mut [f32], before: &[f32]) {
        c.iter_mut().zip(before).for_each(|(c, x)| *c = if *x > 0.0 { *c } else { 0.0 });
    }
}
