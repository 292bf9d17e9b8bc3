//! Matrix product `x @ w`, either side transposed by a flag.
//!
//! C1: w has two axes and x at least one (a transposed x two), or both have equal leading axes. C2: the inner sizes agree.
//! Gradients: `dx = dy @ w'`, `dw = x' @ dy`, summed over the leading axes that w lacks.

use super::pointwise::{count, of_kind};
use super::{Array, Backward, Build, Class, Context, Facts, Misfit, Reshape, Rule, Sample, Value};
use crate::shape::{Kind, Shape, Size, Sizes};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// `x @ w`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matmul {
    /// The last two axes of x are swapped first.
    pub transpose_left: bool,
    /// The last two axes of w are swapped first.
    pub transpose_right: bool,
}

impl Matmul {
    /// Leading axes, rows, inner and columns; no rows where x has one axis.
    fn sizes(&self, x: &Shape, w: &Shape) -> Result<(Sizes, Option<[Size; 2]>, [Size; 2]), Misfit> {
        let wrong = || Misfit::new("C1", format!("expected [.., n] @ [n, m] or equal leading axes, found {x} @ {w}"));
        let matrix = |s: &Shape, swap: bool| {
            let (a, b) = (s.sizes[s.rank() - 2].clone(), s.sizes[s.rank() - 1].clone());
            if swap { [b, a] } else { [a, b] }
        };
        if w.rank() < 2 || x.rank() == 0 || (self.transpose_left && x.rank() < 2) {
            return Err(wrong());
        }
        let right = matrix(w, self.transpose_right);
        if x.rank() == 1 {
            return if w.rank() == 2 { Ok((Sizes::new(), None, right)) } else { Err(wrong()) };
        }
        let lead = Sizes::from(&x.sizes[..x.rank() - 2]);
        let shared = w.rank() == 2 && !(self.transpose_left && x.rank() > 2);
        if !shared && lead[..] != w.sizes[..w.rank() - 2] {
            return Err(wrong());
        }
        Ok((lead, Some(matrix(x, self.transpose_left)), right))
    }
}

impl Rule for Matmul {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [x, w] = count(operands)?;
        of_kind(x, Kind::Float)?;
        of_kind(w, Kind::Float)?;
        let (mut sizes, left, [inner, columns]) = self.sizes(x, w)?;
        let width = left.as_ref().map_or(&x.sizes[0], |[_, k]| k);
        if *width != inner {
            return Err(Misfit::new("C2", format!("the inner sizes differ: {width} and {inner}")));
        }
        sizes.extend(left.map(|[rows, _]| rows));
        sizes.push(columns);
        Ok(Shape::float(sizes))
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [x, w] = [at.operands[0], at.operands[1]];
        let (rank, batched) = (at.build.shape(x).rank(), at.build.shape(w).rank() > 2);
        if rank == 2 || batched {
            return self.grad_of_matrices(at, x, w, at.dy);
        }
        let flat_x = rows(at.build, x);
        let flat_dy = rows(at.build, at.dy);
        let mut grads = self.grad_of_matrices(at, flat_x, w, flat_dy);
        let sizes = at.build.shape(x).sizes;
        grads[0] = grads[0].map(|dx| at.build.add(Reshape { sizes }.into(), &[dx]));
        grads
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [x, w] = [operands[0], operands[1]];
        if x.dims.len() == 1 {
            let row = Array { dims: vec![1, x.dims[0]], data: x.data.clone() };
            let y = self.eval(&[&row, w], _context);
            return Array { dims: y.dims[1..].to_vec(), data: y.data };
        }
        let rank = x.dims.len();
        let (a, b) = (x.dims[rank - 2], x.dims[rank - 1]);
        let (n, k) = if self.transpose_left { (b, a) } else { (a, b) };
        let m = w.dims[w.dims.len() - if self.transpose_right { 2 } else { 1 }];
        let lead: usize = x.dims[..rank - 2].iter().product();
        let step = if w.dims.len() == 2 { 0 } else { k * m };
        let mut data = Vec::with_capacity(lead * n * m);
        for l in 0..lead {
            let (xs, ws) = (&x.data[l * n * k..], &w.data[l * step..]);
            for i in 0..n {
                for j in 0..m {
                    let left = |p: usize| if self.transpose_left { xs[p * n + i] } else { xs[i * k + p] };
                    let right = |p: usize| if self.transpose_right { ws[j * k + p] } else { ws[p * m + j] };
                    data.push((0..k).map(|p| left(p) * right(p)).sum());
                }
            }
        }
        let mut dims = x.dims[..rank - 2].to_vec();
        dims.extend([n, m]);
        Array { dims, data }
    }

    fn facts(&self, operands: &[&Shape], result: &Shape) -> Facts {
        let x = operands[0];
        let inner = x.sizes[x.rank() - if self.transpose_left { 2 } else { 1 }].len();
        Facts::new(Class::Contraction, 2 * result.elements() * inner)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let case = |left, right, x: &[usize], w: &[usize]| {
            let op = Self { transpose_left: left, transpose_right: right };
            Sample::new(op, [Array::random(seed, "x", x), Array::random(seed, "w", w)])
        };
        vec![
            case(false, false, &[3, 4], &[4, 5]),
            case(false, true, &[3, 4], &[5, 4]),
            case(true, false, &[4, 3], &[4, 5]),
            case(true, true, &[4, 3], &[5, 4]),
            case(false, false, &[2, 3, 4], &[4, 2]),
            case(false, true, &[2, 3, 4], &[5, 4]),
            case(false, false, &[2, 3, 4], &[2, 4, 5]),
            case(true, false, &[2, 4, 3], &[2, 4, 5]),
            case(false, true, &[2, 3, 4], &[2, 5, 4]),
            case(false, false, &[4], &[4, 3]),
            case(false, false, &[1, 1], &[1, 1]),
        ]
    }
}

impl Matmul {
    /// The four cases of a product of matrices (batched or not).
    fn grad_of_matrices(&self, at: &mut Backward<'_>, x: Value, w: Value, dy: Value) -> Vec<Option<Value>> {
        let (l, r) = (self.transpose_left, self.transpose_right);
        let mut product = |a: Value, b: Value, left: bool, right: bool| {
            at.build.add(Matmul { transpose_left: left, transpose_right: right }.into(), &[a, b])
        };
        let dx = at.wanted[0].then(|| if l { product(w, dy, r, true) } else { product(dy, w, false, !r) });
        let dw = at.wanted[1].then(|| if r { product(dy, x, true, l) } else { product(x, dy, !l, false) });
        vec![dx, dw]
    }
}

/// All axes but the last as rows.
pub fn rows(build: &mut dyn Build, x: Value) -> Value {
    let shape = build.shape(x);
    let Some((width, lead)) = shape.sizes.split_last() else { return x };
    let count = shape.with_sizes(lead.to_vec()).count().unwrap_or_default();
    build.add(Reshape { sizes: smallvec![count, width.clone()] }.into(), &[x])
}
