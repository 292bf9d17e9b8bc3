//! Fused chains of pointwise operations.

use crate::exec::cpu::pool::Worker;
use crate::exec::cpu::view::View;
use crate::random::Stream;

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
}

impl Chain {
    /// Prepares a chain (when a plan is made; this allocates).
    pub fn new(len: usize, steps: &[Step]) -> Self {
        let _ = (len, steps);
        unimplemented!()
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
        let _ = (threads, &self.steps, self.registers);
        unimplemented!()
    }

    /// Runs the chain. A result may be an operand loaded in full.
    pub fn run(&self, worker: &Worker, operands: &[View], streams: &[Stream], scratch: View) {
        let _ = (worker, operands, streams, scratch);
        unimplemented!()
    }
}
