//! Reductions and functions of rows: `sum mean max argmax softmax normalize standardize`. Padding is skipped.

use super::Lower;
use crate::lower::object::{Given, Tensor};
use crate::lower::state::Eval;
use crate::lower::types::{Axis, Elements, Range, Type};
use crate::op::{
    Argmax, Broadcast, Choose, Compare, Divide, Fill, Max, Normalize, Op, Relation, Softmax, Standardize, Sum,
};
use crate::shape::{Shape, Size};
use chiasm_dsl::code::Code;
use chiasm_dsl::span::Span;

/// Stands for minus infinity under a softmax or a maximum.
const LOWEST: f64 = -1e30;

impl<'p> Lower<'p> {
    /// `sum(x, axis: n)`, over one axis or over everything.
    pub fn reduction(&mut self, name: &'static str, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let mut args = self.args(name, &["x", "axis"], given, span)?;
        let (x, _) = self.need_tensor(&mut args, "x")?;
        let x = self.floats(&x)?;
        if name == "min" {
            return self.fail(Code::E0314, span, "`min` takes two plain numbers");
        }
        match args.optional("axis") {
            Some(given) => {
                let axis = self.axis(&x, &given)?;
                self.reduce(name, &x, axis)
            }
            None if name == "mean" => self.mean(&x),
            None => (0..x.ty.rank()).rev().try_fold(x, |x, axis| self.reduce(name, &x, axis)),
        }
    }

    /// The mean over everything that is valid.
    pub fn mean(&mut self, x: &Tensor) -> Eval<Tensor> {
        if x.ty.axes.iter().any(|a| a.padding.is_some()) {
            return self.mean_of_valid(x);
        }
        (0..x.ty.rank()).rev().try_fold(x.clone(), |x, axis| self.reduce("mean", &x, axis))
    }

    /// An axis counted from the front, or from the back if negative.
    pub fn axis(&mut self, x: &Tensor, given: &Given<'p>) -> Eval<usize> {
        let number = self.number(&given.value, given.span)?;
        let rank = x.ty.rank() as f64;
        let place = if number < 0.0 { number + rank } else { number };
        if place < 0.0 || place >= rank || place.fract() != 0.0 {
            return self.fail(Code::E0307, given.span, format!("{number} is no axis of {}", x.ty));
        }
        Ok(place as usize)
    }

    fn reduce(&mut self, name: &str, x: &Tensor, axis: usize) -> Eval<Tensor> {
        let filled = self.masked(x, axis, if name == "max" { LOWEST } else { 0.0 })?;
        let ty = without(&x.ty, axis);
        let op: Op = if name == "max" { Max { axis }.into() } else { Sum { axis }.into() };
        let total = self.emit(op, &[filled.node], ty)?;
        if name != "mean" {
            return Ok(total);
        }
        let count = self.places(x, axis, &total.ty)?;
        self.emit(Divide, &[total.node, count.node], (*total.ty).clone())
    }

    /// How many places of an axis count, as something that divides the sum over it.
    fn places(&mut self, x: &Tensor, axis: usize, result: &Type) -> Eval<Tensor> {
        if let Some(padding) = x.ty.axes[axis].padding.clone() {
            let mask = Tensor { node: padding.mask, ty: self.mask_type(&padding).into() };
            let mask = self.floats(&mask)?;
            let rows = Type::float([mask.ty.axes[0].size.clone()]);
            let count = self.emit(Sum { axis: 1 }, &[mask.node], rows)?;
            let count = self.at_least_one(&count)?;
            let sizes = result.sizes();
            if sizes.len() == 1 {
                return Ok(count);
            }
            return self.emit(
                Broadcast { sizes: sizes.clone(), axes: vec![0] },
                &[count.node],
                Type::float(sizes),
            );
        }
        let size = x.ty.axes[axis].size.clone();
        match size.number() {
            Some(n) => self.fill(n as f64, Elements::Float),
            None => {
                let ones = Type::float([size]);
                let ones = self.emit(Fill { shape: ones.shape(), value: 1.0 }, &[], ones)?;
                self.emit(Sum { axis: 0 }, &[ones.node], Type::float([]))
            }
        }
    }

    /// Zero counts become one: the mean of nothing is zero.
    fn at_least_one(&mut self, count: &Tensor) -> Eval<Tensor> {
        let zero = self.fill(0.0, Elements::Float)?;
        let one = self.fill(1.0, Elements::Float)?;
        let some = count.ty.with_elements(Elements::Condition);
        let some = self.emit(Compare { relation: Relation::Greater }, &[count.node, zero.node], some)?;
        self.emit(Choose, &[some.node, count.node, one.node], (*count.ty).clone())
    }

    fn mean_of_valid(&mut self, x: &Tensor) -> Eval<Tensor> {
        let shape = Shape { sizes: x.ty.sizes(), kind: crate::shape::Kind::Float };
        let ones = self.emit(Fill { shape, value: 1.0 }, &[], (*x.ty).clone())?;
        let count = (0..x.ty.rank()).rev().try_fold(ones, |x, axis| self.reduce("sum", &x, axis))?;
        let count = self.at_least_one(&count)?;
        let total = (0..x.ty.rank()).rev().try_fold(x.clone(), |x, axis| self.reduce("sum", &x, axis))?;
        self.emit(Divide, &[total.node, count.node], (*total.ty).clone())
    }

    /// `softmax normalize standardize argmax`, over the last axis.
    pub fn rowwise(&mut self, name: &'static str, given: Vec<Given<'p>>, span: Span) -> Eval<Tensor> {
        let names: &'static [&'static str] = if name == "standardize" { &["x", "eps"] } else { &["x"] };
        let mut args = self.args(name, names, given, span)?;
        let (x, at) = self.need_tensor(&mut args, "x")?;
        let x = self.floats(&x)?;
        let Some(last) = x.ty.rank().checked_sub(1) else {
            return self.fail(Code::E0314, at, format!("`{name}` needs at least one axis"));
        };
        match name {
            "softmax" => {
                let filled = self.masked(&x, last, LOWEST)?;
                let y = self.same_type(Softmax, &filled)?;
                self.masked(&y, last, 0.0)
            }
            "normalize" => {
                let filled = self.masked(&x, last, 0.0)?;
                self.same_type(Normalize, &filled)
            }
            "standardize" => {
                if x.ty.axes[last].padding.is_some() {
                    return self.fail(Code::E0314, at, "`standardize` cannot skip padding");
                }
                let eps = self.need(&mut args, "eps")?;
                let eps = self.number(&eps.value, eps.span)?;
                self.same_type(Standardize { eps }, &x)
            }
            _ => {
                let filled = self.masked(&x, last, LOWEST)?;
                let size: Size = x.ty.axes[last].size.clone();
                let ty = without(&x.ty, last).with_elements(Elements::Ids(Range::Below(size)));
                self.emit(Argmax, &[filled.node], ty)
            }
        }
    }
}

/// A type with one axis less.
pub fn without(ty: &Type, axis: usize) -> Type {
    let axes: Vec<Axis> =
        ty.axes.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, a)| a.clone()).collect();
    let mut smaller = ty.with_axes(axes);
    smaller.label = ty.modality();
    if axis == 0 {
        smaller.axes.iter_mut().for_each(|a| a.padding = None);
    }
    smaller
}
