//! `a == b`, `a < b` and so on, as a condition; no gradient.
//!
//! C1: the shorter shape equals the end of the longer. C2: both operands are of one kind.

use super::pointwise::{count, joined, of_kind, zip};
use super::{Array, Class, Context, Facts, Misfit, Rule, Sample};
use crate::shape::{Kind, Shape};
use serde::{Deserialize, Serialize};

/// Which comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

impl Relation {
    /// Whether it holds.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Less => a < b,
            Self::LessEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterEqual => a >= b,
        }
    }
}

/// A comparison of each element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compare {
    /// Which.
    pub relation: Relation,
}

impl Rule for Compare {
    fn infer(&self, operands: &[&Shape]) -> Result<Shape, Misfit> {
        let [a, b] = count(operands)?;
        of_kind(b, a.kind)?;
        Ok(Shape { sizes: joined(a, b)?, kind: Kind::Condition })
    }

    fn eval(&self, operands: &[&Array], _context: &Context) -> Array {
        zip(operands[0], operands[1], |a, b| f64::from(u8::from(self.relation.holds(a, b))))
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Pointwise, result.elements())
    }

    fn samples(seed: u64) -> Vec<Sample> {
        use Relation::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        let ids = |name: &str, dims: &[usize]| Array::ids(seed, name, dims, 3);
        let mut samples: Vec<Sample> = [Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual]
            .map(|relation| Sample::new(Self { relation }, [ids("a", &[2, 5]), ids("b", &[5])]))
            .to_vec();
        let floats = [Array::random(seed, "a", &[7]), Array::random(seed, "b", &[])];
        samples.push(Sample::new(Self { relation: Less }, floats));
        samples
    }
}
