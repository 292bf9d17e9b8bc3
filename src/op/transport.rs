//! Optimal transport by proximal points (IPOT, Xie et al., 2018) between N and M places: cost [B, N, M] to a plan [B, N, M].
//!
//! Operands cost, then conditions [B, N] and [B, M] of the valid places if the flags say so. With n and m the valid places of
//! a row, A = exp(-cost / beta) and P = 1 on valid pairs, s = 1 / n at first, each round is
//! `Q = A P`, `d = 1 / (m Q' s)`, `s = 1 / (n Q d)`, `P = s Q d'`; where a denominator is 0 the quotient is 0. No gradient.
//!
//! C1: a cost [B, N, M]. C2: conditions of its rows and columns.

use super::pointwise::{both, of_kind};
use super::{
    Array, Broadcast, Build, Choose, Class, Compare, Context, Divide, Exp, Facts, Fill, Matmul, Misfit, Multiply, Relation,
    Reshape, Rule, Sample, Sum, ToFloat, Value,
};
use crate::shape::{Kind, Shape, Size, Sizes};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// Optimal transport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transport {
    /// Rounds.
    pub rounds: usize,
    /// The step of the proximal points.
    pub beta: f64,
    /// There is a condition on the first places.
    pub first: bool,
    /// There is a condition on the second places.
    pub second: bool,
}

impl Transport {
    /// The operands that say which places are valid.
    fn conditions<'a, T>(&self, operands: &'a [T]) -> [Option<&'a T>; 2] {
        let first = self.first.then(|| operands.get(1)).flatten();
        let second = self.second.then(|| operands.get(1 + usize::from(self.first))).flatten();
        [first, second]
    }
}

impl Rule for Transport {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let wrong = || Misfit::new("C1", "expected a cost [B, N, M] and perhaps conditions");
        let cost = *operands.first().ok_or_else(wrong)?;
        of_kind(cost, Kind::Float)?;
        if cost.rank() != 3 || operands.len() != 1 + usize::from(self.first) + usize::from(self.second) {
            return Err(wrong());
        }
        for (condition, axis) in self.conditions(operands).into_iter().zip([1, 2]) {
            let Some(condition) = condition else { continue };
            of_kind(condition, Kind::Condition)?;
            if condition.sizes[..] != [cost.sizes[0].clone(), cost.sizes[axis].clone()] {
                return Err(Misfit::new("C2", format!("{condition} says nothing of axis {axis} of {cost}")));
            }
        }
        Ok(cost.clone())
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let cost = operands[0];
        let (n, m) = (cost.dims[1], cost.dims[2]);
        let [first, second] = self.conditions(operands);
        let mut plans = Vec::with_capacity(cost.data.len());
        for (row, cost) in cost.data.chunks((n * m).max(1)).enumerate() {
            let of = |given: Option<&&Array>, n: usize| match given {
                Some(condition) => condition.data[row * n..(row + 1) * n].to_vec(),
                None => vec![1.0; n],
            };
            plans.extend(self.plan(cost, &of(first, n), &of(second, m)));
        }
        Array { dims: cost.dims.clone(), data: plans }
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        Some(Unrolled::new(self, build, operands).plan())
    }

    fn facts(&self, operands: &[&Shape], _result: &Shape) -> Facts {
        let flops = (8 * self.rounds + 10) * operands[0].elements();
        Facts { tolerance: 5e-5, ..Facts::new(Class::Rowwise, flops) }
    }

    fn samples(seed: u64) -> Vec<Sample> {
        let op = |rounds, first, second| Self { rounds, beta: 0.5, first, second };
        let cost = |n, m| Array::positive(seed, "cost", &[3, n, m]);
        let used = |name: &str, n| Array::conditions(seed, name, &[3, n]);
        vec![
            Sample::new(op(10, false, false), [cost(4, 5)]),
            Sample::new(op(4, true, false), [cost(3, 6), used("first", 3)]),
            Sample::new(op(5, true, true), [cost(5, 4), used("first", 5), used("second", 4)]),
            Sample::new(op(2, false, true), [cost(1, 3), used("second", 3)]),
        ]
    }
}

impl Transport {
    /// The plan of one row.
    fn plan(&self, cost: &[f64], first: &[f64], second: &[f64]) -> Vec<f64> {
        let (n, m) = (first.len(), second.len());
        let (rows, columns): (f64, f64) = (first.iter().sum(), second.iter().sum());
        let pair = |at: usize| first[at / m] * second[at % m];
        let near: Vec<f64> = cost.iter().enumerate().map(|(at, c)| (-c / self.beta).exp() * pair(at)).collect();
        let mut plan: Vec<f64> = (0..n * m).map(pair).collect();
        let inverse = |x: f64| if x > 0.0 { 1.0 / x } else { 0.0 };
        let mut s: Vec<f64> = first.iter().map(|valid| valid * inverse(rows)).collect();
        for _ in 0..self.rounds {
            let q: Vec<f64> = near.iter().zip(&plan).map(|(a, p)| a * p).collect();
            let down = |j: usize| (0..n).map(|i| q[i * m + j] * s[i]).sum::<f64>();
            let d: Vec<f64> = (0..m).map(|j| inverse(columns * down(j))).collect();
            let across = |i: usize| (0..m).map(|j| q[i * m + j] * d[j]).sum::<f64>();
            s = (0..n).map(|i| inverse(rows * across(i))).collect();
            plan = (0..n * m).map(|at| s[at / m] * q[at] * d[at % m]).collect();
        }
        plan
    }
}

/// The rounds as smaller ops; vectors are [B, 1, N] and [B, 1, M].
struct Unrolled<'a> {
    op: &'a Transport,
    build: &'a mut dyn Build,
    cost: Value,
    sizes: Sizes,
    /// Valid places as numbers, and how many there are, of either side.
    sides: [(Value, Value); 2],
}

const PLAIN: Matmul = Matmul { transpose_left: false, transpose_right: false };

impl<'a> Unrolled<'a> {
    fn new(op: &'a Transport, build: &'a mut dyn Build, operands: &[Value]) -> Self {
        let sizes = build.shape(operands[0]).sizes;
        let given = op.conditions(operands).map(Option::<&Value>::copied);
        let side = |build: &mut dyn Build, given: Option<Value>, n: &Size| {
            let flat: Sizes = smallvec![sizes[0].clone(), n.clone()];
            let shape: Sizes = smallvec![sizes[0].clone(), Size::from(1usize), n.clone()];
            let valid = match given {
                Some(condition) => build.add(ToFloat.into(), &[condition]),
                None => build.add(Fill { shape: Shape::float(flat), value: 1.0 }.into(), &[]),
            };
            let count = build.add(Sum { axis: 1 }.into(), &[valid]);
            let count = build.add(Broadcast { sizes: shape.clone(), axes: vec![0] }.into(), &[count]);
            (build.add(Reshape { sizes: shape }.into(), &[valid]), count)
        };
        let sides = [side(build, given[0], &sizes[1]), side(build, given[1], &sizes[2])];
        Self { op, build, cost: operands[0], sizes, sides }
    }

    fn number(&mut self, value: f64) -> Value {
        self.build.add(Fill { shape: Shape::scalar(), value }.into(), &[])
    }

    /// 1 / x where x is above 0, else 0.
    fn inverse(&mut self, x: Value) -> Value {
        let (zero, one) = (self.number(0.0), self.number(1.0));
        let some = both(self.build, Compare { relation: Relation::Greater }, x, zero);
        let safe = self.build.add(Choose.into(), &[some, x, one]);
        let quotient = both(self.build, Divide, one, safe);
        self.build.add(Choose.into(), &[some, quotient, zero])
    }

    fn outer(&mut self, a: Value, b: Value) -> Value {
        both(self.build, Matmul { transpose_left: true, transpose_right: false }, a, b)
    }

    fn plan(mut self) -> Value {
        let [(first, rows), (second, columns)] = self.sides;
        let mut plan = self.outer(first, second);
        let rate = self.number(-1.0 / self.op.beta);
        let near = both(self.build, Multiply, self.cost, rate);
        let near = self.build.add(Exp.into(), &[near]);
        let near = both(self.build, Multiply, near, plan);
        let even = self.inverse(rows);
        let mut s = both(self.build, Multiply, even, first);
        for _ in 0..self.op.rounds {
            let q = both(self.build, Multiply, near, plan);
            let down = both(self.build, PLAIN, s, q);
            let down = both(self.build, Multiply, down, columns);
            let d = self.inverse(down);
            let across = both(self.build, Matmul { transpose_left: false, transpose_right: true }, d, q);
            let across = both(self.build, Multiply, across, rows);
            s = self.inverse(across);
            let scale = self.outer(s, d);
            plan = both(self.build, Multiply, scale, q);
        }
        debug_assert_eq!(self.build.shape(plan).sizes, self.sizes);
        plan
    }
}
