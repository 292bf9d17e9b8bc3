//! Dropout (Srivastava et al., 2014): kept entries times `1 / (1 - share)`; per row it drops whole rows (stochastic depth).
//!
//! An entry is kept if its draw is at least `share`. Gradient: the same draws on dy.

use super::pointwise::unary;
use super::{Array, Backward, Class, Context, Draw, Facts, Misfit, Rule, Sample, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Kept entries times `1 / (1 - share)`, others 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// The share that is dropped, below 1.
    pub share: f64,
    /// Whether whole rows are dropped.
    pub per_row: bool,
    /// Where the draws come from.
    pub draw: Draw,
}

impl Rule for Dropout {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        unary(operands)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        vec![Some(at.build.add(self.clone().into(), &[at.dy]))]
    }

    fn eval(&self, operands: &[&Array], context: &Context) -> Array {
        let x = operands[0];
        let stream = context.stream(&self.draw);
        let keep = |(i, v): (usize, &f64)| {
            let (row, element) = self.draw.address(&x.dims, i);
            let u = stream.uniform(row, if self.per_row { 0 } else { element });
            if f64::from(u) >= self.share { v / (1.0 - self.share) } else { 0.0 }
        };
        Array { dims: x.dims.clone(), data: x.data.iter().enumerate().map(keep).collect() }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Random, 10 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let op = |per_row, rows| Self { share: 0.3, per_row, draw: Draw { path: "d".into(), rows } };
        vec![
            Sample::new(op(false, true), [Array::random(seed, "x", &[4, 7])]),
            Sample::new(op(true, true), [Array::random(seed, "x", &[5, 2, 3])]),
            Sample::new(op(false, false), [Array::random(seed, "x", &[9])]),
        ]
    }
}
