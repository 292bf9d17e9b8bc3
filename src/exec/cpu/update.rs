//! What follows a step: an optimiser over the flat parameters, twins that follow their originals.
//!
//! Parameters, gradients and moments share their slots, so a group of parameters is one range of four arrays. The norm of
//! the gradients is that of the ranges that move. Nothing is allocated once the scratch is large enough.

use super::kernel::{adafactor, adamw, descend, ema, lamb, norm};
use super::pool::{Pool, Worker};
use super::view::View;
use crate::exec::{Follow, Group, Memory, Slot, Update, adafactor as constants};
use crate::recipe::Method;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Words between two groups that count as none: the padding of a slot.
const PADDING: usize = 16;

/// Room for sums; grows to what the largest memory needs.
#[derive(Default)]
pub(super) struct Sums(Mutex<Vec<f32>>);

/// Words of sums with a meaning: a total, what gradients are multiplied with, and two of a tensor.
const TOTAL: usize = 0;
const SCALE: usize = 1;
const OF_TENSOR: [usize; 2] = [2, 3];
/// Where partial sums begin.
const PARTIAL: usize = 4;

/// The flat arrays as views; moments that are not kept have no words.
#[derive(Clone, Copy)]
struct Arrays {
    parameters: View,
    gradients: View,
    first: View,
    second: View,
}

impl Arrays {
    /// The words of a group.
    fn of(self, group: &Group) -> Self {
        let part = |view: View| {
            if view.is_empty() { view } else { view.part(group.start, group.end - group.start) }
        };
        Self {
            parameters: part(self.parameters),
            gradients: part(self.gradients),
            first: part(self.first),
            second: part(self.second),
        }
    }
}

fn view(array: &mut [f32]) -> View {
    // SAFETY: the memory is borrowed for the whole update, and the kernels' jobs write disjoint words.
    unsafe { View::new(array.as_mut_ptr(), array.len()) }
}

/// One step of an optimiser; the norm of the gradients before clipping.
pub(super) fn update(pool: &Pool, sums: &Sums, memory: &mut Memory, update: &Update) -> f64 {
    let arrays = Arrays {
        parameters: view(&mut memory.parameters),
        gradients: view(&mut memory.gradients),
        first: view(&mut memory.first),
        second: view(&mut memory.second),
    };
    let mut sums = sums.0.lock().unwrap_or_else(PoisonError::into_inner);
    let words = PARTIAL + norm::scratch_words(arrays.gradients.len());
    if sums.len() < words {
        sums.resize(words, 0.0);
    }
    let total = norm_of(pool, arrays.gradients, update, view(&mut sums));
    sums[SCALE] = update.scale(total) as f32;
    let sums = view(&mut sums);
    pool.run(&|worker| {
        for group in &update.groups {
            Step { worker, update, group, sums }.sweep(arrays.of(group));
        }
    });
    total
}

/// The global norm over all groups.
fn norm_of(pool: &Pool, gradients: View, update: &Update, sums: View) -> f64 {
    let mut total = 0.0;
    let mut add = |range: Range<usize>| {
        let part = gradients.part(range.start, range.len());
        pool.run(&|worker| norm::sum_of_squares(worker, part, sums.part(TOTAL, 1), sums.from(PARTIAL)));
        total += f64::from(sums.read()[TOTAL]);
    };
    let mut open = 0..0;
    for group in &update.groups {
        if group.start >= open.end && group.start - open.end < PADDING && !open.is_empty() {
            open.end = group.end;
        } else {
            add(std::mem::replace(&mut open, group.start..group.end));
        }
    }
    add(open);
    total.sqrt()
}

/// One group of a step, as a worker sees it.
struct Step<'s, 'w> {
    worker: &'s Worker<'w>,
    update: &'s Update,
    group: &'s Group,
    sums: View,
}

impl Step<'_, '_> {
    fn sweep(&self, on: Arrays) {
        match self.update.method {
            Method::AdamW { betas, eps } => self.adamw(self.adam(betas, eps), on),
            Method::Lamb { betas, eps } => self.lamb(self.adam(betas, eps), on),
            Method::Adafactor { betas } => self.adafactor(betas, on),
            Method::Sgd { momentum } => self.sgd(momentum as f32, on),
        }
    }

    fn rate(&self) -> f64 {
        self.update.rate * self.group.factor
    }

    /// What gradients are multiplied with.
    fn scale(&self) -> f32 {
        self.sums.read()[SCALE]
    }

    fn adam(&self, betas: [f64; 2], eps: f64) -> adamw::AdamW {
        adamw::AdamW {
            rate: self.rate(),
            beta1: betas[0],
            beta2: betas[1],
            epsilon: eps,
            decay: self.group.decay,
            step: self.update.count,
            clamp: self.group.clamp.map(|(low, high)| (low as f32, high as f32)),
        }
    }

    fn descent(&self, shrink: f64, rate: f64) -> descend::Descent {
        let (low, high) = self.group.clamp.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        descend::Descent { shrink: shrink as f32, rate: rate as f32, bounds: [low as f32, high as f32] }
    }

    /// What decoupled weight decay leaves.
    fn shrink(&self) -> f64 {
        1.0 - self.rate() * self.group.decay
    }

    fn adamw(&self, settings: adamw::AdamW, on: Arrays) {
        let scale = self.update.clip.map(|_| self.sums.part(SCALE, 1));
        adamw::step(self.worker, &settings, on.parameters, on.gradients, on.first, on.second, scale);
    }

    /// The gradients become the direction; its norm, and that of the parameters, say how far.
    fn lamb(&self, settings: adamw::AdamW, on: Arrays) {
        let (p, d) = (on.parameters, on.gradients);
        lamb::direction(self.worker, &settings, p, d, on.first, on.second, self.scale());
        self.worker.barrier();
        let ratio = if self.group.decay == 0.0 { 1.0 } else { self.trust([p, d]) };
        descend::step(self.worker, self.descent(1.0, self.rate() * ratio), p, d);
    }

    /// The norm of the first array over that of the second, 1 if either is 0. Holds four barriers.
    fn trust(&self, arrays: [View; 2]) -> f64 {
        for (array, word) in arrays.into_iter().zip(OF_TENSOR) {
            norm::sum_of_squares(self.worker, array, self.sums.part(word, 1), self.sums.from(PARTIAL));
            self.worker.barrier();
        }
        let [parameter, direction] = OF_TENSOR.map(|word| f64::from(self.sums.read()[word]).sqrt());
        if parameter > 0.0 && direction > 0.0 { parameter / direction } else { 1.0 }
    }

    fn adafactor(&self, [beta, most]: [f64; 2], on: Arrays) {
        let settings = adafactor::Adafactor {
            scale: self.scale(),
            keep: constants::keep(self.update.count, most) as f32,
            beta: beta as f32,
            descent: self.descent(self.shrink(), self.rate()),
        };
        let on = adafactor::Arrays { p: on.parameters, g: on.gradients, m: on.first, v: on.second };
        match self.group.factored {
            None => adafactor::whole(self.worker, settings, on),
            Some(width) => {
                let mean = self.sums.part(OF_TENSOR[0], 1);
                adafactor::matrix(self.worker, settings, width, on, mean);
            }
        }
    }

    fn sgd(&self, momentum: f32, on: Arrays) {
        if momentum == 0.0 {
            let descent = self.descent(self.shrink(), self.rate() * f64::from(self.scale()));
            return descend::step(self.worker, descent, on.parameters, on.gradients);
        }
        descend::mix(self.worker, momentum, self.scale(), on.gradients, on.first);
        self.worker.barrier();
        descend::step(self.worker, self.descent(self.shrink(), self.rate()), on.parameters, on.first);
    }
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
