//! The gradient of softmax: (y, dy) to `y (dy - sum y dy)` over the last axis.
//!
//! C1: both operands have one shape.

use super::pointwise::{arithmetic, both};
use super::softmax::softmax;
use super::{Add, Array, Backward, Broadcast, Build, Class, Context, Facts, Misfit, Multiply, Rule, Sample, Subtract, Sum, Value};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// `y (dy - sum y dy)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoftmaxGrad;

impl Rule for SoftmaxGrad {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let shape = arithmetic(operands)?;
        if operands[0] != operands[1] || shape.rank() == 0 {
            return Err(Misfit::new("C1", format!("expected one shape, found {} and {}", operands[0], operands[1])));
        }
        Ok(shape)
    }

    fn grad(&self, at: &mut Backward<'_>) -> Vec<Option<Value>> {
        let [y, g] = [at.operands[0], at.operands[1]];
        let part = at.build.add(Self.into(), &[y, at.dy]);
        // y's gradient: dy (g - sum y g) - g sum(y dy)
        let dy = at.wanted[0].then(|| {
            let first = centred(at.build, g, y);
            let first = both(at.build, Multiply, at.dy, first);
            let weight = spread_sum(at.build, y, at.dy);
            let second = both(at.build, Multiply, g, weight);
            both(at.build, Subtract, first, second)
        });
        vec![dy, at.wanted[1].then_some(part)]
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        let [y, dy] = [operands[0], operands[1]];
        let row = |(y, dy): (&[f64], &[f64])| {
            let dot: f64 = y.iter().zip(dy).map(|(a, b)| a * b).sum();
            y.iter().zip(dy).map(|(a, b)| a * (b - dot)).collect::<Vec<_>>()
        };
        Array { dims: y.dims.clone(), data: y.rows().zip(dy.rows()).flat_map(row).collect() }
    }

    fn expand(&self, build: &mut dyn Build, operands: &[Value]) -> Option<Value> {
        let rest = centred(build, operands[1], operands[0]);
        Some(both(build, Multiply, operands[0], rest))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Rowwise, 4 * result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        super::softmax::samples(seed)
            .map(|(kind, x)| {
                let dy = Array::random(seed, "dy", &x.dims);
                Sample::new(Self, [(kind, x.map_rows(softmax)), dy])
            })
            .to_vec()
    }
}

/// `sum y g` over the last axis, repeated along it.
fn spread_sum(build: &mut dyn Build, y: Value, g: Value) -> Value {
    let sizes = build.shape(y).sizes;
    let last = sizes.len() - 1;
    let product = both(build, Multiply, y, g);
    let sum = build.add(Sum { axis: last }.into(), &[product]);
    build.add(Broadcast { sizes, axes: (0..last).collect() }.into(), &[sum])
}

/// `g - sum y g`
fn centred(build: &mut dyn Build, g: Value, y: Value) -> Value {
    let sum = spread_sum(build, y, g);
    let down = build.add(super::Negate.into(), &[sum]);
    both(build, Add, g, down)
}
