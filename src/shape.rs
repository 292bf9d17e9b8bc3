//! Sizes and shapes: how large a tensor is and what its elements are.
//!
//! A [`Size`] is a linear form over batch symbols with whole coefficients (`3*B`, `B + 65536`); it becomes a number when a
//! [`Batch`] says what the symbols are. A [`Shape`] is a list of sizes and an element kind.
//! Invariant: two sizes are equal exactly if all coefficients are. Arithmetic saturates; lowering refuses such sizes.
//!
//! ```
//! use chiasm::shape::{Batch, Size};
//! let rows = Size::symbol("B") * 2 + Size::from(5i64);
//! assert_eq!(rows.to_string(), "2*B + 5");
//! assert_eq!(rows.bind(&Batch::of("B", 4)), Size::from(13i64));
//! ```

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, Mul, Sub};

/// A linear form over batch symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Size {
    terms: BTreeMap<String, i64>,
    constant: i64,
}

impl Size {
    /// One batch symbol.
    pub fn symbol(name: &str) -> Self {
        Self { terms: BTreeMap::from([(name.to_string(), 1)]), constant: 0 }
    }

    /// The number, if no symbol is left.
    pub fn number(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The number as a length; symbols count as zero, so bind first.
    pub fn len(&self) -> usize {
        self.constant.max(0) as usize
    }

    /// The largest of its coefficients without signs: what a huge size shows by.
    pub fn largest(&self) -> u64 {
        let terms = self.terms.values().chain([&self.constant]);
        terms.map(|count| count.unsigned_abs()).max().unwrap_or(0)
    }

    /// Whether it is the number zero.
    pub fn is_empty(&self) -> bool {
        self.number() == Some(0)
    }

    /// The symbols it mentions.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.terms.keys().map(String::as_str)
    }

    /// The product, if at most one side has symbols.
    pub fn times(&self, other: &Size) -> Option<Size> {
        match (self.number(), other.number()) {
            (_, Some(k)) => Some(self.clone() * k),
            (Some(k), None) => Some(other.clone() * k),
            (None, None) => None,
        }
    }

    /// The quotient, if every coefficient divides.
    pub fn divided(&self, k: i64) -> Option<Size> {
        let even = |c: &i64| c.checked_rem(k) == Some(0);
        let whole = even(&self.constant) && self.terms.values().all(even);
        whole.then(|| Self {
            terms: self.terms.iter().map(|(s, c)| (s.clone(), c.saturating_div(k))).collect(),
            constant: self.constant.saturating_div(k),
        })
    }

    /// Whether `self <= other` for every batch.
    pub fn at_most(&self, other: &Size) -> bool {
        let rest = other.clone() - self.clone();
        rest.constant >= 0 && rest.terms.values().all(|c| *c >= 0)
    }

    /// The size with symbols replaced by what the batch says; unknown symbols stay.
    pub fn bind(&self, batch: &Batch) -> Size {
        let mut bound = Size::from(self.constant);
        for (symbol, count) in &self.terms {
            let value = batch.0.get(symbol).map_or_else(|| Size::symbol(symbol), |n| Size::from(*n as i64));
            bound = bound + value * *count;
        }
        bound
    }
}

impl From<i64> for Size {
    fn from(constant: i64) -> Self {
        Self { terms: BTreeMap::new(), constant }
    }
}

impl From<usize> for Size {
    fn from(constant: usize) -> Self {
        Self::from(constant as i64)
    }
}

impl Add for Size {
    type Output = Size;
    fn add(mut self, other: Size) -> Size {
        self.constant = self.constant.saturating_add(other.constant);
        for (symbol, count) in other.terms {
            let sum = self.terms.entry(symbol).or_default();
            *sum = sum.saturating_add(count);
        }
        self.terms.retain(|_, count| *count != 0);
        self
    }
}

impl Mul<i64> for Size {
    type Output = Size;
    fn mul(mut self, k: i64) -> Size {
        self.constant = self.constant.saturating_mul(k);
        self.terms.values_mut().for_each(|count| *count = count.saturating_mul(k));
        self.terms.retain(|_, count| *count != 0);
        self
    }
}

impl Sub for Size {
    type Output = Size;
    fn sub(self, other: Size) -> Size {
        self + other * -1
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sign = "";
        for (symbol, count) in &self.terms {
            match count {
                1 => write!(f, "{sign}{symbol}")?,
                k => write!(f, "{sign}{k}*{symbol}")?,
            }
            sign = " + ";
        }
        match (self.terms.is_empty(), self.constant) {
            (true, k) => write!(f, "{k}"),
            (false, 0) => Ok(()),
            (false, k) if k < 0 => write!(f, " - {}", -k),
            (false, k) => write!(f, " + {k}"),
        }
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.to_string()
    }
}

impl TryFrom<String> for Size {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let mut size = Size::default();
        for term in text.replace(" - ", " + -").split(" + ") {
            size = size + read_term(term.trim()).ok_or_else(|| format!("`{text}` is not a size"))?;
        }
        Ok(size)
    }
}

fn read_term(term: &str) -> Option<Size> {
    match term.split_once('*') {
        Some((count, symbol)) => Some(Size::symbol(symbol) * count.parse().ok()?),
        None if term.starts_with(|c: char| c.is_ascii_uppercase()) => Some(Size::symbol(term)),
        None => Some(Size::from(term.parse::<i64>().ok()?)),
    }
}

/// What the batch symbols are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch(BTreeMap<String, usize>);

impl Batch {
    /// One symbol.
    pub fn of(symbol: &str, rows: usize) -> Self {
        Self(BTreeMap::from([(symbol.to_string(), rows)]))
    }

    /// One more symbol.
    #[must_use]
    pub fn and(mut self, symbol: &str, rows: usize) -> Self {
        self.0.insert(symbol.to_string(), rows);
        self
    }
}

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Real numbers; `f32` on the planned executors, `f64` on the reference.
    Float,
    /// Whole numbers: indices, tokens.
    Ids,
    /// True or false, kept as 1 or 0.
    Condition,
}

/// Sizes and element kind of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// One size an axis, outermost first.
    pub sizes: Vec<Size>,
    /// What the elements are.
    pub kind: Kind,
}

impl Shape {
    /// A shape of numbers.
    pub fn float(sizes: impl IntoIterator<Item = impl Into<Size>>) -> Self {
        Self { sizes: sizes.into_iter().map(Into::into).collect(), kind: Kind::Float }
    }

    /// The same sizes with other elements.
    #[must_use]
    pub fn with_kind(&self, kind: Kind) -> Self {
        Self { sizes: self.sizes.clone(), kind }
    }

    /// The same elements with other sizes.
    #[must_use]
    pub fn with_sizes(&self, sizes: Vec<Size>) -> Self {
        Self { sizes, kind: self.kind }
    }

    /// A single number.
    pub fn scalar() -> Self {
        Self { sizes: Vec::new(), kind: Kind::Float }
    }

    /// How many axes.
    pub fn rank(&self) -> usize {
        self.sizes.len()
    }

    /// The sizes as lengths (after binding).
    pub fn dims(&self) -> Vec<usize> {
        self.sizes.iter().map(Size::len).collect()
    }

    /// How many elements (after binding).
    pub fn elements(&self) -> usize {
        self.sizes.iter().map(Size::len).product()
    }

    /// How many elements, symbols kept; `None` if two symbols multiply.
    pub fn count(&self) -> Option<Size> {
        self.sizes.iter().try_fold(Size::from(1usize), |product, size| product.times(size))
    }

    /// The shape with symbols replaced.
    pub fn bind(&self, batch: &Batch) -> Self {
        self.with_sizes(self.sizes.iter().map(|s| s.bind(batch)).collect())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Float => "float",
            Kind::Ids => "ids",
            Kind::Condition => "condition",
        };
        let sizes: Vec<String> = self.sizes.iter().map(Size::to_string).collect();
        write!(f, "{kind}[{}]", sizes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_print_and_parse_back() {
        for text in ["0", "-3", "B", "3*B", "B + 65536", "2*B + 3*C - 7"] {
            let size = Size::try_from(text.to_string()).expect("a size");
            assert_eq!(size.to_string(), text);
        }
        assert!(Size::try_from("b".to_string()).is_err());
    }

    #[test]
    fn order_holds_for_every_batch() {
        let rows = Size::symbol("B");
        assert!(rows.at_most(&(rows.clone() + Size::from(64i64))));
        assert!(!rows.at_most(&Size::from(64i64)));
    }
}
