//! A linear map: `x @ w + b` with x [.., I], w [I, O], b [O].
//!
//! C1: the inner sizes agree. C2: the bias has the columns of w. Made from a product and a sum by fusion.

use super::matmul::rows;
use super::pointwise::count;
use super::{Add, Array, Backward, Build, Class, Context, Facts, Matmul, Misfit, Reshape, Rule, Sample, SumLeading, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `x @ w + b`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear;

const PRODUCT: Matmul = Matmul { transpose_left: false, transpose_right: false };

impl Rule for Linear {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, w, b] = count(operands)?;
        let y = PRODUCT.infer(&[x, w])?;
        if w.rank() != 2 || b.rank() != 1 || b.sizes[0] != w.sizes[1] {
            return Err(Misfit::new("C2", format!("the bias {b} must have the columns of {w}")));
        }
        Ok(y)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [x, w] = [at.operands[0], at.operands[1]];
        let rank = at.build.shape(x).rank();
        let (flat_x, flat_dy) = if rank > 2 { (rows(at.build, x), rows(at.build, at.dy)) } else { (x, at.dy) };
        let dx = at.wanted[0].then(|| {
            let dx = at.build.add(Matmul { transpose_left: false, transpose_right: true }.into(), &[flat_dy, w]);
            let sizes = at.build.shape(x).sizes;
            if rank > 2 { at.build.add(Reshape { sizes }.into(), &[dx]) } else { dx }
        });
        let dw = at.wanted[1].then(|| {
            at.build.add(Matmul { transpose_left: true, transpose_right: false }.into(), &[flat_x, flat_dy])
        });
        let db = at.wanted[2].then(|| {
            if rank == 1 { at.dy } else { at.build.add(SumLeading { axes: 1 }.into(), &[flat_dy]) }
        });
        vec![dx, dw, db]
    }

    fn eval(&self, operands: &[&Array], context: &Context) -> Array {
        let y = PRODUCT.eval(&operands[..2], context);
        super::pointwise::zip(&y, operands[2], |y, b| y + b)
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let y = build.add(PRODUCT.into(), &operands[..2]);
        Some(build.add(Add.into(), &[y, operands[2]]))
    }

    fn facts(&self, operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Contraction, (2 * operands[1].sizes[0].len() + 1) * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let cases: [(&[usize], usize, usize); 3] = [(&[3, 4], 4, 5), (&[2, 3, 4], 4, 6), (&[1, 1], 1, 1)];
        cases
            .map(|(x, i, o)| {
                let w = Array::random(seed, "w", &[i, o]);
                Sample::new(Self, [Array::random(seed, "x", x), w, Array::random(seed, "b", &[o])])
            })
            .to_vec()
    }
}
