//! How a product is cut: slabs that are packed together, panels of rows, jobs for the workers.
//!
//! Everything here follows from sizes and level alone, never from the number of threads, so neither do the sums.

use super::tile::{MOST_COLUMNS, MOST_ROWS, Tiles};
use super::{Matrix, Size};

/// Words packed at a time: a slab of A and B comes back from a near part of the last cache.
const SLAB: usize = 1 << 19;
/// Depth of a block: a panel of B of this depth passes through the first caches.
const DEPTH: usize = 768;
/// Words of packed B that one job keeps in its second cache.
const GROUP: usize = 100_000;
/// Rows of B that one packing job handles, and over which column sums are first added up.
pub(super) const CHUNK: usize = 256;
/// Words after each row of A that is copied, so that rows do not fall on the same lines of a cache.
const PAD: usize = 16;

/// A product, cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Items of the batch in a slab.
    pub(super) items: usize,
    /// Depth of a slab.
    pub(super) depth: usize,
    /// Columns of a slab.
    pub(super) columns: usize,
    /// Depth of a block.
    pub(super) block: usize,
    /// Columns of a job.
    pub(super) group: usize,
    /// Panels of rows.
    pub(super) panels: usize,
    /// Panels in a job, at most.
    pub(super) panels_per_job: usize,
    /// How A is read.
    pub(super) left: Way,
}

/// How A is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Where it is.
    InPlace,
    /// Rows copied with a better stride.
    Rows,
    /// Packed in panels, k outside.
    Columns,
}

impl Cut {
    pub(super) fn new(size: Size, a: &Matrix, tiles: &Tiles) -> Self {
        let left = Way::of(a, size, tiles);
        let packed_rows = if left == Way::InPlace { 0 } else { size.m };
        let narrow = size.n.min(tiles.columns * 4);
        let depth = even(size.k, (SLAB / (packed_rows + narrow)).max(64));
        // Slabs begin at whole chunks, so that each chunk has its own column sums.
        let depth = depth.next_multiple_of(CHUNK).min(size.k.max(1));
        let columns = even(size.n, round_down(SLAB / depth, tiles.columns)).next_multiple_of(tiles.columns);
        let items = (SLAB / (depth * (packed_rows + columns))).clamp(1, size.batch.max(1));
        let block = even(depth, if a.transposed && left == Way::InPlace { DEPTH / 2 } else { DEPTH });
        let panels = size.m.div_ceil(tiles.rows);
        let group = even(columns, round_down(GROUP / block, tiles.columns)).next_multiple_of(tiles.columns);
        Self {
            items,
            depth,
            columns,
            block,
            group,
            panels,
            panels_per_job: per_job(panels, columns / group),
            left,
        }
    }

    /// First row and number of rows of a panel; the heights differ by at most one, so no panel is a thin rest.
    pub(super) fn panel(&self, m: usize, panel: usize) -> (usize, usize) {
        let (height, taller) = (m / self.panels, m % self.panels);
        (panel * height + panel.min(taller), height + usize::from(panel < taller))
    }

    /// Words of one item's packed A.
    pub(super) fn left_words(&self, m: usize, tiles: &Tiles) -> usize {
        match self.left {
            Way::InPlace => 0,
            Way::Rows => m * (self.depth + PAD),
            Way::Columns => self.panels * tiles.rows * self.depth,
        }
    }

    /// Words from one row to the next of A's rows when copied.
    pub(super) fn left_stride(&self) -> usize {
        self.depth + PAD
    }

    /// Words of one item's packed B.
    pub(super) fn right_words(&self) -> usize {
        self.columns * self.depth
    }

    /// Words of the partial column sums.
    pub(super) fn sum_words(&self, n: usize, k: usize) -> usize {
        k.div_ceil(CHUNK) * n
    }
}

impl Way {
    /// Long strides, and multiples of 2 KiB, put too many numbers on the same lines of a cache. A transposed A is read in
    /// place only by tiles that use most of each line (64 bytes) they touch.
    fn of(a: &Matrix, size: Size, tiles: &Tiles) -> Self {
        let crowded = a.stride.is_multiple_of(512) && size.k > 512 && size.m * size.k <= SLAB;
        match (a.transposed, crowded) {
            (true, _) if a.stride <= 512 && tiles.rows * 4 > 32 => Self::InPlace,
            (true, _) => Self::Columns,
            (false, true) => Self::Rows,
            (false, false) => Self::InPlace,
        }
    }
}

/// Panels in a job: about 14, fewer if that leaves less than 32 jobs.
fn per_job(panels: usize, groups: usize) -> usize {
    let jobs = panels.div_ceil(14).max(32_usize.div_ceil(groups.max(1)));
    panels.div_ceil(jobs.min(panels).max(1)).max(1)
}

/// The length of the pieces if `total` is cut evenly into as few as possible of at most `most`.
fn even(total: usize, most: usize) -> usize {
    let pieces = total.div_ceil(most.max(1)).max(1);
    total.div_ceil(pieces).max(1)
}

/// The largest multiple that is not above `x`, at least one.
fn round_down(x: usize, multiple: usize) -> usize {
    (x / multiple).max(1) * multiple
}

/// Words that hold what any product of a size packs, at any level.
pub(super) fn scratch_words(size: Size) -> usize {
    let (m, n) = (size.m + MOST_ROWS, size.n + MOST_COLUMNS);
    let whole = size.batch.max(1) * (m * (size.k + PAD) + n * size.k);
    let slab = 2 * SLAB + (64 + PAD + CHUNK) * (m + MOST_COLUMNS * 4) + m * PAD + MOST_COLUMNS * size.k;
    whole.min(slab) + size.k.div_ceil(CHUNK) * n + 64
}
