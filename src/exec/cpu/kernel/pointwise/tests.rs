use super::*;
use crate::exec::cpu::testing::{check, ids, numbers, pools, view, wide};

type One = (Unary, fn(f64) -> f64);
type Two = (Binary, fn(f64, f64) -> f64);

const UNARY: [One; 15] = [
    (Unary::Copy, |x| x),
    (Unary::Negate, |x| -x),
    (Unary::Absolute, f64::abs),
    (Unary::Invert, |x| 1.0 / x),
    (Unary::Square, |x| x * x),
    (Unary::Exp, f64::exp),
    (Unary::Log, f64::ln),
    (Unary::Sqrt, f64::sqrt),
    (Unary::Tanh, f64::tanh),
    (Unary::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
    (Unary::Relu, |x| x.max(0.0)),
    (Unary::Softplus, |x| x.exp().ln_1p()),
    (Unary::Floor, f64::floor),
    (Unary::Not, |x| f64::from(u8::from(x == 0.0))),
    (Unary::GeluGradient, |x| gelu(x + 1e-5) / 2e-5 - gelu(x - 1e-5) / 2e-5),
];

fn gelu(x: f64) -> f64 {
    let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
    let h = x / 2000.0;
    let sum: f64 = (1..2000).map(|i| density(f64::from(i) * h) * f64::from(2 + 2 * (i % 2))).sum();
    x * (0.5 + h / 3.0 * (density(0.0) + density(x) + sum))
}

const BINARY: [Two; 14] = [
    (Binary::Add, |a, b| a + b),
    (Binary::Subtract, |a, b| a - b),
    (Binary::Multiply, |a, b| a * b),
    (Binary::Divide, |a, b| a / b),
    (Binary::Max, f64::max),
    (Binary::Min, f64::min),
    (Binary::Equal, |a, b| f64::from(u8::from(a == b))),
    (Binary::NotEqual, |a, b| f64::from(u8::from(a != b))),
    (Binary::Less, |a, b| f64::from(u8::from(a < b))),
    (Binary::LessEqual, |a, b| f64::from(u8::from(a <= b))),
    (Binary::Greater, |a, b| f64::from(u8::from(a > b))),
    (Binary::GreaterEqual, |a, b| f64::from(u8::from(a >= b))),
    (Binary::And, |a, b| f64::from(u8::from(a != 0.0 && b != 0.0))),
    (Binary::Or, |a, b| f64::from(u8::from(a != 0.0 || b != 0.0))),
];

/// Runs a chain on operands and a blank result, which is the last operand.
fn run(len: usize, steps: &[Step], operands: &[&[f32]]) -> Vec<Vec<f32>> {
    let chain = Chain::new(len, steps);
    pools()
        .map(|pool| {
            let out = vec![f32::NAN; len];
            let scratch = vec![f32::NAN; chain.scratch_words(pool.threads())];
            let views: Vec<View> = operands.iter().map(|x| view(x)).chain([view(&out)]).collect();
            let streams = [Stream::new(1, "s", "p")];
            pool.run(&|w| chain.run(w, &views, &streams, view(&scratch)));
            out
        })
        .collect()
}

fn load(to: Register, operand: u8, pattern: Pattern) -> Step {
    Step::Load { to, operand, pattern }
}

#[test]
fn every_function_equals_its_formula() {
    let len = 1201;
    let mut x: Vec<f32> = numbers(1, len).iter().map(|x| x * 6.0).collect();
    let mut y: Vec<f32> = numbers(2, len).iter().map(|x| x * 6.0).collect();
    (x[5], y[5], x[6]) = (0.0, 3.0, y[6]);
    y[7] = 0.0;
    for (function, f) in UNARY {
        let x: Vec<f32> = match function {
            Unary::Log | Unary::Sqrt => x.iter().map(|x| x.abs() + 0.01).collect(),
            Unary::Invert => x.iter().map(|x| x.signum() * (x.abs() + 0.5)).collect(),
            _ => x.clone(),
        };
        let unary = Step::Unary { to: 0, function, a: 0 };
        for out in run(len, &[load(0, 0, Pattern::Full), unary, Step::Store { from: 0, operand: 1 }], &[&x]) {
            check(&format!("{function:?}"), &out, &wide(&x).into_iter().map(f).collect::<Vec<_>>(), 2e-6);
        }
    }
    for (function, f) in BINARY {
        let y: Vec<f32> =
            if function == Binary::Divide { y.iter().map(|y| y.abs() + 0.5).collect() } else { y.clone() };
        let loads = [load(0, 0, Pattern::Full), load(1, 1, Pattern::Full)];
        let binary = Step::Binary { to: 1, function, a: 0, b: 1 };
        for out in run(len, &[loads[0], loads[1], binary, Step::Store { from: 1, operand: 2 }], &[&x, &y]) {
            let exact: Vec<f64> = wide(&x).into_iter().zip(wide(&y)).map(|(a, b)| f(a, b)).collect();
            check(&format!("{function:?}"), &out, &exact, 2e-6);
        }
    }
}

#[test]
fn patterns_find_their_words() {
    let (outer, middle, inner) = (7, 30, 11);
    let len = outer * middle * inner;
    let x = numbers(1, len);
    let cases: [(Pattern, &dyn Fn(usize) -> usize); 6] = [
        (Pattern::Full, &|i| i),
        (Pattern::Scalar, &|_| 0),
        (Pattern::Suffix(inner), &|i| i % inner),
        (Pattern::Prefix(inner * middle), &|i| i / (inner * middle)),
        (Pattern::Middle { inner, count: middle }, &|i| i / inner % middle),
        (Pattern::Around { count: middle, inner }, &|i| i / (middle * inner) * inner + i % inner),
    ];
    for (pattern, place) in cases {
        for out in run(len, &[load(3, 0, pattern), Step::Store { from: 3, operand: 1 }], &[&x]) {
            assert!((0..len).all(|i| out[i] == x[place(i)]), "{pattern:?}");
        }
    }
}

#[test]
fn selections_constants_indices_and_ids() {
    let len = 1000;
    let numbers = ids(1, len, 9);
    let steps = [
        load(0, 0, Pattern::Full),
        Step::Constant { to: 1, value: f32::from_bits(4) },
        Step::Ids { to: 2, function: Binary::Less, a: 0, b: 1 },
        Step::Index { to: 3, inner: 10, count: 7 },
        Step::Unary { to: 3, function: Unary::ToId, a: 3 },
        Step::Select { to: 0, condition: 2, a: 3, b: 0 },
        Step::Store { from: 0, operand: 1 },
    ];
    for out in run(len, &steps, &[&numbers]) {
        for i in 0..len {
            let id = numbers[i].to_bits() as usize;
            assert_eq!(out[i].to_bits() as usize, if id < 4 { i / 10 % 7 } else { id });
        }
    }
}

/// Neighbours that `f32` cannot tell apart, both signs, both ends.
#[test]
fn ids_of_any_size_are_exact() {
    let whole: Vec<i32> =
        [16_777_216, 16_777_217, 2_147_483_646, i32::MAX, -16_777_217, -16_777_216, i32::MIN, 0].repeat(80);
    let other: Vec<i32> = whole.iter().skip(1).chain(&whole[..1]).copied().collect();
    let bits = |x: &[i32]| x.iter().map(|x| f32::from_bits(*x as u32)).collect::<Vec<f32>>();
    let (a, b) = (bits(&whole), bits(&other));
    for (function, f) in BINARY {
        let steps = [
            load(0, 0, Pattern::Full),
            load(1, 1, Pattern::Full),
            Step::Ids { to: 2, function, a: 0, b: 1 },
            Step::Store { from: 2, operand: 2 },
        ];
        let number = matches!(
            function,
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Max | Binary::Min
        );
        for out in run(whole.len(), &steps, &[&a, &b]) {
            for (i, found) in out.iter().enumerate() {
                let expected = f(f64::from(whole[i]), f64::from(other[i]));
                let found = if number { f64::from(found.to_bits() as i32) } else { f64::from(*found) };
                let expected = if number { f64::from(expected as i32) } else { expected };
                assert_eq!(found, expected, "{function:?} of {} and {}", whole[i], other[i]);
            }
        }
    }
}

#[test]
fn draws_are_those_of_the_stream() {
    let (rows, row) = (40, 37);
    let stream = Stream::new(1, "s", "p");
    let steps = [Step::Uniform { to: 0, stream: 0, row }, Step::Store { from: 0, operand: 0 }];
    for out in run(rows * row, &steps, &[]) {
        assert!((0..rows * row).all(|i| out[i] == stream.uniform((i / row) as u32, (i % row) as u32)));
    }
    let steps = [Step::Keep { to: 0, stream: 0, row, probability: 0.2 }, Step::Store { from: 0, operand: 0 }];
    for out in run(rows * row, &steps, &[]) {
        let kept = |i: usize| stream.uniform((i / row) as u32, (i % row) as u32) >= 0.2;
        assert!((0..rows * row).all(|i| out[i] == if kept(i) { 1.0 / (1.0 - 0.2) } else { 0.0 }));
    }
}

#[test]
#[should_panic(expected = "register 1 is read before it is written")]
fn a_register_must_be_written_first() {
    Chain::new(1, &[Step::Store { from: 1, operand: 0 }]);
}
