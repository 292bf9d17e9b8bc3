//! Cross entropy of logits [.., K] against ids [..] (`-log p`) or probabilities [.., K] (`-sum t log p`).
//!
//! The mean over the positions where `only` holds (all without it), 0 if there are none; `per_row` gives the sum over each
//! row's positions, [B]. Smoothing s: `(1 - s)` of the loss plus s times the mean of `-log p` over the classes.
//! Operands logits, target, then the condition [..] if `only`.
//!
//! C1: the target fits the logits. C2: the condition has the shape of the positions. C3: per row needs rows.
//! Gradients: [`CrossEntropyGrad`](super::CrossEntropyGrad) for logits, `-log p` for probabilities.

use super::pointwise::{both, of_kind};
use super::softmax::log_softmax;
use super::{
    Array, Backward, Broadcast, Class, Context, CrossEntropyGrad, Facts, Fill, LogSoftmax, Misfit, Multiply, Rule, Sample,
    Value,
};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// Cross entropy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossEntropy {
    /// The share that goes to all classes alike.
    pub smooth: f64,
    /// A sum for each row instead of one mean.
    pub per_row: bool,
    /// There is a condition on positions.
    pub only: bool,
}

impl Rule for CrossEntropy {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let wrong = || Misfit::new("C1", "expected logits [.., K], target and perhaps a condition");
        let [logits, target] = operands.get(..2).and_then(|o| <[&Shape; 2]>::try_from(o).ok()).ok_or_else(wrong)?;
        of_kind(logits, Kind::Float)?;
        let (_, positions) = logits.sizes.split_last().ok_or_else(wrong)?;
        let wanted = if target.kind == Kind::Ids { positions } else { &logits.sizes[..] };
        if target.sizes[..] != *wanted || operands.len() != 2 + usize::from(self.only) {
            return Err(Misfit::new("C1", format!("{target} is no target for {logits}")));
        }
        if let Some(only) = operands.get(2) {
            of_kind(only, Kind::Condition)?;
            if only.sizes[..] != *positions {
                return Err(Misfit::new("C2", format!("the condition {only} has other positions than {logits}")));
            }
        }
        match (self.per_row, positions.first()) {
            (false, _) => Ok(Shape::scalar()),
            (true, Some(rows)) => Ok(Shape::float([rows.clone()])),
            (true, None) => Err(Misfit::new("C3", "per row needs rows")),
        }
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let mut operands = at.operands.to_vec();
        operands.push(at.dy);
        let logits = at.wanted[0].then(|| at.build.add(CrossEntropyGrad { of: self.clone() }.into(), &operands));
        let target = at.wanted[1].then(|| self.target_grad(at));
        let mut grads = vec![logits, target];
        grads.resize(at.operands.len(), None);
        grads
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let losses = self.positions(operands);
        if self.per_row {
            let rows = operands[0].dims[0];
            let each = losses.len() / rows.max(1);
            let sums = losses.chunks(each.max(1)).map(|row| row.iter().flatten().sum()).collect();
            return Array { dims: vec![rows], data: sums };
        }
        let counted = losses.iter().flatten().count();
        Array { dims: vec![], data: vec![losses.iter().flatten().sum::<f64>() / counted.max(1) as f64] }
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        Facts::new(Class::Reduction, 12 * operands[0].elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        variants(seed).into_iter().map(|(op, operands)| Sample::new(op, operands)).collect()
    }
}

impl CrossEntropy {
    /// The loss of each position, none where it does not count.
    fn positions(&self, operands: &[&Array]) -> Vec<Option<f64>> {
        let (logits, target) = (operands[0], operands[1]);
        let soft = target.dims.len() == logits.dims.len();
        let one = |(i, row): (usize, &[f64])| {
            if !self.counts(operands, i) {
                return None;
            }
            let log_p = log_softmax(row);
            let k = row.len();
            let hit: f64 = if soft {
                target.data[i * k..(i + 1) * k].iter().zip(&log_p).map(|(t, l)| t * l).sum()
            } else {
                log_p[target.data[i] as usize]
            };
            let even = log_p.iter().sum::<f64>() / k as f64;
            Some(-(1.0 - self.smooth) * hit - self.smooth * even)
        };
        logits.rows().enumerate().map(one).collect()
    }

    /// Whether a position counts.
    pub fn counts(&self, operands: &[&Array], position: usize) -> bool {
        !self.only || operands[2].data[position] != 0.0
    }

    /// `-log p` where the gradient of the logits would be `p - t`: the same weights, built from smaller ops.
    fn target_grad(&self, at: &mut Backward<'_>) -> Value {
        let shape = at.build.shape(at.operands[0]);
        let log_p = at.build.add(LogSoftmax.into(), &[at.operands[0]]);
        let weights = self.weights(at);
        let axes = (0..shape.rank() - 1).collect();
        let weights = at.build.add(Broadcast { sizes: shape.sizes, axes }.into(), &[weights]);
        let scale = at.build.add(Fill { shape: Shape::scalar(), value: self.smooth - 1.0 }.into(), &[]);
        let part = both(at.build, Multiply, log_p, weights);
        both(at.build, Multiply, part, scale)
    }

    /// What the loss of each position is multiplied with: dy over the count.
    fn weights(&self, at: &mut Backward<'_>) -> Value {
        use super::{Choose, Compare, Divide, Relation, SumLeading, ToFloat};
        let logits = at.build.shape(at.operands[0]);
        let positions = Shape::float(logits.sizes[..logits.rank() - 1].to_vec());
        let rank = positions.rank();
        let marks = if self.only {
            at.build.add(ToFloat.into(), &[at.operands[2]])
        } else {
            at.build.add(Fill { shape: positions.clone(), value: 1.0 }.into(), &[])
        };
        if self.per_row {
            let dy = at.build.add(Broadcast { sizes: positions.sizes, axes: vec![0] }.into(), &[at.dy]);
            return both(at.build, Multiply, marks, dy);
        }
        let count = at.build.add(SumLeading { axes: rank }.into(), &[marks]);
        let one = at.build.add(Fill { shape: Shape::scalar(), value: 1.0 }.into(), &[]);
        let some = both(at.build, Compare { relation: Relation::Greater }, count, one);
        let count = at.build.add(Choose.into(), &[some, count, one]);
        let each = both(at.build, Divide, at.dy, count);
        both(at.build, Multiply, marks, each)
    }
}

/// The kinds of cross entropy to try.
pub fn variants(seed: u64) -> Vec<(CrossEntropy, Vec<(Kind, Array)>)> {
    let op = |smooth, per_row, only| CrossEntropy { smooth, per_row, only };
    let logits = |dims: &[usize]| Array::random(seed, "logits", dims);
    let ids = |dims: &[usize], k| Array::ids(seed, "ids", dims, k);
    let (kind, even) = Array::random(seed, "soft", &[3, 4, 5]);
    let soft = (kind, even.map_rows(super::softmax::softmax));
    let only = Array::conditions(seed, "only", &[3, 4]);
    let nothing = (Kind::Condition, Array::filled(&[3, 4], 0.0));
    vec![
        (op(0.0, false, false), vec![logits(&[6, 5]), ids(&[6], 5)]),
        (op(0.1, false, true), vec![logits(&[3, 4, 5]), ids(&[3, 4], 5), only.clone()]),
        (op(0.0, false, true), vec![logits(&[3, 4, 5]), soft.clone(), only.clone()]),
        (op(0.2, true, true), vec![logits(&[3, 4, 5]), ids(&[3, 4], 5), only]),
        (op(0.0, true, false), vec![logits(&[3, 4, 5]), soft]),
        (op(0.0, false, true), vec![logits(&[3, 4, 5]), ids(&[3, 4], 5), nothing]),
        (op(0.0, false, false), vec![logits(&[1, 1]), ids(&[1], 1)]),
    ]
}

