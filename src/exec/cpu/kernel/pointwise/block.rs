//! One step of a chain on one block.

use super::{BLOCK, Binary, Pattern, Register, Step, Unary};
use crate::exec::cpu::kernel::draw;
use crate::exec::cpu::level::{Level, by_level};
use crate::exec::cpu::math;
use crate::exec::cpu::view::View;
use crate::random::Stream;
use std::ops::Range;

/// What a worker's steps need.
pub(super) struct Room<'a> {
    pub(super) level: Level,
    pub(super) operands: &'a [View],
    pub(super) streams: &'a [Stream],
    pub(super) registers: View,
}

impl Room<'_> {
    fn register(&self, register: Register, len: usize) -> View {
        self.registers.part(usize::from(register) * BLOCK, len)
    }

    /// Runs a step on elements `at`. No step writes a register that it reads.
    pub(super) fn step(&mut self, step: &Step, at: Range<usize>) {
        let len = at.len();
        let read = |r: &Register| self.register(*r, len).read();
        let write = |r: &Register| self.register(*r, len).write();
        match step {
            Step::Load { to, operand, pattern } => {
                load(write(to), self.operands[usize::from(*operand)], *pattern, at.start);
            }
            Step::Store { from, operand } => {
                self.operands[usize::from(*operand)].part(at.start, len).write().copy_from_slice(read(from));
            }
            Step::Constant { to, value } => write(to).fill(*value),
            Step::Index { to, inner, count } => {
                (at.start..).zip(write(to)).for_each(|(i, x)| *x = (i / inner % count) as f32);
            }
            Step::Unary { to, function, a } => unary(self.level, *function, read(a), write(to)),
            Step::Binary { to, function, a, b } => binary(self.level, *function, read(a), read(b), write(to)),
            Step::Ids { to, function, a, b } => ids(self.level, *function, read(a), read(b), write(to)),
            Step::Select { to, condition, a, b } => {
                select(self.level, read(condition), read(a), read(b), write(to))
            }
            Step::Uniform { to, stream, row } => self.draw(write(to), *stream, *row, at.start),
            Step::Keep { to, stream, row, probability } => {
                self.draw(write(to), *stream, *row, at.start);
                draw::keep(self.level, write(to), *probability, draw::factor(*probability));
            }
        }
    }

    /// Uniform numbers; the block may reach over several rows.
    fn draw(&self, mut to: &mut [f32], stream: u8, row: usize, start: usize) {
        let mut at = start;
        while !to.is_empty() {
            let len = to.len().min(row - at % row);
            let (now, rest) = to.split_at_mut(len);
            draw::uniform(
                self.level,
                self.streams[usize::from(stream)],
                (at / row) as u32,
                (at % row) as u32,
                now,
            );
            (to, at) = (rest, at + len);
        }
    }
}

/// Loads elements from `start` on.
fn load(to: &mut [f32], operand: View, pattern: Pattern, start: usize) {
    match pattern {
        Pattern::Full => to.copy_from_slice(operand.part(start, to.len()).read()),
        Pattern::Scalar => to.fill(operand.read()[0]),
        Pattern::Suffix(n) => repeat(to, operand, n, start),
        Pattern::Prefix(n) => spread(to, operand, n, usize::MAX, start),
        Pattern::Middle { inner, count } => spread(to, operand, inner, count, start),
        Pattern::Around { count, inner } => around(to, operand, count, inner, start),
    }
}

/// `operand[i % n]`, run by run.
fn repeat(mut to: &mut [f32], operand: View, n: usize, mut at: usize) {
    while !to.is_empty() {
        let len = to.len().min(n - at % n);
        let (now, rest) = to.split_at_mut(len);
        now.copy_from_slice(operand.part(at % n, len).read());
        (to, at) = (rest, at + len);
    }
}

/// `operand[i / inner % count]`, run by run.
fn spread(mut to: &mut [f32], operand: View, inner: usize, count: usize, mut at: usize) {
    while !to.is_empty() {
        let len = to.len().min(inner - at % inner);
        let (now, rest) = to.split_at_mut(len);
        now.fill(operand.read()[at / inner % count]);
        (to, at) = (rest, at + len);
    }
}

/// `operand[i / (count * inner) * inner + i % inner]`, run by run.
fn around(mut to: &mut [f32], operand: View, count: usize, inner: usize, mut at: usize) {
    while !to.is_empty() {
        let len = to.len().min(inner - at % inner);
        let (now, rest) = to.split_at_mut(len);
        now.copy_from_slice(operand.part(at / (count * inner) * inner + at % inner, len).read());
        (to, at) = (rest, at + len);
    }
}

#[inline(always)]
fn map(a: &[f32], to: &mut [f32], f: impl Fn(f32) -> f32) {
    to.iter_mut().zip(a).for_each(|(to, a)| *to = f(*a));
}

#[inline(always)]
fn join(a: &[f32], b: &[f32], to: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    to.iter_mut().zip(a.iter().zip(b)).for_each(|(to, (a, b))| *to = f(*a, *b));
}

/// A condition as a number.
#[inline(always)]
fn truth(x: bool) -> f32 {
    if x { 1.0 } else { 0.0 }
}

/// Two ids through `f64`, which holds every id, sum and difference exactly.
#[inline(always)]
fn count(a: &[f32], b: &[f32], to: &mut [f32], f: impl Fn(f64, f64) -> f64) {
    let id = |x: f32| f64::from(x.to_bits() as i32);
    join(a, b, to, |a, b| f32::from_bits(f(id(a), id(b)) as i32 as u32));
}

/// The same for a comparison.
#[inline(always)]
fn compare(a: &[f32], b: &[f32], to: &mut [f32], f: impl Fn(i32, i32) -> bool) {
    join(a, b, to, |a, b| truth(f(a.to_bits() as i32, b.to_bits() as i32)));
}

/// The nearest whole number that is not above x; numbers beyond 2^23 are whole already.
#[inline(always)]
fn floor(x: f32) -> f32 {
    let near = if x.abs() < 8_388_608.0 { x as i32 as f32 } else { x };
    near - truth(near > x)
}

by_level! {
    fn unary[F](function: Unary, a: &[f32], to: &mut [f32]) {
        match function {
            Unary::Copy => to.copy_from_slice(a),
            Unary::Negate => map(a, to, |x| -x),
            Unary::Absolute => map(a, to, f32::abs),
            Unary::Invert => map(a, to, |x| 1.0 / x),
            Unary::Square => map(a, to, |x| x * x),
            Unary::Exp => map(a, to, math::exp::<F>),
            Unary::Log => map(a, to, math::log::<F>),
            Unary::Sqrt => map(a, to, f32::sqrt),
            Unary::Tanh => map(a, to, math::tanh::<F>),
            Unary::Sigmoid => map(a, to, math::sigmoid::<F>),
            Unary::Relu => map(a, to, |x| if x < 0.0 { 0.0 } else { x }),
            Unary::Gelu => map(a, to, math::gelu::<F>),
            Unary::GeluGradient => map(a, to, math::gelu_gradient::<F>),
            Unary::Softplus => map(a, to, math::softplus::<F>),
            Unary::Floor => map(a, to, floor),
            Unary::Not => map(a, to, |x| truth(x == 0.0)),
            Unary::FromId => map(a, to, |x| x.to_bits() as i32 as f32),
            Unary::ToId => map(a, to, |x| f32::from_bits(x as i32 as u32)),
        }
    }

    fn binary[F](function: Binary, a: &[f32], b: &[f32], to: &mut [f32]) {
        match function {
            Binary::Add => join(a, b, to, |a, b| a + b),
            Binary::Subtract => join(a, b, to, |a, b| a - b),
            Binary::Multiply => join(a, b, to, |a, b| a * b),
            Binary::Divide => join(a, b, to, |a, b| a / b),
            Binary::Max => join(a, b, to, |a, b| if a > b { a } else { b }),
            Binary::Min => join(a, b, to, |a, b| if a < b { a } else { b }),
            Binary::Equal => join(a, b, to, |a, b| truth(a == b)),
            Binary::NotEqual => join(a, b, to, |a, b| truth(a != b)),
            Binary::Less => join(a, b, to, |a, b| truth(a < b)),
            Binary::LessEqual => join(a, b, to, |a, b| truth(a <= b)),
            Binary::Greater => join(a, b, to, |a, b| truth(a > b)),
            Binary::GreaterEqual => join(a, b, to, |a, b| truth(a >= b)),
            Binary::And => join(a, b, to, |a, b| truth((a != 0.0) & (b != 0.0))),
            Binary::Or => join(a, b, to, |a, b| truth((a != 0.0) | (b != 0.0))),
        }
    }

    fn ids[F](function: Binary, a: &[f32], b: &[f32], to: &mut [f32]) {
        match function {
            Binary::Add => count(a, b, to, |a, b| a + b),
            Binary::Subtract => count(a, b, to, |a, b| a - b),
            Binary::Multiply => count(a, b, to, |a, b| a * b),
            Binary::Divide => count(a, b, to, |a, b| a / b),
            Binary::Max => count(a, b, to, f64::max),
            Binary::Min => count(a, b, to, f64::min),
            Binary::Equal => compare(a, b, to, |a, b| a == b),
            Binary::NotEqual => compare(a, b, to, |a, b| a != b),
            Binary::Less => compare(a, b, to, |a, b| a < b),
            Binary::LessEqual => compare(a, b, to, |a, b| a <= b),
            Binary::Greater => compare(a, b, to, |a, b| a > b),
            Binary::GreaterEqual => compare(a, b, to, |a, b| a >= b),
            Binary::And => compare(a, b, to, |a, b| (a != 0) & (b != 0)),
            Binary::Or => compare(a, b, to, |a, b| (a != 0) | (b != 0)),
        }
    }

    fn select[F](condition: &[f32], a: &[f32], b: &[f32], to: &mut [f32]) {
        for ((to, condition), (a, b)) in to.iter_mut().zip(condition).zip(a.iter().zip(b)) {
            *to = if *condition == 0.0 { *b } else { *a };
        }
    }
}
