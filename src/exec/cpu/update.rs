//! What follows a step: AdamW over the flat parameters, twins that follow their originals.
//!
//! Parameters, gradients and moments share their slots, so a group of parameters is one range of four arrays and the
//! optimiser one sweep. The norm of the gradients is that of the ranges that move. Nothing is allocated once the scratch is
//! large enough.

use super::kernel::{adamw as kernel, ema, norm};
use super::pool::{Pool, Worker};
use super::view::View;
use crate::exec::{AdamStep, Follow, Memory, Slot};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Words between two groups that count as none: the padding of a slot.
const PADDING: usize = 16;

/// Room for sums; grows to what the largest memory needs.
#[derive(Default)]
pub(super) struct Sums(Mutex<Vec<f32>>);

/// The flat arrays as views.
#[derive(Clone, Copy)]
struct Arrays {
    parameters: View,
    gradients: View,
    first: View,
    second: View,
}

fn view(array: &mut [f32]) -> View {
    // SAFETY: the memory is borrowed for the whole update, and the kernels' jobs write disjoint words.
    unsafe { View::new(array.as_mut_ptr(), array.len()) }
}

/// One AdamW step; the norm of the gradients before clipping.
pub(super) fn adamw(pool: &Pool, sums: &Sums, memory: &mut Memory, step: &AdamStep) -> f64 {
    let arrays = Arrays {
        parameters: view(&mut memory.parameters),
        gradients: view(&mut memory.gradients),
        first: view(&mut memory.first),
        second: view(&mut memory.second),
    };
    let mut sums = sums.0.lock().unwrap_or_else(PoisonError::into_inner);
    // Two words for the sum and the scale, the rest for partial sums.
    let words = 2 + norm::scratch_words(arrays.gradients.len());
    if sums.len() < words {
        sums.resize(words, 0.0);
    }
    let total = norm_of(pool, arrays.gradients, step, view(&mut sums));
    sums[1] = step.clip.map_or(1.0, |clip| (clip / (total + 1e-6)).min(1.0)) as f32;
    let scale = step.clip.map(|_| view(&mut sums).part(1, 1));
    pool.run(&|worker| step.groups.iter().for_each(|group| sweep(worker, step, group, arrays, scale)));
    total
}

/// The global norm over all groups.
fn norm_of(pool: &Pool, gradients: View, step: &AdamStep, sums: View) -> f64 {
    let mut total = 0.0;
    let mut add = |range: Range<usize>| {
        let part = gradients.part(range.start, range.len());
        pool.run(&|worker| norm::sum_of_squares(worker, part, sums.part(0, 1), sums.from(2)));
        total += f64::from(sums.read()[0]);
    };
    let mut open = 0..0;
    for group in &step.groups {
        if group.start >= open.end && group.start - open.end < PADDING && !open.is_empty() {
            open.end = group.end;
        } else {
            add(std::mem::replace(&mut open, group.start..group.end));
        }
    }
    add(open);
    total.sqrt()
}

fn sweep(worker: &Worker, step: &AdamStep, group: &crate::exec::AdamGroup, on: Arrays, scale: Option<View>) {
    let rates = kernel::AdamW {
        rate: step.rate * group.factor,
        beta1: step.betas[0],
        beta2: step.betas[1],
        epsilon: step.eps,
        decay: group.decay,
        step: step.count,
        clamp: group.clamp.map(|(low, high)| (low as f32, high as f32)),
    };
    let part = |view: View| view.part(group.start, group.end - group.start);
    kernel::step(
        worker,
        &rates,
        part(on.parameters),
        part(on.gradients),
        part(on.first),
        part(on.second),
        scale,
    );
}

/// Moves the twins; a twin without an original stays.
pub(super) fn follow(pool: &Pool, memory: &mut Memory, rates: &[Follow]) {
    let (parameters, twins) = (view(&mut memory.parameters), view(&mut memory.twins));
    let layout = &memory.layout;
    let part = |view: View, slot: &Slot| view.part(slot.start, slot.words());
    pool.run(&|worker| {
        for follow in rates {
            for (key, twin) in &layout.twins {
                let original =
                    key.strip_prefix(follow.prefix.as_str()).and_then(|path| layout.parameters.get(path));
                if let Some(original) = original.filter(|original| original.words() == twin.words()) {
                    ema::step(worker, follow.rate as f32, part(parameters, original), part(twins, twin));
                }
            }
        }
    });
}
