//! Optimisers and the momentum of twins, in `f64` over the words of memory.
//!
//! As in PyTorch: clip by the global norm, decay, moments, bias corrections, step; then the clamp.

use super::super::{Follow, Group, Memory, Update, adafactor};
use crate::recipe::Method;

/// One step; the norm before clipping.
pub fn update(memory: &mut Memory, update: &Update) -> f64 {
    let words = update.groups.iter().flat_map(|group| group.start..group.end);
    let norm = words.map(|i| f64::from(memory.gradients[i]).powi(2)).sum::<f64>().sqrt();
    let scale = update.scale(norm);
    for group in &update.groups {
        let steps = steps(memory, update, group, scale);
        (group.start..group.end).zip(steps).for_each(|(word, step)| step_word(memory, group, word, step));
    }
    norm
}

/// Where every word of a group goes, before the clamp.
fn steps(memory: &mut Memory, update: &Update, group: &Group, scale: f64) -> Vec<f64> {
    let rate = update.rate * group.factor;
    let shrink = 1.0 - rate * group.decay;
    let gradients: Vec<f64> =
        (group.start..group.end).map(|word| scale * f64::from(memory.gradients[word])).collect();
    let old: Vec<f64> = (group.start..group.end).map(|word| f64::from(memory.parameters[word])).collect();
    let moved = |steps: Vec<f64>| old.iter().zip(steps).map(|(p, step)| p * shrink - rate * step).collect();
    match update.method {
        Method::AdamW { betas, eps } => moved(adam(memory, group, &gradients, betas, eps, update.count)),
        Method::Lamb { betas, eps } => {
            let steps = adam(memory, group, &gradients, betas, eps, update.count);
            let steps: Vec<f64> = steps.iter().zip(&old).map(|(step, p)| step + group.decay * p).collect();
            let ratio = if group.decay == 0.0 { 1.0 } else { trust(norm(&old), norm(&steps)) };
            old.iter().zip(steps).map(|(p, step)| p - rate * ratio * step).collect()
        }
        Method::Adafactor { betas: [beta, most] } => {
            let steps = unit(memory, group, &gradients, adafactor::keep(update.count, most));
            moved(momentum(memory, group, &steps, beta, 1.0 - beta))
        }
        Method::Sgd { momentum: 0.0 } => moved(gradients),
        Method::Sgd { momentum: share } => moved(momentum(memory, group, &gradients, share, 1.0)),
    }
}

fn step_word(memory: &mut Memory, group: &Group, word: usize, to: f64) {
    let (least, most) = group.clamp.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    memory.parameters[word] = to.max(least).min(most) as f32;
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// What LAMB multiplies a step of this norm with, for a parameter of that norm.
fn trust(parameter: f64, step: f64) -> f64 {
    if parameter > 0.0 && step > 0.0 { parameter / step } else { 1.0 }
}

/// The moments of Adam move; its steps.
fn adam(
    memory: &mut Memory,
    group: &Group,
    gradients: &[f64],
    [beta, gamma]: [f64; 2],
    eps: f64,
    count: u64,
) -> Vec<f64> {
    let step = |(word, gradient): (usize, &f64)| {
        let first = beta * f64::from(memory.first[word]) + (1.0 - beta) * gradient;
        let second = gamma * f64::from(memory.second[word]) + (1.0 - gamma) * gradient * gradient;
        (memory.first[word], memory.second[word]) = (first as f32, second as f32);
        let [mean, spread] = [(first, beta), (second, gamma)].map(|(m, b)| m / (1.0 - b.powf(count as f64)));
        mean / (spread.sqrt() + eps)
    };
    (group.start..group.end).zip(gradients).map(step).collect()
}

/// `m = share m + part x`, the steps of momentum.
fn momentum(memory: &mut Memory, group: &Group, x: &[f64], share: f64, part: f64) -> Vec<f64> {
    let step = |(word, x): (usize, &f64)| {
        let moved = share * f64::from(memory.first[word]) + part * x;
        memory.first[word] = moved as f32;
        moved
    };
    (group.start..group.end).zip(x).map(step).collect()
}

/// Gradients over the roots of Adafactor's second moments, which keep `keep` of what they were.
fn unit(memory: &mut Memory, group: &Group, gradients: &[f64], keep: f64) -> Vec<f64> {
    let squares: Vec<f64> = gradients.iter().map(|g| g * g + adafactor::EPS).collect();
    let mut moment = |word: usize, mean: f64| {
        let moved = keep * f64::from(memory.second[word]) + (1.0 - keep) * mean;
        memory.second[word] = moved as f32;
        moved
    };
    let Some(width) = group.factored else {
        let roots = (group.start..).zip(&squares).map(|(word, square)| moment(word, *square).sqrt());
        return gradients.iter().zip(roots).map(|(g, root)| g / root).collect();
    };
    let height = gradients.len() / width;
    let row = |i: usize| squares[i * width..(i + 1) * width].iter().sum::<f64>() / width as f64;
    let column = |j: usize| squares.iter().skip(j).step_by(width).sum::<f64>() / height as f64;
    let rows: Vec<f64> = (0..height).map(|i| moment(group.start + i, row(i))).collect();
    let columns: Vec<f64> = (0..width).map(|j| moment(group.start + height + j, column(j))).collect();
    let mean = rows.iter().sum::<f64>() / height as f64;
    let root = |at: usize| (rows[at / width] / mean * columns[at % width]).sqrt();
    gradients.iter().enumerate().map(|(at, g)| g / root(at)).collect()
}

/// Twins whose keys begin with the prefix move towards the originals that the rest of the key names.
pub fn follow(memory: &mut Memory, follow: &Follow) {
    for (key, slot) in &memory.layout.twins {
        let original = key.strip_prefix(&follow.prefix).and_then(|path| memory.layout.parameters.get(path));
        let Some(original) = original else { continue };
        for (twin, word) in slot.range().zip(original.range()) {
            let moved = follow.rate * f64::from(memory.twins[twin])
                + (1.0 - follow.rate) * f64::from(memory.parameters[word]);
            memory.twins[twin] = moved as f32;
        }
    }
}
