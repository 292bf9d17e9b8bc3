//! AdamW and the momentum of twins, in `f64` over the words of memory.
//!
//! As in PyTorch: clip by the global norm, decay, moments, bias corrections, step; then the clamp.

use super::super::{AdamGroup, AdamStep, Follow, Memory};

/// One step; the norm before clipping.
pub fn adamw(memory: &mut Memory, step: &AdamStep) -> f64 {
    let words = step.groups.iter().flat_map(|group| group.start..group.end);
    let norm = words.map(|i| f64::from(memory.gradients[i]).powi(2)).sum::<f64>().sqrt();
    let scale = step.clip.map_or(1.0, |clip| (clip / (norm + 1e-6)).min(1.0));
    for group in &step.groups {
        (group.start..group.end).for_each(|word| move_word(memory, step, group, word, scale));
    }
    norm
}

fn move_word(memory: &mut Memory, step: &AdamStep, group: &AdamGroup, word: usize, scale: f64) {
    let [beta, gamma] = step.betas;
    let rate = step.rate * group.factor;
    let gradient = f64::from(memory.gradients[word]) * scale;
    let first = beta * f64::from(memory.first[word]) + (1.0 - beta) * gradient;
    let second = gamma * f64::from(memory.second[word]) + (1.0 - gamma) * gradient * gradient;
    let [mean, spread] = [(first, beta), (second, gamma)].map(|(m, b)| m / (1.0 - b.powf(step.count as f64)));
    let decayed = f64::from(memory.parameters[word]) * (1.0 - rate * group.decay);
    let moved = decayed - rate * mean / (spread.sqrt() + step.eps);
    let (least, most) = group.clamp.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    memory.parameters[word] = moved.max(least).min(most) as f32;
    memory.first[word] = first as f32;
    memory.second[word] = second as f32;
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
