//! Dense `f64` arrays: what `eval` reads and writes, and how values leave an executor in tests.

/// Row-major numbers; ids and conditions are whole numbers among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Lengths of the axes, outermost first.
    pub dims: Vec<usize>,
    /// `dims.iter().product()` numbers.
    pub data: Vec<f64>,
}
