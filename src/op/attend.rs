//! Attention (Vaswani et al., 2017): `softmax(q k' / sqrt K + bias)` over visible keys, dropout on the weights, times v.
//!
//! Operands q, k, v, then a key mask [B, M], a bias [H, N, M] and a relation [N, M] or [B, N, M] if the flags say so: the
//! relation holds where a query may see a key. Two layouts: heads apart,
//! q [B, H, N, K], k [B, H, M, K], v [B, H, M, V] to [B, H, N, V]; or, with `heads: h`, side by side,
//! q [B, N, h K], k [B, M, h K], v [B, M, h V] to [B, N, h V].
//!
//! C1: batch, heads and widths agree. C2: the mask is a condition [B, M], the bias [H, N, M]. C3: causal needs N = M.
//! C4: the relation is a condition [N, M] or [B, N, M].
//! A query that may see no key gives zero. The weight of row b at (h, i, j) is kept by element (h N + i) M + j.
//! Gradients: [`AttendGrad`](super::AttendGrad).

use super::pointwise::{both, of_kind};
use super::{
    And, Array, AttendGrad, Backward, Broadcast, Build, Choose, Class, Compare, Context, Draw, Dropout, Facts, Fill, Matmul,
    Misfit, Multiply, Permute, Range, Relation, Reshape, Rule, Sample, Slice, Softmax, Value,
};
use crate::shape::{Kind, Shape, Size, Sizes};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// Dropout on the attention weights: element (h * N + i) * M + j of row b.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drop {
    /// The share that is dropped.
    pub share: f64,
    /// Where the draws come from.
    pub draw: Draw,
}

/// Attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attend {
    /// The number of heads where they lie side by side; none where they have an axis of their own.
    pub heads: Option<usize>,
    /// No key later than the query is visible.
    pub causal: bool,
    /// There is a key mask.
    pub mask: bool,
    /// There is a bias.
    pub bias: bool,
    /// There is a relation between queries and keys.
    #[serde(default, skip_serializing_if = "is_false")]
    pub relation: bool,
    /// Dropout on the weights.
    pub drop: Option<Drop>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Sizes of an attention.
pub struct Extent {
    /// Batch.
    pub b: Size,
    /// Heads.
    pub h: Size,
    /// Queries.
    pub n: Size,
    /// Keys.
    pub m: Size,
    /// Width of a head's keys.
    pub k: Size,
    /// Width of a head's values.
    pub v: Size,
}

impl Attend {
    /// The sizes of its operands.
    ///
    /// # Errors
    /// C1: they do not agree.
    pub fn extent(&self, operands: &[&Shape]) -> Result<Extent, Misfit> {
        let wrong = || Misfit::new("C1", format!("queries, keys and values do not fit: {}", list(operands)));
        let [q, k, v] = operands.get(..3).and_then(|o| <[&Shape; 3]>::try_from(o).ok()).ok_or_else(wrong)?;
        let parts = |s: &Shape| match (self.heads, s.sizes.as_slice()) {
            (None, [b, h, n, k]) => Some([b.clone(), h.clone(), n.clone(), k.clone()]),
            (Some(h), [b, n, w]) => Some([b.clone(), Size::from(h), n.clone(), w.divided(h as i64)?]),
            _ => None,
        };
        let [q, k, v] = [parts(q).ok_or_else(wrong)?, parts(k).ok_or_else(wrong)?, parts(v).ok_or_else(wrong)?];
        if q[..2] != k[..2] || q[3] != k[3] || k[..3] != v[..3] {
            return Err(wrong());
        }
        let [b, h, n, width] = q;
        let [_, _, m, values] = v;
        Ok(Extent { b, h, n, m, k: width, v: values })
    }

    /// Where the mask and the bias stand among the operands.
    pub fn extras(&self) -> (Option<usize>, Option<usize>) {
        let mask = self.mask.then_some(3);
        (mask, self.bias.then_some(3 + usize::from(self.mask)))
    }

    /// Where the relation stands among the operands.
    pub fn relation_at(&self) -> Option<usize> {
        self.relation.then_some(3 + usize::from(self.mask) + usize::from(self.bias))
    }

    /// How many operands it takes.
    pub fn arity(&self) -> usize {
        3 + usize::from(self.mask) + usize::from(self.bias) + usize::from(self.relation)
    }
}

fn list(shapes: &[&Shape]) -> String {
    shapes.iter().map(|s| s.to_string()).collect::<Vec<_>>().join(", ")
}

impl Rule for Attend {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let Extent { b, h, n, m, k: _, v } = self.extent(operands)?;
        if operands.len() != self.arity() {
            return Err(Misfit::new("C2", format!("expected {} operands, found {}", self.arity(), operands.len())));
        }
        let (mask, bias) = self.extras();
        if let Some(mask) = mask.map(|i| operands[i]) {
            of_kind(mask, Kind::Condition)?;
            if mask.sizes[..] != [b.clone(), m.clone()] {
                return Err(Misfit::new("C2", format!("the mask must be [{b}, {m}], found {mask}")));
            }
        }
        if let Some(bias) = bias.map(|i| operands[i])
            && bias.sizes[..] != [h.clone(), n.clone(), m.clone()]
        {
            return Err(Misfit::new("C2", format!("the bias must be [{h}, {n}, {m}], found {bias}")));
        }
        if let Some(relation) = self.relation_at().map(|i| operands[i]) {
            of_kind(relation, Kind::Condition)?;
            let (pairs, each) = ([n.clone(), m.clone()], [b.clone(), n.clone(), m.clone()]);
            if relation.sizes[..] != pairs && relation.sizes[..] != each {
                return Err(Misfit::new("C4", format!("the relation must be [{n}, {m}] or [{b}, {n}, {m}], found {relation}")));
            }
        }
        if self.causal && n != m {
            return Err(Misfit::new("C3", format!("causal needs as many queries as keys, found {n} and {m}")));
        }
        Ok(match self.heads {
            None => Shape::float([b, h, n, v]),
            Some(heads) => Shape::float([b, n, v * heads as i64]),
        })
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let mut operands = at.operands.to_vec();
        operands.extend([at.result, at.dy]);
        let flat = at.build.add(AttendGrad { of: self.clone() }.into(), &operands);
        let mut start = Size::from(0i64);
        let mut grads = vec![None; at.operands.len()];
        let (_, bias) = self.extras();
        for i in (0..3).chain(bias) {
            let shape = at.build.shape(at.operands[i]);
            let end = start.clone() + shape.count().unwrap_or_default();
            if at.wanted[i] {
                let slice = Slice { axis: 0, start: start.clone(), end: end.clone() };
                let part = at.build.add(slice.into(), &[flat]);
                grads[i] = Some(at.build.add(Reshape { sizes: shape.sizes }.into(), &[part]));
            }
            start = end;
        }
        grads
    }

    fn eval(&self, operands: &[&Array], context: &Context) -> Array {
        let work = Work::new(self, operands, context);
        let [b, h, n, m, _, v] = work.dims;
        let mut y = Array::filled(&self.result_dims(&work), 0.0);
        for (row, head) in (0..b).flat_map(|row| (0..h).map(move |head| (row, head))) {
            for i in 0..n {
                let weights = work.weights(row, head, i);
                for (j, weight) in weights.iter().enumerate().take(m) {
                    let weight = weight * work.kept(row, head, i, j);
                    for c in 0..v {
                        y.data[work.value_place(row, head, i, c, n)] += weight * operands[2].data[work.value_place(row, head, j, c, m)];
                    }
                }
            }
        }
        y
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let shapes: Vec<Shape> = operands.iter().map(|operand| build.shape(*operand)).collect();
        let extent = self.extent(&shapes.iter().collect::<Vec<_>>()).ok()?;
        let [q, k, v] = [0, 1, 2].map(|i| self.heads_apart(build, operands[i]));
        let product = build.add(Matmul { transpose_left: false, transpose_right: true }.into(), &[q, k]);
        let scale = fill(build, 1.0 / (extent.k.number()? as f64).sqrt());
        let mut scores = both(build, Multiply, product, scale);
        if let Some(bias) = self.extras().1 {
            scores = both(build, super::Add, scores, operands[bias]);
        }
        let mut weights = self.visible_weights(build, operands, &extent, scores);
        if let Some(drop) = &self.drop {
            let dropout = Dropout { share: drop.share, draw: drop.draw.clone(), per_row: false };
            weights = build.add(dropout.into(), &[weights]);
        }
        let y = build.add(Matmul { transpose_left: false, transpose_right: false }.into(), &[weights, v]);
        Some(self.heads_together(build, y, &extent))
    }

    fn facts(&self, operands: &[&Shape], result: &Shape) -> Facts {
        let flops = self.extent(operands).map_or(0, |e| {
            2 * e.b.len() * e.h.len() * e.n.len() * e.m.len() * (e.k.len() + e.v.len() + 6)
        });
        let _ = result;
        Facts::new(Class::Contraction, flops)
    }

    fn samples(seed: u64) -> Vec<Sample> {
        variants().into_iter().map(|(op, n, m)| Sample::new(op.clone(), op.sample_operands(seed, n, m))).collect()
    }
}

impl Attend {
    fn result_dims(&self, work: &Work<'_>) -> Vec<usize> {
        let [b, h, n, _, _, v] = work.dims;
        if self.heads.is_some() { vec![b, n, h * v] } else { vec![b, h, n, v] }
    }

    /// Operands for samples: 2 rows, 3 heads, widths 4 and 4.
    pub fn sample_operands(&self, seed: u64, n: usize, m: usize) -> Vec<(Kind, Array)> {
        let dims = |n: usize| if self.heads.is_some() { vec![2, n, 12] } else { vec![2, 3, n, 4] };
        let mut operands = vec![
            Array::random(seed, "q", &dims(n)),
            Array::random(seed, "k", &dims(m)),
            Array::random(seed, "v", &dims(m)),
        ];
        if self.mask {
            operands.push(Array::conditions(seed, "mask", &[2, m]));
        }
        if self.bias {
            operands.push(Array::random(seed, "bias", &[3, n, m]));
        }
        if self.relation {
            // The bias flag picks the shape, so that both are tried.
            let dims = if self.bias { vec![n, m] } else { vec![2, n, m] };
            operands.push(Array::conditions(seed, "relation", &dims));
        }
        operands
    }
}

/// Low enough that no weight is left beside a score that is seen.
const HIDDEN: f64 = -1e30;

fn fill(build: &mut dyn Build, value: f64) -> Value {
    build.add(Fill { shape: Shape::scalar(), value }.into(), &[])
}

/// The parts of the expansion.
impl Attend {
    /// [B, N, h K] to [B, H, N, K].
    fn heads_apart(&self, build: &mut dyn Build, x: Value) -> Value {
        let Some(heads) = self.heads else { return x };
        let mut sizes = build.shape(x).sizes;
        let width = sizes.pop().and_then(|width| width.divided(heads as i64)).unwrap_or(Size::from(1usize));
        sizes.extend([Size::from(heads), width]);
        let split = build.add(Reshape { sizes }.into(), &[x]);
        build.add(Permute { axes: vec![0, 2, 1, 3] }.into(), &[split])
    }

    /// [B, H, N, V] to the layout of the operands.
    fn heads_together(&self, build: &mut dyn Build, y: Value, extent: &Extent) -> Value {
        let Some(heads) = self.heads else { return y };
        let sizes = smallvec![extent.b.clone(), extent.n.clone(), extent.v.clone() * heads as i64];
        let traded = build.add(Permute { axes: vec![0, 2, 1, 3] }.into(), &[y]);
        build.add(Reshape { sizes }.into(), &[traded])
    }

    /// Softmax over the keys that a query may see; zeros elsewhere.
    fn visible_weights(&self, build: &mut dyn Build, operands: &[Value], extent: &Extent, scores: Value) -> Value {
        let Some(visible) = self.visible(build, operands, extent) else {
            return build.add(Softmax.into(), &[scores]);
        };
        let (hidden, nothing) = (fill(build, HIDDEN), fill(build, 0.0));
        let scores = build.add(Choose.into(), &[visible, scores, hidden]);
        let weights = build.add(Softmax.into(), &[scores]);
        build.add(Choose.into(), &[visible, weights, nothing])
    }

    /// Mask, relation and causality as one condition [B, H, N, M].
    fn visible(&self, build: &mut dyn Build, operands: &[Value], extent: &Extent) -> Option<Value> {
        let Extent { b, h, n, m, .. } = extent;
        let all = Sizes::from([b, h, n, m].map(Size::clone));
        let mask = self.extras().0.map(|at| (operands[at], vec![0, 3]));
        let relation = self.relation_at().map(|at| operands[at]);
        let relation = relation.map(|r| (r, if build.shape(r).rank() == 3 { vec![0, 2, 3] } else { vec![2, 3] }));
        let causal = self.causal.then(|| (not_later(build, n, m), vec![2, 3]));
        let parts = [mask, relation, causal].into_iter().flatten();
        let spread: Vec<Value> =
            parts.map(|(x, axes)| build.add(Broadcast { sizes: all.clone(), axes }.into(), &[x])).collect();
        spread.into_iter().reduce(|a, b| both(build, And, a, b))
    }
}

/// Key j is not later than query i: a condition [N, M].
fn not_later(build: &mut dyn Build, n: &Size, m: &Size) -> Value {
    let queries = build.add(Range { n: n.clone() }.into(), &[]);
    let keys = build.add(Range { n: m.clone() }.into(), &[]);
    let queries = build.add(Broadcast { sizes: smallvec![n.clone(), m.clone()], axes: vec![0] }.into(), &[queries]);
    both(build, Compare { relation: Relation::GreaterEqual }, queries, keys)
}

/// The kinds of attention to try, with their numbers of queries and keys.
pub fn variants() -> Vec<(Attend, usize, usize)> {
    let plain = Attend { heads: None, causal: false, mask: false, bias: false, relation: false, drop: None };
    let beside = Attend { heads: Some(3), ..plain.clone() };
    let drop = Some(Drop { share: 0.3, draw: Draw { path: "attend".into(), rows: true } });
    vec![
        (plain.clone(), 5, 5),
        (Attend { mask: true, ..plain.clone() }, 2, 7),
        (Attend { causal: true, ..plain.clone() }, 4, 4),
        (Attend { bias: true, mask: true, ..plain.clone() }, 3, 5),
        (Attend { bias: true, relation: true, ..plain.clone() }, 4, 5),
        (Attend { mask: true, relation: true, ..plain }, 3, 4),
        (Attend { causal: true, relation: true, ..beside.clone() }, 4, 4),
        (beside.clone(), 1, 1),
        (Attend { mask: true, causal: true, ..beside.clone() }, 6, 6),
        (Attend { drop: drop.clone(), mask: true, ..beside.clone() }, 3, 4),
        (Attend { drop, bias: true, ..beside }, 5, 2),
    ]
}

/// The plain arithmetic that forward and backward share.
pub struct Work<'a> {
    /// b, h, n, m, k, v
    pub dims: [usize; 6],
    op: &'a Attend,
    operands: &'a [&'a Array],
    context: &'a Context,
}

impl<'a> Work<'a> {
    /// Looks at the operands.
    pub fn new(op: &'a Attend, operands: &'a [&'a Array], context: &'a Context) -> Self {
        let (q, k, v) = (operands[0], operands[1], operands[2]);
        let dims = match op.heads {
            None => [q.dims[0], q.dims[1], q.dims[2], k.dims[2], q.dims[3], v.dims[3]],
            Some(h) => [q.dims[0], h, q.dims[1], k.dims[1], q.dims[2] / h, v.dims[2] / h],
        };
        Self { dims, op, operands, context }
    }

    fn place(&self, row: usize, head: usize, i: usize, c: usize, (n, width): (usize, usize)) -> usize {
        let h = self.dims[1];
        match self.op.heads {
            None => ((row * h + head) * n + i) * width + c,
            Some(_) => ((row * n + i) * h + head) * width + c,
        }
    }

    /// The place of a query's or key's number.
    pub fn key_place(&self, row: usize, head: usize, i: usize, c: usize, n: usize) -> usize {
        self.place(row, head, i, c, (n, self.dims[4]))
    }

    /// The place of a value's or result's number.
    pub fn value_place(&self, row: usize, head: usize, i: usize, c: usize, n: usize) -> usize {
        self.place(row, head, i, c, (n, self.dims[5]))
    }

    /// The weights of one query before dropout.
    pub fn weights(&self, row: usize, head: usize, i: usize) -> Vec<f64> {
        let m = self.dims[3];
        let scores: Vec<f64> = (0..m).map(|j| self.score(row, head, i, j)).collect();
        if scores.iter().all(|s| *s == f64::NEG_INFINITY) {
            return vec![0.0; m];
        }
        super::softmax::softmax(&scores)
    }

    fn score(&self, row: usize, head: usize, i: usize, j: usize) -> f64 {
        let [_, _, n, m, k, _] = self.dims;
        let (mask, bias) = self.op.extras();
        let hidden = mask.is_some_and(|at| self.operands[at].data[row * m + j] == 0.0);
        let apart = self.op.relation_at().is_some_and(|at| {
            let pairs = self.operands[at];
            let row = if pairs.dims.len() == 3 { row } else { 0 };
            pairs.data[(row * n + i) * m + j] == 0.0
        });
        if hidden || apart || (self.op.causal && j > i) {
            return f64::NEG_INFINITY;
        }
        let product = |c: usize| {
            let q = self.operands[0].data[self.key_place(row, head, i, c, n)];
            q * self.operands[1].data[self.key_place(row, head, j, c, m)]
        };
        let bias = bias.map_or(0.0, |at| self.operands[at].data[(head * n + i) * m + j]);
        (0..k).map(product).sum::<f64>() / (k as f64).sqrt() + bias
    }

    /// What dropout multiplies a weight with.
    pub fn kept(&self, row: usize, head: usize, i: usize, j: usize) -> f64 {
        let Some(drop) = &self.op.drop else { return 1.0 };
        let [_, _, n, m, _, _] = self.dims;
        let element = (head * n + i) * m + j;
        let u = self.context.stream(&drop.draw).uniform(row as u32, element as u32);
        if f64::from(u) >= drop.share { 1.0 / (1.0 - drop.share) } else { 0.0 }
    }
}
