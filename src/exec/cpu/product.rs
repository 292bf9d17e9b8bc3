//! Matrix products: `C = epilogue(A B)`.
//!
//! A slab of B is packed by all workers together; A is packed only if it is transposed or its rows fall on the same cache lines.
//! Then jobs of some panels of rows times some columns are claimed, and each tile is finished (bias, activation, addition)
//! as soon as its sums are complete. Sums are `f32`: fused multiply-adds within a block of k, blocks in order.
//! The digits depend on the sizes and the level, not on the number of threads.
//!
//! ```
//! use chiasm::exec::cpu::product::{Matrix, Product, Size, Then, product, scratch_words};
//! use chiasm::exec::cpu::{level::Level, pool::Pool, view::View};
//! // y [2, 2] = the linear map of x [2, 3] by w [3, 2], plus a bias
//! let size = Size { batch: 1, m: 2, n: 2, k: 3 };
//! let mut words = vec![1.0_f32; 32 + scratch_words(size, 1)];
//! // SAFETY: the words outlive the views, and nothing else touches them.
//! let all = unsafe { View::new(words.as_mut_ptr(), words.len()) };
//! let matrix = |from, len, stride| Matrix { data: all.part(from, len), stride, step: 0, transposed: false };
//! let linear = Product {
//!     size,
//!     a: matrix(0, 6, 3),
//!     b: matrix(6, 6, 2),
//!     c: matrix(12, 4, 2),
//!     accumulate: false,
//!     bias: Some(all.part(16, 2)),
//!     then: Then::Nothing,
//!     column_sums: None,
//! };
//! Pool::new(1, Level::detect()).run(&|worker| product(worker, &linear, all.from(32)));
//! assert_eq!(words[12..16], [4.0; 4]);
//! ```

mod cut;
mod epilogue;
mod pack;
pub(crate) mod small;
pub(crate) mod tile;

use super::pool::Worker;
use super::view::View;
use cut::{CHUNK, Cut, Way};
use std::ops::Range;
use tile::{Left, Tiles};

/// Stored rows that are packed together at least, so that a line that is read is used up while it is near.
const ROWS: usize = 16;
/// Words that lie in the first cache.
const NEAR: usize = 6000;

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

/// Words of scratch that any product of a size needs.
pub fn scratch_words(size: Size, _threads: usize) -> usize {
    cut::scratch_words(size)
}

/// Computes the product. Holds barriers, the last one before the last tiles: no other kernel may use the scratch meanwhile.
///
/// # Panics
/// If a matrix or the scratch is too short.
pub fn product(worker: &Worker, product: &Product, scratch: View) {
    product.check();
    let Size { batch, m, n, k } = product.size;
    if batch * m * n == 0 {
        return;
    }
    let tiles = Tiles::of(worker.level);
    let cut = Cut::new(product.size, &product.a, tiles);
    let run = Run { worker, product, tiles, cut, scratch };
    assert!(scratch.len() >= run.words(), "scratch of {} words, not {}", scratch.len(), run.words());
    for item in (0..batch).step_by(cut.items) {
        for column in (0..n).step_by(cut.columns) {
            for depth in (0..k.max(1)).step_by(cut.depth) {
                run.slab(&Slab {
                    item,
                    items: cut.items.min(batch - item),
                    column,
                    columns: cut.columns.min(n - column),
                    depth,
                    len: cut.depth.min(k - depth),
                });
            }
        }
    }
}

impl Matrix {
    /// Words from the first to the last of `batch` matrices of `rows` by `columns`.
    fn words(&self, batch: usize, rows: usize, columns: usize) -> usize {
        let (rows, columns) = if self.transposed { (columns, rows) } else { (rows, columns) };
        if batch * rows * columns == 0 {
            0
        } else {
            (batch - 1) * self.step + (rows - 1) * self.stride + columns
        }
    }
}

impl Product {
    fn check(&self) {
        let Size { batch, m, n, k } = self.size;
        assert!(self.a.data.len() >= self.a.words(batch, m, k), "A is too short");
        assert!(self.b.data.len() >= self.b.words(batch, k, n), "B is too short");
        assert!(self.c.data.len() >= self.c.words(batch, m, n), "C is too short");
        assert!(!self.c.transposed, "C is not transposed");
        assert!(self.bias.is_none_or(|bias| bias.len() >= n), "the bias is too short");
        assert!(
            self.column_sums.is_none_or(|sums| sums.len() >= n && batch == 1),
            "column sums are [n], of one item"
        );
    }
}

/// A product under way.
struct Run<'a> {
    worker: &'a Worker<'a>,
    product: &'a Product,
    tiles: &'static Tiles,
    cut: Cut,
    scratch: View,
}

/// What is packed together: some items, columns and a depth.
struct Slab {
    item: usize,
    items: usize,
    column: usize,
    columns: usize,
    depth: usize,
    len: usize,
}

impl Run<'_> {
    /// Words of scratch used: partial column sums, packed A, packed B.
    fn words(&self) -> usize {
        self.sum_words() + self.cut.items * (self.left_words() + self.cut.right_words())
    }

    fn sum_words(&self) -> usize {
        let Size { n, k, .. } = self.product.size;
        if self.product.column_sums.is_some() { self.cut.sum_words(n, k) } else { 0 }
    }

    fn left_words(&self) -> usize {
        self.cut.left_words(self.product.size.m, self.tiles)
    }

    /// Packed A of an item of the slab.
    fn left(&self, item: usize) -> View {
        self.scratch.part(self.sum_words() + item * self.left_words(), self.left_words())
    }

    /// Packed B of an item of the slab.
    fn right(&self, item: usize) -> View {
        let from = self.sum_words() + self.cut.items * self.left_words();
        self.scratch.part(from + item * self.cut.right_words(), self.cut.right_words())
    }

    /// Packs, waits, multiplies.
    fn slab(&self, slab: &Slab) {
        let first = slab.item + slab.column + slab.depth == 0;
        if !first {
            self.worker.barrier();
        }
        self.pack_right(slab);
        if self.cut.left != Way::InPlace && (slab.column == 0 || self.cut.depth < self.product.size.k) {
            self.pack_left(slab);
        }
        self.worker.barrier();
        self.multiply(slab);
        if slab.depth + slab.len == self.product.size.k && self.product.column_sums.is_some() {
            self.sum_columns(slab);
        }
    }

    /// One job: four panels of B and `CHUNK` of depth. A few rows of all four are read at a time: they lie side by side.
    fn pack_right(&self, slab: &Slab) {
        let width = self.tiles.columns;
        let shared = self.product.b.step == 0;
        let items = if shared { 1 } else { slab.items };
        let (strips, chunks) = (slab.columns.div_ceil(4 * width), slab.len.div_ceil(CHUNK));
        self.worker.share(items * strips * chunks, |job| {
            let (item, rest) = (job / (strips * chunks), job % (strips * chunks));
            let (from, strip) = (rest % chunks * CHUNK, rest / chunks * 4 * width);
            let depth = from..slab.len.min(from + CHUNK);
            let columns = strip..slab.columns.min(strip + 4 * width);
            for k in depth.clone().step_by(ROWS) {
                for column in columns.clone().step_by(width) {
                    self.pack_panel(slab, item, column, k..depth.end.min(k + ROWS));
                }
            }
            if self.product.column_sums.is_some() {
                columns.step_by(width).for_each(|column| self.sum_panel(slab, column, depth.clone()));
            }
        });
    }

    /// Packs rows of one panel of B.
    fn pack_panel(&self, slab: &Slab, item: usize, column: usize, depth: Range<usize>) {
        let (b, width) = (&self.product.b, self.tiles.columns);
        let live = width.min(slab.columns - column);
        let to = self.right(item).part(column * slab.len + depth.start * width, depth.len() * width);
        let panel = pack::Panel { to: to.start(), width };
        let k = slab.depth + depth.start..slab.depth + depth.end;
        // SAFETY: `check` saw that B covers k and columns; the panel is `depth` rows of `width` words.
        unsafe {
            let from = b.data.start().add((slab.item + item) * b.step);
            pack::right(b, from, k, slab.column + column, live, &panel);
        }
    }

    /// Adds up the columns of one packed panel, over one chunk.
    fn sum_panel(&self, slab: &Slab, column: usize, depth: Range<usize>) {
        let width = self.tiles.columns;
        let live = width.min(slab.columns - column);
        let packed = self.right(0).part(column * slab.len + depth.start * width, depth.len() * width);
        let chunk = (slab.depth + depth.start) / CHUNK;
        let to = self.scratch.part(chunk * self.product.size.n + slab.column + column, live);
        pack::add_rows(self.worker.level, packed.read(), width, to.write());
    }

    fn pack_left(&self, slab: &Slab) {
        let items = if self.product.a.step == 0 { 1 } else { slab.items };
        if self.cut.left == Way::Columns {
            self.pack_left_columns(slab, items);
        } else {
            self.pack_left_rows(slab, items);
        }
    }

    /// One job: as many stored rows of a transposed A as fit the first cache, cut into all panels.
    fn pack_left_columns(&self, slab: &Slab, items: usize) {
        let (a, m, rows) = (&self.product.a, self.product.size.m, self.tiles.rows);
        let piece = (NEAR / m).clamp(ROWS, CHUNK);
        let pieces = slab.len.div_ceil(piece);
        self.worker.share(items * pieces, |job| {
            let (item, k) = (job / pieces, job % pieces * piece);
            let depth = piece.min(slab.len - k);
            let to = self.left(item);
            for panel in 0..self.cut.panels {
                let (row, height) = self.cut.panel(m, panel);
                // SAFETY: `check` saw that A covers the rows; `left_words` counts what is written.
                unsafe {
                    let from = a.data.start().add((slab.item + item) * a.step);
                    let from = from.add((slab.depth + k) * a.stride + row);
                    let to = to.start().add((panel * self.cut.depth + k) * rows);
                    pack::left(from, a.stride, depth, height, to, rows);
                }
            }
        });
    }

    /// One job: a panel of A.
    fn pack_left_rows(&self, slab: &Slab, items: usize) {
        let (a, m) = (&self.product.a, self.product.size.m);
        self.worker.share(items * self.cut.panels, |job| {
            let (item, panel) = (job / self.cut.panels, job % self.cut.panels);
            let (row, height) = self.cut.panel(m, panel);
            let to = self.left(item);
            for row in row..row + height {
                let at = (slab.item + item) * a.step + row * a.stride + slab.depth;
                // SAFETY: `check` saw that A covers the rows; `left_words` counts what is written.
                unsafe {
                    let to = to.start().add(row * self.cut.left_stride());
                    std::ptr::copy_nonoverlapping(a.data.start().add(at), to, slab.len);
                }
            }
        });
    }

    /// One job: some panels of rows times a group of columns.
    fn multiply(&self, slab: &Slab) {
        let groups = slab.columns.div_ceil(self.cut.group);
        let strips = self.cut.panels.div_ceil(self.cut.panels_per_job);
        self.worker.share(slab.items * groups * strips, |job| {
            let (item, rest) = (job / (groups * strips), job % (groups * strips));
            let from = rest / strips * self.cut.group;
            let columns = from..slab.columns.min(from + self.cut.group);
            let first = rest % strips * self.cut.panels_per_job;
            let last = self.cut.panels.min(first + self.cut.panels_per_job);
            for depth in (0..slab.len.max(1)).step_by(self.cut.block) {
                for panel in first..last {
                    self.panel(slab, item, panel, columns.clone(), depth);
                }
            }
        });
    }

    /// A panel of rows times a group of columns, for one block of depth.
    fn panel(&self, slab: &Slab, item: usize, panel: usize, columns: Range<usize>, depth: usize) {
        let (c, width) = (&self.product.c, self.tiles.columns);
        let (row, height) = self.cut.panel(self.product.size.m, panel);
        let len = self.cut.block.min(slab.len - depth);
        let a = self.left_piece(slab, item, panel, row, depth);
        let b = self.right(if self.product.b.step == 0 { 0 } else { item });
        let at = (slab.item + item) * c.step + row * c.stride + slab.column;
        let add = self.product.accumulate || slab.depth + depth > 0;
        for column in columns.clone().step_by(width) {
            let live = width.min(columns.end - column);
            let b = b.part(column * slab.len + depth * width, len * width);
            // SAFETY: `check` saw that A and C cover rows and columns; the packed panel is `len` rows of `width` words.
            unsafe {
                let c = c.data.start().add(at + column);
                self.tiles.run(height, live, len, a, b.start(), c, self.product.c.stride, add);
            }
        }
        if slab.depth + depth + len == self.product.size.k {
            self.finish(at, height, slab.column, columns);
        }
    }

    /// Where a panel of A begins, at a depth.
    fn left_piece(&self, slab: &Slab, item: usize, panel: usize, row: usize, depth: usize) -> Left {
        let (a, rows) = (&self.product.a, self.tiles.rows);
        let packed = || self.left(if a.step == 0 { 0 } else { item }).start();
        match self.cut.left {
            Way::InPlace if a.transposed => {
                let at = (slab.item + item) * a.step + (slab.depth + depth) * a.stride + row;
                Left { at: a.data.start().wrapping_add(at), row: 1, step: a.stride }
            }
            Way::InPlace => {
                let at = (slab.item + item) * a.step + row * a.stride + slab.depth + depth;
                Left { at: a.data.start().wrapping_add(at), row: a.stride, step: 1 }
            }
            Way::Rows => {
                let at = row * self.cut.left_stride() + depth;
                Left { at: packed().wrapping_add(at), row: self.cut.left_stride(), step: 1 }
            }
            Way::Columns => {
                let at = (panel * self.cut.depth + depth) * rows;
                Left { at: packed().wrapping_add(at), row: 1, step: rows }
            }
        }
    }

    /// Bias, activation and addition on the rows of a panel.
    fn finish(&self, at: usize, height: usize, column: usize, columns: Range<usize>) {
        let product = self.product;
        if product.bias.is_none() && matches!(product.then, Then::Nothing) {
            return;
        }
        let bias = product.bias.map(|bias| bias.part(column + columns.start, columns.len()).read());
        for row in 0..height {
            let at = at + row * product.c.stride + columns.start;
            let c = product.c.data.part(at, columns.len()).write();
            epilogue::finish(self.worker.level, c, bias, product.then, at);
        }
    }

    /// The sums of B's columns from those of its chunks, in order.
    fn sum_columns(&self, slab: &Slab) {
        let Some(sums) = self.product.column_sums else { return };
        let Size { n, k, .. } = self.product.size;
        self.worker.share_pieces(slab.columns, 512, |columns| {
            let sums = sums.part(slab.column + columns.start, columns.len()).write();
            for chunk in 0..k.div_ceil(CHUNK) {
                let part = self.scratch.part(chunk * n + slab.column + columns.start, columns.len()).read();
                if chunk == 0 && !self.product.accumulate {
                    sums.copy_from_slice(part);
                } else {
                    epilogue::add(self.worker.level, sums, part);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests;
