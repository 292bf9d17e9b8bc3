//! Each op of the graph in dfdx's operations.
//!
//! | ops | how |
//! |---|---|
//! | ids, conditions, draws and constants | on the host, by their definition: they steer and have no gradient |
//! | arithmetic, functions, products, sums, softmax, axes | dfdx's own |
//! | `gelu` | dfdx's slope of it lacks a factor; a term that is zero brings the rest |
//! | `max` | dfdx gives every largest place the whole gradient; ours share it |
//! | `last`, `put_last`, `unfold` | the definition moves the numbers of the places, dfdx gathers there |
//! | `sum_by` | with a gradient a product with ones where the ids are, else by definition |
//! | gradients of our own backward, `put`, `transport`, `fold` | by definition; the last is refused a gradient, the others have none |
//! | everything else | expanded before ([`lacks`]) |

use super::trail::Trail;
use super::value::{Done, Engine, Held, Real};
use crate::graph::Node;
use crate::op::{Array, Context, CrossEntropy, Matmul, Op, Unfold};
use crate::shape::{Kind, Shape};
use dfdx::shapes::Axis;
use dfdx::tensor_ops::{TryAdd, TryDiv, TryMul, TrySub};

/// What is made of smaller ops before anything runs.
pub fn lacks(op: &Op) -> bool {
    matches!(
        op,
        Op::Linear(_)
            | Op::Conv2d(_)
            | Op::Depthwise(_)
            | Op::LayerNorm(_)
            | Op::Standardize(_)
            | Op::Normalize(_)
            | Op::Attend(_)
            | Op::BinaryCrossEntropy(_)
            | Op::SoftmaxGrad(_)
    )
}

/// Ops on real numbers that are computed by their definition, so that no gradient comes back through them.
pub fn by_definition(op: &Op) -> bool {
    matches!(
        op,
        Op::GeluSlope(_)
            | Op::NormalizeGrad(_)
            | Op::LayerNormGrad(_)
            | Op::LayerNormScaleGrad(_)
            | Op::AttendGrad(_)
            | Op::CrossEntropyGrad(_)
            | Op::DepthwiseGrad(_)
            | Op::DepthwiseWeightGrad(_)
            | Op::Put(_)
            | Op::Transport(_)
            | Op::Fold(_)
    )
}

/// Ops that have no gradient by their meaning.
pub fn ends_gradients(op: &Op) -> bool {
    matches!(op, Op::Stop(_) | Op::Transport(_))
}

/// A node that is being computed.
pub struct Work<'a, D: Engine> {
    /// The tape.
    pub trail: &'a mut Trail<D>,
    /// Seed, step, time.
    pub context: &'a Context,
}

impl<D: Engine> Work<'_, D> {
    /// The value of a node from its operands; leaves lie outside.
    ///
    /// # Errors
    /// What dfdx says.
    pub fn value(&mut self, node: &Node, operands: &[&Held<D>]) -> Done<Held<D>> {
        let steered = operands.iter().all(|operand| matches!(operand, Held::Steers(_)));
        if steered || node.shape.kind != Kind::Float || by_definition(&node.op) {
            return self.defined(node, operands);
        }
        self.computed(node, operands).map(Held::Real)
    }

    /// By the definition of the op, on the host.
    fn defined(&mut self, node: &Node, operands: &[&Held<D>]) -> Done<Held<D>> {
        let arrays: Vec<Array> = operands.iter().map(|operand| operand.array()).collect::<Done<_>>()?;
        let array = node.op.eval(&arrays.iter().collect::<Vec<_>>(), self.context);
        match node.shape.kind {
            Kind::Float => self.trail.bring_array(&array).map(Held::Real),
            _ => Ok(Held::Steers(array)),
        }
    }

    fn computed(&mut self, node: &Node, operands: &[&Held<D>]) -> Done<Real<D>> {
        let dims = node.shape.dims();
        match &node.op {
            Op::Add(_) => self.trail.pair(operands[0].real()?, operands[1].real()?, |a, b| a.try_add(b)),
            Op::Subtract(_) => self.trail.pair(operands[0].real()?, operands[1].real()?, |a, b| a.try_sub(b)),
            Op::Multiply(_) => self.trail.pair(operands[0].real()?, operands[1].real()?, |a, b| a.try_mul(b)),
            Op::Divide(_) => self.trail.pair(operands[0].real()?, operands[1].real()?, |a, b| a.try_div(b)),
            Op::Choose(_) => self.choose(operands, &dims),
            Op::Matmul(op) => self.matmul(op, operands[0].real()?, operands[1].real()?, &dims),
            Op::Concat(op) => self.concat(operands, op.axis),
            Op::Take(_) => self.take(operands[0].real()?, operands[1], &dims),
            Op::SumBy(_) => self.sum_by(node, operands),
            Op::CrossEntropy(op) => self.cross_entropy(op, operands, &dims),
            Op::Last(_) | Op::PutLast(_) => self.moved_rows(node, operands),
            _ => self.of_one(node, operands[0].real()?, &dims),
        }
    }

    /// Ops with one operand.
    fn of_one(&mut self, node: &Node, x: &Real<D>, dims: &[usize]) -> Done<Real<D>> {
        match &node.op {
            Op::Negate(_) => self.trail.each(x, |x| x.try_negate()),
            Op::Exp(_) => self.trail.each(x, |x| x.try_exp()),
            Op::Log(_) => self.trail.each(x, |x| x.try_ln()),
            Op::Sqrt(_) => self.trail.each(x, |x| x.try_sqrt()),
            Op::Tanh(_) => self.trail.each(x, |x| x.try_tanh()),
            Op::Sigmoid(_) => self.trail.each(x, |x| x.try_sigmoid()),
            Op::Relu(_) => self.trail.each(x, |x| x.try_relu()),
            Op::Gelu(_) => self.gelu(x),
            Op::Softmax(_) => self.trail.each_row(x, |x| x.try_softmax::<Axis<1>>()),
            Op::LogSoftmax(_) => self.trail.each_row(x, |x| x.try_log_softmax::<Axis<1>>()),
            Op::Dropout(_) => self.dropout(node, x),
            Op::Rescale(op) => self.rescale(x, &op.mean, &op.deviation),
            Op::Stop(_) => self.trail.stopped(x),
            Op::ToFloat(_) => Ok(x.clone()),
            Op::Reshape(_) => self.trail.reshaped(x, dims),
            Op::Permute(op) => self.trail.permuted(x, &op.axes),
            Op::Slice(op) => self.trail.sliced(x, op.axis, op.start.len()..op.end.len()),
            Op::Pad(op) => self.pad(x, op.axis, [op.before.len(), op.after.len()]),
            Op::Broadcast(op) => self.broadcast(x, &op.axes, dims),
            Op::Unfold(op) => self.unfold(node, op, x, dims),
            Op::Sum(op) => self.trail.summed(x, op.axis),
            Op::SumLeading(op) => self.sum_leading(x, op.axes, dims),
            Op::Max(op) => self.max(x, op.axis),
            other => Err(format!("there is no way to compute `{}`", other.name())),
        }
    }

    /// dfdx 0.13 says that GELU has the slope `P(x) + sqrt(2) x p(x)`. With `h = -e^(-x x / 2) / sqrt(pi)`, whose slope is
    /// `sqrt(2) x p(x)`, the term `(1 / sqrt(2) - 1) (h - stop h)` is zero and has the slope that is too much, negated.
    fn gelu(&mut self, x: &Real<D>) -> Done<Real<D>> {
        let y = self.trail.each(x, |x| x.try_accurate_gelu())?;
        if !x.carries {
            return Ok(y);
        }
        let scale = (1.0 - std::f32::consts::FRAC_1_SQRT_2) * 0.5 * std::f32::consts::FRAC_2_SQRT_PI;
        let bell = self.trail.each(x, |x| x.try_square()?.try_mul(-0.5)?.try_exp()?.try_mul(scale))?;
        let still = self.trail.stopped(&bell)?;
        let nothing = self.trail.pair(&bell, &still, |a, b| a.try_sub(b))?;
        self.trail.pair(&y, &nothing, |a, b| a.try_add(b))
    }

    fn choose(&mut self, operands: &[&Held<D>], dims: &[usize]) -> Done<Real<D>> {
        let test = operands[0].array()?;
        let inner = dims.iter().product::<usize>() / test.data.len().max(1);
        let test = test.data.iter().flat_map(|mark| std::iter::repeat_n(*mark != 0.0, inner)).collect();
        self.trail.chosen(test, dims, operands[1].real()?, operands[2].real()?)
    }

    fn matmul(&mut self, op: &Matmul, x: &Real<D>, w: &Real<D>, dims: &[usize]) -> Done<Real<D>> {
        let last_two = |x: &Real<D>| match x.dims[..] {
            [.., a, b] => (a, b),
            _ => (1, x.count()),
        };
        let (left, right) = (last_two(x), last_two(w));
        let y = if w.dims.len() > 2 {
            let count = w.dims[..w.dims.len() - 2].iter().product();
            self.trail.products(count, (x, left, op.transpose_left), (w, right, op.transpose_right))?
        } else {
            // All rows at once; turned, there is just one matrix.
            let left = if op.transpose_left { left } else { x.rows() };
            self.trail.product((x, left, op.transpose_left), (w, right, op.transpose_right))?
        };
        self.trail.reshaped(&y, dims)
    }

    fn concat(&mut self, operands: &[&Held<D>], axis: usize) -> Done<Real<D>> {
        let mut whole = operands[0].real()?.clone();
        for next in &operands[1..] {
            whole = self.trail.joined(&whole, next.real()?, axis)?;
        }
        Ok(whole)
    }

    fn take(&mut self, table: &Real<D>, ids: &Held<D>, dims: &[usize]) -> Done<Real<D>> {
        let rows = table.dims[0];
        let ids = ids.array()?.data.iter().map(|id| *id as usize).collect();
        let y = self.trail.gathered(table, (rows, table.count() / rows.max(1)), ids)?;
        self.trail.reshaped(&y, dims)
    }

    fn sum_by(&mut self, node: &Node, operands: &[&Held<D>]) -> Done<Real<D>> {
        let (x, ids) = (operands[0].real()?, operands[1].array()?);
        let dims = node.shape.dims();
        if !x.carries {
            let sum = node.op.eval(&[&x.array()?, &ids], self.context);
            return self.trail.bring_array(&sum);
        }
        let (rows, count) = (dims[0], ids.data.len());
        let mut hits = vec![0.0; rows * count];
        ids.data.iter().enumerate().for_each(|(i, id)| hits[*id as usize * count + i] = 1.0);
        let hits = self.trail.bring(hits, &[rows, count], false)?;
        let width = x.count() / count.max(1);
        let sum = self.trail.product((&hits, (rows, count), false), (x, (count, width), false))?;
        self.trail.reshaped(&sum, &dims)
    }

    fn dropout(&mut self, node: &Node, x: &Real<D>) -> Done<Real<D>> {
        let ones = Array::filled(&x.dims, 1.0);
        let kept = self.trail.bring_array(&node.op.eval(&[&ones], self.context))?;
        self.trail.pair(x, &kept, |x, kept| x.try_mul(kept))
    }

    fn rescale(&mut self, x: &Real<D>, mean: &[f64], deviation: &[f64]) -> Done<Real<D>> {
        let (_, _, inner) = x.around(1);
        let mut spread = |all: &[f64]| {
            let all: Vec<f32> =
                all.iter().flat_map(|number| std::iter::repeat_n(*number as f32, inner)).collect();
            self.trail.bring(all, &x.dims[1..], false)
        };
        let (mean, deviation) = (spread(mean)?, spread(deviation)?);
        let apart = self.trail.pair(x, &mean, |x, mean| x.try_sub(mean))?;
        self.trail.pair(&apart, &deviation, |x, deviation| x.try_div(deviation))
    }

    fn pad(&mut self, x: &Real<D>, axis: usize, counts: [usize; 2]) -> Done<Real<D>> {
        let mut zeros = |count: usize| {
            let mut dims = x.dims.clone();
            dims[axis] = count;
            let numbers = vec![0.0; dims.iter().product()];
            (count > 0).then(|| self.trail.bring(numbers, &dims, false)).transpose()
        };
        let [before, after] = [zeros(counts[0])?, zeros(counts[1])?];
        let mut y = x.clone();
        if let Some(before) = before {
            y = self.trail.joined(&before, &y, axis)?;
        }
        if let Some(after) = after {
            y = self.trail.joined(&y, &after, axis)?;
        }
        Ok(y)
    }

    /// Neighbouring new axes are repeated as one.
    fn broadcast(&mut self, x: &Real<D>, axes: &[usize], dims: &[usize]) -> Done<Real<D>> {
        let mut y = x.clone();
        let mut end = dims.len();
        for kept in (0..=axes.len()).rev() {
            let start = kept.checked_sub(1).map_or(0, |at| axes[at] + 1);
            let times: usize = dims[start..end].iter().product();
            if times != 1 {
                y = self.trail.repeated(&y, kept, times)?;
            }
            end = kept.checked_sub(1).map_or(0, |at| axes[at]);
        }
        self.trail.reshaped(&y, dims)
    }

    fn sum_leading(&mut self, x: &Real<D>, axes: usize, dims: &[usize]) -> Done<Real<D>> {
        if axes == 0 {
            return Ok(x.clone());
        }
        let width: usize = dims.iter().product();
        let grid = self.trail.reshaped(x, &[x.count() / width.max(1), width])?;
        let sum = self.trail.summed(&grid, 0)?;
        self.trail.reshaped(&sum, dims)
    }

    /// The sum of the largest, each of equals with its share: so is the gradient.
    fn max(&mut self, x: &Real<D>, axis: usize) -> Done<Real<D>> {
        let (before, size, after) = x.around(axis);
        let numbers = x.numbers()?;
        let (mut hit, mut share) = (vec![false; numbers.len()], vec![0.0; numbers.len()]);
        for (b, a) in (0..before).flat_map(|b| (0..after).map(move |a| (b, a))) {
            let places = || (0..size).map(|i| (b * size + i) * after + a);
            let top = places().map(|at| numbers[at]).fold(f32::NEG_INFINITY, f32::max);
            let hits = places().filter(|at| numbers[*at] == top).count() as f32;
            places()
                .filter(|at| numbers[*at] == top)
                .for_each(|at| (hit[at], share[at]) = (true, 1.0 / hits));
        }
        let nothing = self.trail.bring(vec![0.0], &[], false)?;
        let share = self.trail.bring(share, &x.dims, false)?;
        let tops = self.trail.chosen(hit, &x.dims, x, &nothing)?;
        let tops = self.trail.pair(&tops, &share, |x, share| x.try_mul(share))?;
        self.trail.summed(&tops, axis)
    }

    /// Windows side by side are axes in another order; others read places more than once.
    fn unfold(&mut self, node: &Node, op: &Unfold, x: &Real<D>, dims: &[usize]) -> Done<Real<D>> {
        let (window, k) = (op.window, op.window.side);
        let [b, c, h, w] = x.dims[..] else { return Err("expected images".to_string()) };
        if window.stride == k && window.pad == 0 && h % k == 0 && w % k == 0 {
            let split = self.trail.reshaped(x, &[b, c, h / k, k, w / k, k])?;
            let patches = self.trail.permuted(&split, &[0, 2, 4, 1, 3, 5])?;
            return self.trail.reshaped(&patches, dims);
        }
        let y = self.moved(node, x, (x.count(), 1), &x.dims, &[])?;
        self.trail.reshaped(&y, dims)
    }

    /// Ops that move whole rows by a condition on rows and tokens.
    fn moved_rows(&mut self, node: &Node, operands: &[&Held<D>]) -> Done<Real<D>> {
        let (x, mask) = (operands[0].real()?, operands[1].array()?);
        let axes = if matches!(node.op, Op::Last(_)) { 2 } else { 1 };
        let rows: usize = x.dims[..axes].iter().product();
        let y = self.moved(node, x, (rows, x.count() / rows.max(1)), &x.dims[..axes], &[&mask])?;
        self.trail.reshaped(&y, &node.shape.dims())
    }

    /// Rows where the op's definition puts their numbers, counted from 1; zeros where it puts none.
    fn moved(
        &mut self,
        node: &Node,
        x: &Real<D>,
        (rows, width): (usize, usize),
        dims: &[usize],
        rest: &[&Array],
    ) -> Done<Real<D>> {
        let mut count = 0.0;
        let numbered = Array::from_fn(dims, |_| {
            count += 1.0;
            count
        });
        let operands: Vec<&Array> = std::iter::once(&numbered).chain(rest.iter().copied()).collect();
        let places = node.op.eval(&operands, self.context).data;
        let table = self.trail.reshaped(x, &[rows, width])?;
        let zeros = self.trail.bring(vec![0.0; width], &[1, width], false)?;
        let table = self.trail.joined(&table, &zeros, 0)?;
        let places = places.iter().map(|place| if *place == 0.0 { rows } else { *place as usize - 1 });
        self.trail.gathered(&table, (rows + 1, width), places.collect())
    }

    fn cross_entropy(&mut self, op: &CrossEntropy, operands: &[&Held<D>], dims: &[usize]) -> Done<Real<D>> {
        let logits = operands[0].real()?;
        let (count, classes) = logits.rows();
        let logits = self.trail.reshaped(logits, &[count, classes])?;
        let log_p = self.trail.each_row(&logits, |x| x.try_log_softmax::<Axis<1>>())?;
        let counts = match operands.get(2) {
            Some(only) => only.array()?.data.iter().map(|mark| *mark != 0.0).collect(),
            None => vec![true; count],
        };
        let hit = match operands[1] {
            Held::Steers(ids) => {
                let place = |(id, counts): (&f64, &bool)| if *counts { *id as usize } else { 0 };
                self.trail.picked(&log_p, ids.data.iter().zip(&counts).map(place).collect())?
            }
            Held::Real(target) => {
                let target = self.trail.reshaped(target, &[count, classes])?;
                let part = self.trail.pair(&log_p, &target, |a, b| a.try_mul(b))?;
                self.trail.summed(&part, 1)?
            }
        };
        let mut loss = self.trail.each(&hit, |x| x.try_mul((op.smooth - 1.0) as f32))?;
        if op.smooth != 0.0 {
            let even = self.trail.summed(&log_p, 1)?;
            let even = self.trail.each(&even, |x| x.try_mul((-op.smooth / classes as f64) as f32))?;
            loss = self.trail.pair(&loss, &even, |a, b| a.try_add(b))?;
        }
        self.reduced(loss, counts, op.per_row, dims)
    }

    /// The mean of the losses that count, or their sum for each row.
    fn reduced(&mut self, loss: Real<D>, counts: Vec<bool>, per_row: bool, dims: &[usize]) -> Done<Real<D>> {
        let counted = counts.iter().filter(|counts| **counts).count().max(1);
        let nothing = self.trail.bring(vec![0.0], &[], false)?;
        let loss = self.trail.chosen(counts, &loss.dims.clone(), &loss, &nothing)?;
        let rows: usize = dims.iter().product();
        let loss = self.trail.reshaped(&loss, &[rows, loss.count() / rows.max(1)])?;
        let sum = self.trail.summed(&loss, 1)?;
        let sum = self.trail.reshaped(&sum, dims)?;
        if per_row { Ok(sum) } else { self.trail.each(&sum, |x| x.try_div(counted as f32)) }
    }
}

/// A shape that dfdx has no tensors for, and why.
pub fn beyond(shape: &Shape) -> Option<String> {
    if shape.rank() > super::value::MOST_AXES {
        return Some(format!(
            "dfdx has tensors of up to {} axes, this one is {shape}",
            super::value::MOST_AXES
        ));
    }
    (shape.elements() == 0).then(|| format!("dfdx has no tensors without elements, this one is {shape}"))
}
