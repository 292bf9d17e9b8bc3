//! The gradients of attention: (q, k, v, [mask], [bias], y, dy) to one flat tensor, dq, dk, dv and dbias one after the other.
//!
//! With p the weights, d the dropout factors and `g = d (dy . v)`: `dv = (d p)' dy`, `ds = p (g - sum p g)`,
//! `dq = ds k / sqrt K`, `dk = ds' q / sqrt K`, `dbias = sum over rows of ds`. One node has one output, so the parts are taken
//! out by slices of the flat tensor, which are views.
//!
//! C1: y and dy have the shape of the attention's result.

use super::attend::{Work, variants};
use super::{Array, Attend, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Shape, Size};
use serde::{Deserialize, Serialize};

/// dq, dk, dv and dbias, flat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttendGrad {
    /// The attention.
    pub of: Attend,
}

impl Rule for AttendGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let arity = self.of.arity();
        if operands.len() != arity + 2 {
            return Err(Misfit::new("C1", format!("expected {} operands, found {}", arity + 2, operands.len())));
        }
        let y = self.of.infer(&operands[..arity])?;
        if *operands[arity] != y || *operands[arity + 1] != y {
            return Err(Misfit::new("C1", format!("y and dy must be {y}")));
        }
        let (_, bias) = self.of.extras();
        let mut counts = (0..3).chain(bias).map(|i| operands[i].count());
        let total = counts.try_fold(Size::from(0i64), |sum, n| Some(sum + n?));
        match total {
            Some(total) => Ok(Shape::float([total])),
            None => Err(Misfit::new("C1", "the product of two batch sizes is not a size")),
        }
    }

    fn eval(&self, operands: &[&Array], context: &Context) -> Array {
        let arity = self.of.arity();
        let work = Work::new(&self.of, &operands[..arity], context);
        let (q, k, v, dy) = (operands[0], operands[1], operands[2], operands[arity + 1]);
        let [b, h, n, m, width, values] = work.dims;
        let scale = 1.0 / (width as f64).sqrt();
        let (mut dq, mut dk, mut dv) = (vec![0.0; q.data.len()], vec![0.0; k.data.len()], vec![0.0; v.data.len()]);
        let mut dbias = vec![0.0; if self.of.bias { h * n * m } else { 0 }];
        for (row, head, i) in (0..b * h * n).map(|x| (x / (h * n), x / n % h, x % n)) {
            let p = work.weights(row, head, i);
            let d: Vec<f64> = (0..m).map(|j| work.kept(row, head, i, j)).collect();
            let mut g = vec![0.0; m];
            for (j, c) in (0..m * values).map(|x| (x / values, x % values)) {
                let up = dy.data[work.value_place(row, head, i, c, n)];
                let at = work.value_place(row, head, j, c, m);
                g[j] += d[j] * up * v.data[at];
                dv[at] += d[j] * p[j] * up;
            }
            let dot: f64 = p.iter().zip(&g).map(|(p, g)| p * g).sum();
            for j in 0..m {
                let ds = p[j] * (g[j] - dot);
                if let Some(place) = dbias.get_mut((head * n + i) * m + j) {
                    *place += ds;
                }
                for c in 0..width {
                    let (qi, kj) = (work.key_place(row, head, i, c, n), work.key_place(row, head, j, c, m));
                    dq[qi] += ds * scale * k.data[kj];
                    dk[kj] += ds * scale * q.data[qi];
                }
            }
        }
        let data: Vec<f64> = [dq, dk, dv, dbias].concat();
        Array { dims: vec![data.len()], data }
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        let flops = self.of.extent(operands).map_or(0, |e| {
            2 * e.b.len() * e.h.len() * e.n.len() * e.m.len() * (3 * e.k.len() + 2 * e.v.len() + 8)
        });
        Facts::new(Class::Contraction, flops)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let context = Context {
            seed: 0,
            stage: "samples".into(),
            step: 0,
            time: crate::recipe::Timeline { length: 1, epoch: 1 },
            first_row: 0,
        };
        let case = |(of, n, m): (Attend, usize, usize)| {
            let mut operands = of.sample_operands(seed, n, m);
            let arrays: Vec<&Array> = operands.iter().map(|(_, a)| a).collect();
            let y = of.eval(&arrays, &context);
            let dy = Array::random(seed, "dy", &y.dims);
            operands.extend([(crate::shape::Kind::Float, y), dy]);
            Sample::new(Self { of }, operands)
        };
        variants().into_iter().map(case).collect()
    }
}
