//! Fused chains of pointwise operations: a small program run block by block.
//!
//! A [`Chain`] is made once, with the plan; [`Chain::run`] takes 512 elements at a time through all its steps, so that what is
//! between the steps never leaves the nearest cache. Registers are blocks of 512 numbers in the worker's scratch.
//! The interpreter's cost is one `match` for 512 elements.
//!
//! ```
//! use chiasm::exec::cpu::kernel::pointwise::{Binary, Chain, Pattern, Step, Unary};
//! // y = gelu(x + bias), x [4, 3], bias [3]
//! let chain = Chain::new(12, &[
//!     Step::Load { to: 0, operand: 0, pattern: Pattern::Full },
//!     Step::Load { to: 1, operand: 1, pattern: Pattern::Suffix(3) },
//!     Step::Binary { to: 0, function: Binary::Add, a: 0, b: 1 },
//!     Step::Unary { to: 0, function: Unary::Gelu, a: 0 },
//!     Step::Store { from: 0, operand: 2 },
//! ]);
//! assert_eq!(chain.len(), 12);
//! ```

mod block;

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;
use crate::random::Stream;

/// Elements of a block.
const BLOCK: usize = 512;
/// Blocks in one job, at most.
const JOB: usize = 16;
/// Most registers in use at once, the spare one included.
const REGISTERS: usize = 64;

/// A register: one block of numbers.
pub type Register = u8;

/// Where element i of the result finds its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Word i.
    Full,
    /// Word 0.
    Scalar,
    /// Word `i % n`: trailing axes, repeated.
    Suffix(usize),
    /// Word `i / n`: leading axes, each spread over n.
    Prefix(usize),
    /// Word `i / inner % count`: axes in the middle.
    Middle {
        /// Elements per word.
        inner: usize,
        /// Words.
        count: usize,
    },
    /// Word `i / (count * inner) * inner + i % inner`: spread over a middle axis of `count`.
    Around {
        /// Length of the missing axis.
        count: usize,
        /// Elements behind it.
        inner: usize,
    },
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// The number.
    Copy,
    /// `-x`
    Negate,
    /// `|x|`
    Absolute,
    /// `1 / x`
    Invert,
    /// `x * x`
    Square,
    /// Natural exponential.
    Exp,
    /// Natural logarithm.
    Log,
    /// Square root.
    Sqrt,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `max(x, 0)`
    Relu,
    /// `x Phi(x)`
    Gelu,
    /// Derivative of `Gelu`.
    GeluGradient,
    /// `log(1 + exp(x))`, without overflow.
    Softplus,
    /// `floor(x)`
    Floor,
    /// 1 - x: not, of a condition.
    Not,
    /// From the bits of an `i32` to the number.
    FromId,
    /// From a whole number to the bits of an `i32`.
    ToId,
}

/// Functions of two numbers; comparisons give 1.0 or 0.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// The larger.
    Max,
    /// The smaller.
    Min,
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a < b`
    Less,
    /// `a <= b`
    LessEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterEqual,
    /// Both conditions.
    And,
    /// Either condition.
    Or,
}

/// One step of a chain. Registers may repeat: `to` may be an operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// A register from operand number `operand`.
    Load {
        /// Register written.
        to: Register,
        /// Index into the operands of the call.
        operand: u8,
        /// Where its words are.
        pattern: Pattern,
    },
    /// Result number `operand`, word i, from a register.
    Store {
        /// Register read.
        from: Register,
        /// Index into the operands of the call.
        operand: u8,
    },
    /// One number everywhere.
    Constant {
        /// Register written.
        to: Register,
        /// The number.
        value: f32,
    },
    /// The flat index i itself, `i / inner % count`, as a number.
    Index {
        /// Register written.
        to: Register,
        /// Elements per number.
        inner: usize,
        /// Numbers before it starts again.
        count: usize,
    },
    /// A function of one register.
    Unary {
        /// Register written.
        to: Register,
        /// Function.
        function: Unary,
        /// Argument.
        a: Register,
    },
    /// A function of two registers.
    Binary {
        /// Register written.
        to: Register,
        /// Function.
        function: Binary,
        /// First argument.
        a: Register,
        /// Second argument.
        b: Register,
    },
    /// A function of two registers of ids, which are the bits of an `i32`. A number that comes out is an id again (rounded towards
    /// zero, kept within an `i32`), a condition is 1.0 or 0.0.
    Ids {
        /// Register written.
        to: Register,
        /// Function.
        function: Binary,
        /// First argument.
        a: Register,
        /// Second argument.
        b: Register,
    },
    /// `a` where the condition is not 0, else `b`.
    Select {
        /// Register written.
        to: Register,
        /// Condition.
        condition: Register,
        /// Where true.
        a: Register,
        /// Where false.
        b: Register,
    },
    /// A uniform number in [0, 1): stream number `stream` at row `i / row`, element `i % row`.
    Uniform {
        /// Register written.
        to: Register,
        /// Index into the streams of the call.
        stream: u8,
        /// Elements in a row.
        row: usize,
    },
    /// Dropout's factor: 0 where `Uniform` is below `probability`, else `1 / (1 - probability)`.
    Keep {
        /// Register written.
        to: Register,
        /// Index into the streams of the call.
        stream: u8,
        /// Elements in a row.
        row: usize,
        /// Probability of zero.
        probability: f32,
    },
}

/// A checked chain over `len` elements.
#[derive(Clone, Debug)]
pub struct Chain {
    len: usize,
    steps: Box<[Step]>,
    registers: usize,
    operands: usize,
    streams: usize,
}

impl Chain {
    /// Prepares a chain (when a plan is made; this allocates).
    ///
    /// # Panics
    /// If a register is read before it is written, or if there are more than 63 of them.
    pub fn new(len: usize, steps: &[Step]) -> Self {
        let mut names = Names::default();
        let steps: Box<[Step]> = steps.iter().map(|step| names.rename(*step)).collect();
        let operands = steps.iter().map(|step| match step {
            Step::Load { operand, .. } | Step::Store { operand, .. } => usize::from(*operand) + 1,
            _ => 0,
        });
        let streams = steps.iter().map(|step| match step {
            Step::Uniform { stream, .. } | Step::Keep { stream, .. } => usize::from(*stream) + 1,
            _ => 0,
        });
        let (operands, streams) = (operands.max().unwrap_or(0), streams.max().unwrap_or(0));
        Self { len, steps, registers: names.used, operands, streams }
    }

    /// Elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Words of scratch: every thread's registers.
    pub fn scratch_words(&self, threads: usize) -> usize {
        threads * self.registers * BLOCK
    }

    /// Runs the chain. A result may be an operand loaded in full.
    ///
    /// # Panics
    /// If operands, streams or words are missing.
    pub fn run(&self, worker: &Worker, operands: &[View], streams: &[Stream], scratch: View) {
        assert!(
            operands.len() >= self.operands && streams.len() >= self.streams,
            "operands or streams are missing"
        );
        let words = self.registers * BLOCK;
        let mut room = block::Room {
            level: worker.level,
            operands,
            streams,
            registers: scratch.part(worker.index * words, words),
        };
        // Small jobs for small chains, so that every worker gets one.
        let job = (self.len / (64 * BLOCK)).clamp(1, JOB) * BLOCK;
        worker.share_pieces(self.len, job, |piece| {
            for start in piece.clone().step_by(BLOCK) {
                let end = piece.end.min(start + BLOCK);
                self.steps.iter().for_each(|step| room.step(step, start..end));
            }
        });
    }
}

/// Gives registers new names, so that no step writes a register that it reads.
struct Names {
    /// The present name of each register of the caller's.
    now: [Option<Register>; 256],
    /// Names in use.
    taken: [bool; REGISTERS],
    /// The highest number of names.
    used: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self { now: [None; 256], taken: [false; REGISTERS], used: 0 }
    }
}

impl Names {
    fn read(&self, register: Register) -> Register {
        let name = self.now[usize::from(register)];
        assert!(name.is_some(), "register {register} is read before it is written");
        name.unwrap_or(0)
    }

    /// A fresh name; the old one becomes free only now, after the operands were named.
    fn write(&mut self, register: Register) -> Register {
        let free = self.taken.iter().position(|taken| !taken);
        assert!(free.is_some(), "too many registers");
        let name = free.unwrap_or(0);
        self.taken[name] = true;
        self.used = self.used.max(name + 1);
        if let Some(old) = self.now[usize::from(register)].replace(name as Register) {
            self.taken[usize::from(old)] = false;
        }
        name as Register
    }

    fn rename(&mut self, mut step: Step) -> Step {
        match &mut step {
            Step::Store { from, .. } => *from = self.read(*from),
            Step::Load { to, .. }
            | Step::Constant { to, .. }
            | Step::Index { to, .. }
            | Step::Uniform { to, .. }
            | Step::Keep { to, .. } => *to = self.write(*to),
            Step::Unary { to, a, .. } => (*a, *to) = (self.read(*a), self.write(*to)),
            Step::Binary { to, a, b, .. } | Step::Ids { to, a, b, .. } => {
                (*a, *b, *to) = (self.read(*a), self.read(*b), self.write(*to));
            }
            Step::Select { to, condition, a, b } => {
                (*condition, *a, *b) = (self.read(*condition), self.read(*a), self.read(*b));
                *to = self.write(*to);
            }
        }
        step
    }
}

#[cfg(test)]
mod tests;
