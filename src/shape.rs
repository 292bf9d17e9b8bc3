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
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, Mul, Sub};
use std::sync::Arc;

/// A linear form over batch symbols. Most sizes are numbers, so these take no allocation, and those with symbols share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Size {
    terms: Terms,
    constant: i64,
}

/// Symbols in the order of their names with coefficients other than zero; nothing is kept if there are none.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Terms(Option<Arc<Vec<(Arc<str>, i64)>>>);

impl FromIterator<(Arc<str>, i64)> for Terms {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, i64)>>(terms: I) -> Self {
        let terms: Vec<(Arc<str>, i64)> = terms.into_iter().filter(|(_, count)| *count != 0).collect();
        Self((!terms.is_empty()).then(|| Arc::new(terms)))
    }
}

impl std::ops::Deref for Terms {
    type Target = [(Arc<str>, i64)];
    fn deref(&self) -> &Self::Target {
        self.0.as_deref().map(Vec::as_slice).unwrap_or_default()
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(symbol, count)| (symbol, count))).finish()
    }
}

impl Size {
    /// One batch symbol.
    pub fn symbol(name: &str) -> Self {
        Self { terms: [(name.into(), 1)].into_iter().collect(), constant: 0 }
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
        let terms = self.terms.iter().map(|(_, count)| count.unsigned_abs());
        terms.fold(self.constant.unsigned_abs(), u64::max)
    }

    /// Whether it is the number zero.
    pub fn is_empty(&self) -> bool {
        self.number() == Some(0)
    }

    /// The symbols it mentions.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().map(|(symbol, _)| &**symbol)
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
        let whole = even(&self.constant) && self.terms.iter().all(|(_, c)| even(c));
        whole.then(|| Self {
            terms: self.terms.iter().map(|(s, c)| (s.clone(), c.saturating_div(k))).collect(),
            constant: self.constant.saturating_div(k),
        })
    }

    /// Whether `self <= other` for every batch.
    pub fn at_most(&self, other: &Size) -> bool {
        let count =
            |of: &Self, symbol: &str| of.terms.iter().find(|(s, _)| **s == *symbol).map_or(0, |(_, c)| *c);
        let mut symbols = self.symbols().chain(other.symbols());
        self.constant <= other.constant && symbols.all(|symbol| count(self, symbol) <= count(other, symbol))
    }

    /// The size with symbols replaced by what the batch says; unknown symbols stay.
    pub fn bind(&self, batch: &Batch) -> Size {
        let mut bound = Size::from(self.constant);
        for (symbol, count) in self.terms.iter() {
            let value =
                batch.0.get(&**symbol).map_or_else(|| Size::symbol(symbol), |n| Size::from(*n as i64));
            bound = bound + value * *count;
        }
        bound
    }
}

impl From<i64> for Size {
    fn from(constant: i64) -> Self {
        Self { terms: Terms::default(), constant }
    }
}

impl From<usize> for Size {
    fn from(constant: usize) -> Self {
        Self::from(constant as i64)
    }
}

impl Add for Size {
    type Output = Size;
    fn add(self, other: Size) -> Size {
        let constant = self.constant.saturating_add(other.constant);
        if self.terms.is_empty() || other.terms.is_empty() {
            let terms = if self.terms.is_empty() { other.terms } else { self.terms };
            return Size { terms, constant };
        }
        let mut sum: BTreeMap<Arc<str>, i64> = self.terms.iter().cloned().collect();
        for (symbol, count) in other.terms.iter() {
            let whole = sum.entry(symbol.clone()).or_default();
            *whole = whole.saturating_add(*count);
        }
        Size { terms: sum.into_iter().collect(), constant }
    }
}

impl Mul<i64> for Size {
    type Output = Size;
    fn mul(self, k: i64) -> Size {
        let constant = self.constant.saturating_mul(k);
        let terms = match (&self.terms.0, k) {
            (None, _) | (_, 1) => self.terms,
            (Some(terms), _) => terms.iter().map(|(s, count)| (s.clone(), count.saturating_mul(k))).collect(),
        };
        Size { terms, constant }
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
        for (symbol, count) in self.terms.iter() {
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

/// Sizes of axes; few enough to need no allocation.
pub type Sizes = SmallVec<[Size; 4]>;

/// Sizes and element kind of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// One size an axis, outermost first.
    pub sizes: Sizes,
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
    pub fn with_sizes(&self, sizes: impl Into<Sizes>) -> Self {
        Self { sizes: sizes.into(), kind: self.kind }
    }

    /// A single number.
    pub fn scalar() -> Self {
        Self { sizes: Sizes::new(), kind: Kind::Float }
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
        self.with_sizes(self.sizes.iter().map(|s| s.bind(batch)).collect::<Sizes>())
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
