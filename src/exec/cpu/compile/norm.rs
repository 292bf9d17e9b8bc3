//! Norms and softmax, their gradients, and what a forward kernel saves for them.
//!
//! A gradient reuses the row moments of a forward node with the same operand; without one it computes them again.

use super::unit::NormGrad;
use super::{Compiler, Saved};
use crate::exec::cpu::frame::Place;
use crate::exec::cpu::kernel::pointwise::{Binary, Chain, Pattern, Step, Unary};
use crate::exec::cpu::kernel::{layer_norm, normalize, reduce, softmax};
use crate::op::{Op, Value};

impl Compiler<'_> {
    /// `layer_norm` and `standardize`.
    pub(super) fn layer_norm(&mut self, value: Value, eps: f64) {
        let (rows, width) = self.rows(value);
        let [x, y] = self.places([self.operand(value, 0), value]);
        let affine = matches!(self.op(value), Op::LayerNorm(_))
            .then(|| self.places([self.operand(value, 1), self.operand(value, 2)]));
        let saved = self.moments_wanted(value, eps).then(|| self.save(value, Saved::Moments, 2 * rows));
        let reads: Vec<Place> = [x].into_iter().chain(affine.into_iter().flatten()).collect();
        let writes: Vec<Place> = [y].into_iter().chain(saved).collect();
        self.launch(&reads, &writes, 0, move |worker, frame, _| {
            let on = layer_norm::Forward {
                rows,
                width,
                epsilon: eps as f32,
                x: frame.view(x),
                affine: affine.map(|[gain, shift]| (frame.view(gain), frame.view(shift))),
                y: frame.view(y),
                saved: saved.map(|place| frame.view(place)),
            };
            layer_norm::forward(worker, &on);
        });
    }

    /// A room that belongs to a forward node and outlives it.
    pub(super) fn save(&mut self, value: Value, what: Saved, words: usize) -> Place {
        if let Some(place) = self.saved.get(&(value, what)) {
            return *place;
        }
        let place = self.temporary(words);
        self.saved.insert((value, what), place);
        place
    }

    /// Whether a gradient wants the moments of a norm.
    fn moments_wanted(&self, value: Value, eps: f64) -> bool {
        let x = self.operand(value, 0);
        self.sight.readers(self.sight.root(x)).iter().any(|reader| match self.op(*reader) {
            Op::LayerNormGrad(op) => op.eps == eps && self.same(self.operand(*reader, 0), x),
            Op::LayerNormScaleGrad(op) => op.eps == eps && self.same(self.operand(*reader, 0), x),
            _ => false,
        })
    }

    /// Whether two values are the same words.
    pub(super) fn same(&self, a: Value, b: Value) -> bool {
        self.sight.seen(a) == self.sight.seen(b) && self.count(a) == self.count(b)
    }

    /// The moments of rows: saved ones, or a launch that computes them.
    fn moments(&mut self, x: Value, eps: f64) -> Place {
        let known =
            self.sight.readers(self.sight.root(x)).into_iter().find_map(|reader| match self.op(reader) {
                Op::LayerNorm(crate::op::LayerNorm { eps: e })
                | Op::Standardize(crate::op::Standardize { eps: e })
                    if *e == eps && self.same(self.operand(reader, 0), x) =>
                {
                    self.saved.get(&(reader, Saved::Moments)).copied()
                }
                _ => None,
            });
        known.unwrap_or_else(|| {
            let (rows, width) = self.rows(x);
            let [saved, y] = [2 * rows, rows * width].map(|words| self.temporary(words));
            let x = self.place(x);
            self.launch(&[x], &[saved, y], 0, move |worker, frame, _| {
                let on = layer_norm::Forward {
                    rows,
                    width,
                    epsilon: eps as f32,
                    x: frame.view(x),
                    affine: None,
                    y: frame.view(y),
                    saved: Some(frame.view(saved)),
                };
                layer_norm::forward(worker, &on);
            });
            saved
        })
    }

    /// Gradients of a layer norm, as many as are wanted, in one pass.
    pub(super) fn norm_grad(&mut self, norm: &NormGrad) {
        let Some(node) = norm.input.or(norm.scale) else { return };
        let (Op::LayerNormGrad(crate::op::LayerNormGrad { eps })
        | Op::LayerNormScaleGrad(crate::op::LayerNormScaleGrad { eps })) = self.op(node)
        else {
            return;
        };
        let x = self.operand(node, 0);
        let (rows, width) = self.rows(x);
        let saved = self.moments(x, *eps);
        let dy = self.operand(node, if norm.input.is_some() { 2 } else { 1 });
        let gain = norm.input.map(|node| self.operand(node, 1)).map(|gain| self.place(gain));
        let plus = norm.plus.map(|plus| self.place(plus));
        let dx = match norm.result {
            Some(result) => self.place(result),
            None => self.temporary(rows * width),
        };
        let scale = norm.scale.map(|scale| self.place(scale));
        let [x, dy] = self.places([x, dy]);
        let reads: Vec<Place> = [x, saved, dy].into_iter().chain(gain).chain(plus).collect();
        let writes: Vec<Place> = [dx].into_iter().chain(scale).collect();
        let scratch = layer_norm::scratch_words(rows, width);
        self.launch(&reads, &writes, scratch, move |worker, frame, scratch| {
            let on = layer_norm::Backward {
                rows,
                width,
                x: frame.view(x),
                gain: gain.map(|place| frame.view(place)),
                saved: frame.view(saved),
                dy: frame.view(dy),
                add: plus.map(|place| frame.view(place)),
                dx: frame.view(dx),
                daffine: scale
                    .map(|place| (frame.view(place.part(0, width)), frame.view(place.part(width, width)))),
                accumulate: false,
            };
            layer_norm::backward(worker, &on, scratch);
        });
        if let Some(plus) = plus {
            self.over(plus, dx);
        }
    }

    /// `softmax`.
    pub(super) fn softmax(&mut self, value: Value) {
        let (rows, width) = self.rows(value);
        let [x, y] = self.places([self.operand(value, 0), value]);
        self.launch(&[x], &[y], 0, move |worker, frame, _| {
            softmax::forward(worker, rows, width, frame.view(x), frame.view(y));
        });
        self.over(x, y);
    }

    /// `softmax_grad`: from the result and its gradient.
    pub(super) fn softmax_grad(&mut self, value: Value) {
        let (rows, width) = self.rows(value);
        let [y, dy, dx] = self.places([self.operand(value, 0), self.operand(value, 1), value]);
        self.launch(&[y, dy], &[dx], 0, move |worker, frame, _| {
            softmax::backward(worker, rows, width, frame.view(y), frame.view(dy), frame.view(dx));
        });
        self.over(dy, dx);
    }

    /// `log_softmax`: `x - max - log(sum(exp(x - max)))`, in two chains and two reductions.
    pub(super) fn log_softmax(&mut self, value: Value) {
        let (rows, width) = self.rows(value);
        let [x, y] = self.places([self.operand(value, 0), value]);
        let [largest, powers, sums] = [rows, rows * width, rows].map(|words| self.temporary(words));
        let axis = reduce::Axis { outer: rows, n: width, inner: 1 };
        self.launch(&[x], &[largest], 0, move |worker, frame, _| {
            reduce::max(worker, axis, frame.view(x), Some(frame.view(largest)), None);
        });
        let centred = [
            Step::Load { to: 0, operand: 0, pattern: Pattern::Full },
            Step::Load { to: 1, operand: 1, pattern: Pattern::Prefix(width) },
            Step::Binary { to: 0, function: Binary::Subtract, a: 0, b: 1 },
        ];
        let powered =
            [Step::Unary { to: 0, function: Unary::Exp, a: 0 }, Step::Store { from: 0, operand: 2 }];
        self.fixed_chain(rows * width, &[centred.as_slice(), &powered].concat(), &[x, largest], powers);
        let scratch = reduce::scratch_words(axis);
        self.launch(&[powers], &[sums], scratch, move |worker, frame, scratch| {
            reduce::sum(worker, axis, 1.0, frame.view(powers), frame.view(sums), false, scratch);
        });
        let less = [
            Step::Load { to: 1, operand: 2, pattern: Pattern::Prefix(width) },
            Step::Unary { to: 1, function: Unary::Log, a: 1 },
            Step::Binary { to: 0, function: Binary::Subtract, a: 0, b: 1 },
            Step::Store { from: 0, operand: 3 },
        ];
        self.fixed_chain(rows * width, &[centred.as_slice(), &less].concat(), &[x, largest, sums], y);
    }

    /// A chain with one result, its last operand.
    pub(super) fn fixed_chain(&mut self, len: usize, steps: &[Step], reads: &[Place], result: Place) {
        let chain = Chain::new(len, steps);
        let places: Vec<Place> = reads.iter().copied().chain([result]).collect();
        let scratch = chain.scratch_words(self.threads);
        self.launch(reads, &[result], scratch, move |worker, frame, scratch| {
            let views: [_; 8] = std::array::from_fn(|i| frame.view(places[i.min(places.len() - 1)]));
            chain.run(worker, &views[..places.len()], &[], scratch);
        });
    }

    /// `normalize`.
    pub(super) fn normalize(&mut self, value: Value) {
        let (rows, width) = self.rows(value);
        let [x, y] = self.places([self.operand(value, 0), value]);
        let wanted = |reader: &Value| matches!(self.op(*reader), Op::NormalizeGrad(_));
        let root = self.sight.root(self.operand(value, 0));
        let saved =
            self.sight.readers(root).iter().any(wanted).then(|| self.save(value, Saved::Lengths, rows));
        let writes: Vec<Place> = [y].into_iter().chain(saved).collect();
        self.launch(&[x], &writes, 0, move |worker, frame, _| {
            let norms = saved.map(|place| frame.view(place));
            normalize::forward(worker, rows, width, frame.view(x), frame.view(y), norms);
        });
    }

    /// `normalize_grad`: from the operand and the gradient of the result.
    pub(super) fn normalize_grad(&mut self, value: Value) {
        let (rows, width) = self.rows(value);
        let x = self.operand(value, 0);
        let (y, norms) = self.normalized(x);
        let [dy, dx] = self.places([self.operand(value, 1), value]);
        self.launch(&[y, norms, dy], &[dx], 0, move |worker, frame, _| {
            let [y, norms, dy, dx] = [y, norms, dy, dx].map(|place| frame.view(place));
            normalize::backward(worker, rows, width, y, norms, dy, dx);
        });
        self.over(dy, dx);
    }

    /// The normalised rows and their lengths: those of a forward node, or computed again.
    fn normalized(&mut self, x: Value) -> (Place, Place) {
        let readers = self.sight.readers(self.sight.root(x));
        let forward = readers.into_iter().find(|reader| {
            matches!(self.op(*reader), Op::Normalize(_))
                && self.same(self.operand(*reader, 0), x)
                && self.saved.contains_key(&(*reader, Saved::Lengths))
        });
        if let Some(forward) = forward {
            return (self.place(forward), self.saved[&(forward, Saved::Lengths)]);
        }
        let (rows, width) = self.rows(x);
        let [y, norms] = [rows * width, rows].map(|words| self.temporary(words));
        let x = self.place(x);
        self.launch(&[x], &[y, norms], 0, move |worker, frame, _| {
            normalize::forward(worker, rows, width, frame.view(x), frame.view(y), Some(frame.view(norms)));
        });
        (y, norms)
    }
}
