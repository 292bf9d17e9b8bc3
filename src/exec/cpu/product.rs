//! Matrix products: `C = epilogue(A B)`.

use super::pool::Worker;
use super::view::View;

/// How many, and how large: `batch` products of `[m, k]` by `[k, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Independent products.
    pub batch: usize,
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
}

/// A matrix in the arena: element (i, j) is word `i * stride + j`, or `j * stride + i` if transposed.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    /// Its words, from element (0, 0) of the first item of the batch.
    pub data: View,
    /// Words from one stored row to the next.
    pub stride: usize,
    /// Words from one item of the batch to the next; 0 if all share one matrix.
    pub step: usize,
    /// Whether the stored rows are columns.
    pub transposed: bool,
}

/// Functions that follow a product at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x Phi(x)`, with the error function.
    Gelu,
    /// `x sigmoid(1.702 x)`.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
}

/// What follows on each tile of C, after `+ C` (if accumulating) and `+ bias`. Extra operands are laid out like C.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// The activation of the number; the number itself is kept in `before` (unless empty).
    Activate(Activation, View),
    /// Times the activation's derivative at what a forward product kept in `before`.
    Derive(Activation, View),
    /// Plus another matrix.
    Add(View),
}

/// A product.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Sizes.
    pub size: Size,
    /// Left.
    pub a: Matrix,
    /// Right.
    pub b: Matrix,
    /// Result; not transposed.
    pub c: Matrix,
    /// Adds to C instead of replacing it.
    pub accumulate: bool,
    /// `[n]`, added to every row of C.
    pub bias: Option<View>,
    /// What comes last.
    pub then: Then,
    /// `[n]`, receives the sums of B's columns (replaced, or added to if accumulating): the gradient of a bias. One item only.
    pub column_sums: Option<View>,
}

/// Words of scratch.
pub fn scratch_words(size: Size, threads: usize) -> usize {
    let _ = (size, threads);
    unimplemented!()
}

/// Computes the product. Long thin products end with a barrier inside, so no other kernel may share the scratch meanwhile.
pub fn product(worker: &Worker, product: &Product, scratch: View) {
    let _ = (worker, product, scratch);
    unimplemented!()
}
