//! Whole words in random order until enough tokens of the row are picked.
//!
//! Operands valid, eligible, begins [B, T], all conditions: which places of a row are used, which of them may be picked,
//! and where a word begins. A word is a run of eligible places up to the next that begins one or is not eligible. With n
//! valid places, words are taken until `min(max(round(rate n), at_least), n - spare)` tokens are picked or none is left; the
//! order is that of the numbers drawn at the first places of the words.
//!
//! C1: three conditions of one shape [B, T].

use super::pointwise::{count, of_kind};
use super::{Array, Class, Context, Draw, Facts, Misfit, Rule, Sample};
use crate::random::Stream;
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// Whole words in random order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PickWords {
    /// The share of a row's valid places.
    pub rate: f64,
    /// Never fewer than this.
    pub at_least: usize,
    /// Valid places that are never picked.
    pub spare: usize,
    /// Where the draws come from.
    pub draw: Draw,
}

/// The conditions of one row.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// Used places.
    pub valid: &'a [f32],
    /// Those that may be picked.
    pub eligible: &'a [f32],
    /// Where a word begins.
    pub begins: &'a [f32],
}

impl Places<'_> {
    fn eligible(&self, i: usize) -> bool {
        self.eligible[i] != 0.0
    }

    fn starts(&self, i: usize) -> bool {
        self.eligible(i) && (i == 0 || !self.eligible(i - 1) || self.begins[i] != 0.0)
    }
}

impl PickWords {
    /// Picks in one row, 1 where picked.
    pub fn fill(&self, picked: &mut [f32], places: Places<'_>, stream: Stream, row: u32) {
        picked.fill(0.0);
        let valid = places.valid.iter().filter(|x| **x != 0.0).count();
        let share = (self.rate * valid as f64).round().max(0.0) as usize;
        let target = share.max(self.at_least).min(valid.saturating_sub(self.spare));
        let mut done = 0;
        while done < target {
            let key = |i: &usize| stream.uniform(row, *i as u32);
            let open = (0..picked.len()).filter(|i| picked[*i] == 0.0 && places.starts(*i));
            let Some(start) = open.min_by(|a, b| key(a).total_cmp(&key(b))) else { return };
            let end = (start + 1..picked.len()).find(|i| !places.eligible(*i) || places.starts(*i));
            let end = end.unwrap_or(picked.len());
            picked[start..end].fill(1.0);
            done += end - start;
        }
    }
}

impl Rule for PickWords {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let conditions: [&Shape; 3] = count(operands)?;
        for condition in conditions {
            of_kind(condition, Kind::Condition)?;
            if condition.rank() != 2 || condition.sizes != conditions[0].sizes {
                return Err(Misfit::new("C1", format!("expected conditions [B, T] of one shape, found {condition}")));
            }
        }
        Ok(conditions[0].clone())
    }

    fn eval(&self, operands: &[&Array], context: &Context) -> Array {
        let narrow = |array: &Array| array.data.iter().map(|x| *x as f32).collect::<Vec<f32>>();
        let [valid, eligible, begins] = [0, 1, 2].map(|i| narrow(operands[i]));
        let (stream, n) = (context.stream(&self.draw), operands[0].width());
        let mut picked = vec![0.0; valid.len()];
        for (row, picked) in picked.chunks_mut(n.max(1)).enumerate() {
            let of = row * n..(row + 1) * n;
            let places =
                Places { valid: &valid[of.clone()], eligible: &eligible[of.clone()], begins: &begins[of] };
            self.fill(picked, places, stream, row as u32);
        }
        Array { dims: operands[0].dims.clone(), data: picked.into_iter().map(f64::from).collect() }
    }

    fn facts(&self, operands: &[&Shape], result: &Shape) -> Facts {
        let width = operands[0].sizes.last().map_or(1, crate::shape::Size::len);
        Facts::new(Class::Random, result.elements() * width)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let draw = Draw { path: "words".into(), rows: true };
        let op = |rate, at_least, spare| Self { rate, at_least, spare, draw: draw.clone() };
        let case = |op: Self, b: usize, t: usize| {
            let used = Array::from_fn(&[b, t], |at| f64::from(u8::from(at[1] < t - at[0])));
            let open = Array::from_fn(&[b, t], |at| f64::from(u8::from(at[1] > 0 && at[1] + 1 < t - at[0])));
            let condition = |array| (Kind::Condition, array);
            Sample::new(op, [condition(used), condition(open), Array::conditions(seed, "begins", &[b, t])])
        };
        vec![case(op(0.15, 1, 0), 4, 12), case(op(0.7, 0, 1), 3, 9), case(op(1.0, 1, 0), 2, 5), case(op(0.5, 1, 0), 1, 1)]
    }
}
