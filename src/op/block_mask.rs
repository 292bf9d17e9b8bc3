//! Rectangles of hidden patches (Bao et al., 2021): a condition [B, side * side] for each row.
//!
//! While fewer than `target` patches are hidden, with `left` the rest: up to ten times an area is drawn in least..left, the
//! logarithm of an aspect in ln 0.3..ln 1/0.3, and, if the rectangle is smaller than the grid both ways, its top and left. It
//! counts if it hides at least one and at most `left` new patches. Ten tries in vain end it, so `target` is an upper bound.

use super::{Array, Class, Context, Draw, Facts, Misfit, Rule, Sample};
use crate::random::Stream;
use crate::shape::{Batch, Kind, Shape, Size};
use serde::{Deserialize, Serialize};
use smallvec::smallvec;

/// Smallest area that is drawn.
const LEAST: f64 = 16.0;
const ASPECT: f64 = 0.3;
const TRIES: usize = 10;

/// Rectangles of hidden patches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockMask {
    /// Rows of the batch.
    pub rows: Size,
    /// Patches along a side.
    pub side: usize,
    /// Patches to hide, at most.
    pub target: usize,
    /// Where the draws come from.
    pub draw: Draw,
}

/// One draw of the rectangles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pick {
    /// Even between two numbers.
    Between(f64, f64),
    /// A whole number below another one.
    Below(usize),
}

/// Hides patches of one grid, 1 where hidden; `pick` draws area, logarithm of the aspect, top and left, in this order.
pub fn blocks(grid: &mut [f32], side: usize, target: usize, least: f64, pick: &mut dyn FnMut(Pick) -> f64) {
    grid.fill(0.0);
    let mut hidden = 0;
    while hidden < target {
        let more = (0..TRIES).map(|_| rectangle(grid, side, target - hidden, least, pick)).find(|more| *more > 0);
        let Some(more) = more else { return };
        hidden += more;
    }
}

/// One try: how many patches it hides.
fn rectangle(grid: &mut [f32], side: usize, left: usize, least: f64, pick: &mut dyn FnMut(Pick) -> f64) -> usize {
    let area = pick(Pick::Between(least, left as f64));
    let aspect = pick(Pick::Between(ASPECT.ln(), (1.0 / ASPECT).ln())).exp();
    let whole = |x: f64| x.sqrt().round_ties_even() as usize;
    let (height, width) = (whole(area * aspect), whole(area / aspect));
    if width >= side || height >= side {
        return 0;
    }
    let top = pick(Pick::Below(side - height + 1)) as usize;
    let from = pick(Pick::Below(side - width + 1)) as usize;
    let places = move || (top..top + height).flat_map(move |y| (from..from + width).map(move |x| y * side + x));
    let new = places().filter(|place| grid[*place] == 0.0).count();
    if new == 0 || new > left {
        return 0;
    }
    places().for_each(|place| grid[place] = 1.0);
    new
}

impl BlockMask {
    /// The grid of one row.
    pub fn fill(&self, grid: &mut [f32], stream: Stream, row: u32) {
        let mut element = 0;
        let mut pick = |pick: Pick| {
            element += 1;
            match pick {
                Pick::Between(a, b) => a + (b - a) * f64::from(stream.uniform(row, element - 1)),
                Pick::Below(n) => f64::from(stream.below(n as u32, row, element - 1)),
            }
        };
        blocks(grid, self.side, self.target, LEAST, &mut pick);
    }
}

impl Rule for BlockMask {
    fn infer(&self, _operands: &[&Shape]) -> Result<Shape, Misfit> {
        Ok(Shape { sizes: smallvec![self.rows.clone(), Size::from(self.side * self.side)], kind: Kind::Condition })
    }

    fn eval(&self, _operands: &[&Array], context: &Context) -> Array {
        let (rows, n) = (self.rows.len(), self.side * self.side);
        let mut grids = vec![0.0; rows * n];
        let stream = context.stream(&self.draw);
        grids.chunks_mut(n.max(1)).enumerate().for_each(|(row, grid)| self.fill(grid, stream, row as u32));
        Array { dims: vec![rows, n], data: grids.into_iter().map(f64::from).collect() }
    }

    fn facts(&self, _operands: &[&Shape], result: &Shape) -> Facts {
        Facts::new(Class::Random, 20 * result.elements())
    }

    fn samples(_seed: u64) -> Vec<Sample> {
        let op = |rows: usize, side, target| Self {
            rows: rows.into(),
            side,
            target,
            draw: Draw { path: "holes".into(), rows: true },
        };
        [(3, 14, 75), (2, 8, 24), (2, 3, 4), (1, 1, 1)].map(|(b, s, t)| Sample::new(op(b, s, t), [])).to_vec()
    }

    fn bind(&self, batch: &Batch) -> Self {
        Self { rows: self.rows.bind(batch), ..self.clone() }
    }
}
