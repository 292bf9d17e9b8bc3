//! Resize rules (6.3): a parameter that starts from a checkpoint in which it has another shape.
//!
//! | rule | rows |
//! |---|---|
//! | `grid` | extra ones, then a square (the largest that fits): extra kept, the square bicubic (a = -0.75, corners not aligned) |
//! | `offset_grid(extra)` | a square over offsets, resampled as [`super::offsets`] says; then `extra` rows, kept |
//! | `crop` | the first rows that both have; further rows keep their initial value |
//!
//! A row is everything after the first axis, or after leading axes of length one. Legend: G and H sides of the squares.

use super::WeightsError;
use super::offsets::resampling;
use crate::recipe::Resize;

/// A table: rows of equal width.
struct Table<'a> {
    rows: usize,
    width: usize,
    values: &'a [f32],
}

/// `values` of shape `from`, brought to shape `to`. `fresh` holds the initial values of shape `to`.
///
/// # Errors
/// Shapes that differ in more than rows, or a rule that does not apply.
pub fn resize(
    rule: Option<Resize>,
    name: &str,
    (values, from): (&[f32], &[usize]),
    (fresh, to): (&[f32], &[usize]),
) -> Result<Vec<f32>, WeightsError> {
    if from == to {
        return Ok(values.to_vec());
    }
    let Some(rule) = rule else {
        return Err(WeightsError::NoRule { name: name.to_string(), from: from.to_vec(), to: to.to_vec() });
    };
    let fail = |reason: &str| WeightsError::Resize {
        name: name.to_string(),
        from: from.to_vec(),
        to: to.to_vec(),
        rule: word(rule),
        reason: reason.to_string(),
    };
    let (Some(source), Some(target)) = (Table::of(values, from), Table::of(fresh, to)) else {
        return Err(fail("it has no rows"));
    };
    if source.width != target.width {
        return Err(fail("the rows have different widths, and only the number of rows may change"));
    }
    match rule {
        Resize::Grid => grid(&source, target.rows).ok_or_else(|| fail("the extra rows differ")),
        Resize::Crop => Ok(crop(&source, &target)),
        Resize::OffsetGrid { extra } => offset_grid(&source, target.rows, extra).ok_or_else(|| {
            fail("before the extra rows must stand (2w-1)² ones, with a window w of 3 or more in the checkpoint")
        }),
    }
}

fn word(rule: Resize) -> &'static str {
    match rule {
        Resize::Grid => "grid",
        Resize::OffsetGrid { .. } => "offset_grid",
        Resize::Crop => "crop",
    }
}

impl<'a> Table<'a> {
    fn of(values: &'a [f32], dims: &[usize]) -> Option<Self> {
        let ones = dims.iter().take(dims.len().saturating_sub(2)).take_while(|d| **d == 1).count();
        let (rows, rest) = dims.get(ones..)?.split_first()?;
        Some(Self { rows: *rows, width: rest.iter().product(), values })
    }

    fn row(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.width..(index + 1) * self.width]
    }
}

fn crop(source: &Table<'_>, target: &Table<'_>) -> Vec<f32> {
    let both = source.rows.min(target.rows) * source.width;
    let mut result = target.values.to_vec();
    result[..both].copy_from_slice(&source.values[..both]);
    result
}

/// Side of the largest square in `rows`, and the rows before it.
fn square(rows: usize) -> (usize, usize) {
    let side = rows.isqrt();
    (side, rows - side * side)
}

fn grid(source: &Table<'_>, rows: usize) -> Option<Vec<f32>> {
    let ((from, extra), (to, kept)) = (square(source.rows), square(rows));
    if extra != kept || from == 0 {
        return None;
    }
    let taps: Vec<[(usize, f32); 4]> = (0..to).map(|at| bicubic(at, from, to)).collect();
    let mut result = source.values[..extra * source.width].to_vec();
    for y in &taps {
        for x in &taps {
            let cell = |(i, wy): (usize, f32), (j, wx): (usize, f32)| (extra + i * from + j, wy * wx);
            let parts = y.iter().flat_map(|i| x.iter().map(|j| cell(*i, *j))).collect::<Vec<_>>();
            let column =
                |c: usize| parts.iter().map(|(row, weight)| source.row(*row)[c] * weight).sum::<f32>();
            result.extend((0..source.width).map(column));
        }
    }
    Some(result)
}

/// The square over offsets resampled along both axes, then the extra rows.
fn offset_grid(source: &Table<'_>, rows: usize, extra: usize) -> Option<Vec<f32>> {
    let side = |rows: usize| {
        let (side, rest) = square(rows.checked_sub(extra)?);
        (rest == 0).then_some(side)
    };
    let (from, to) = (side(source.rows)?, side(rows)?);
    let taps = resampling(from, to)?;
    let mut result = Vec::with_capacity(rows * source.width);
    for y in &taps {
        let line = |j: usize, c: usize| -> f64 {
            y.iter().enumerate().map(|(i, weight)| weight * f64::from(source.row(i * from + j)[c])).sum()
        };
        let lines: Vec<f64> =
            (0..from).flat_map(|j| (0..source.width).map(move |c| (j, c))).map(|(j, c)| line(j, c)).collect();
        for x in &taps {
            let cell = |c: usize| -> f64 {
                x.iter().enumerate().map(|(j, weight)| weight * lines[j * source.width + c]).sum()
            };
            result.extend((0..source.width).map(|c| cell(c) as f32));
        }
    }
    result.extend_from_slice(&source.values[(source.rows - extra) * source.width..]);
    Some(result)
}

/// The four source places of a target place along one axis, and their weights; beyond the edge the edge repeats.
fn bicubic(at: usize, from: usize, to: usize) -> [(usize, f32); 4] {
    let centre = (at as f64 + 0.5) * from as f64 / to as f64 - 0.5;
    let base = centre.floor();
    [-1.0, 0.0, 1.0, 2.0].map(|offset| {
        let place = (base + offset).clamp(0.0, from as f64 - 1.0) as usize;
        (place, kernel((centre - base - offset).abs()) as f32)
    })
}

/// The cubic convolution kernel (Keys, 1981) with a = -0.75.
fn kernel(x: f64) -> f64 {
    const A: f64 = -0.75;
    if x <= 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else {
        ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crop_keeps_fresh_rows() {
        let made = resize(Some(Resize::Crop), "p", (&[1.0, 2.0], &[1, 2]), (&[9.0; 4], &[2, 2]));
        assert_eq!(made.expect("fits"), [1.0, 2.0, 9.0, 9.0]);
        let made = resize(Some(Resize::Crop), "p", (&[1.0, 2.0, 3.0], &[3]), (&[9.0; 2], &[2]));
        assert_eq!(made.expect("fits"), [1.0, 2.0]);
    }

    #[test]
    fn says_what_does_not_fit() {
        let error = resize(None, "p", (&[1.0], &[1]), (&[0.0; 2], &[2])).expect_err("no rule").to_string();
        assert!(error.contains("E0604") && error.contains("[1]") && error.contains("[2]"), "{error}");
        let rule = Some(Resize::Grid);
        assert!(
            resize(rule, "p", (&[0.0; 5], &[5, 1]), (&[0.0; 18], &[18, 1])).is_err(),
            "1 extra row, then 2"
        );
        assert!(resize(rule, "p", (&[0.0; 5], &[5, 1]), (&[0.0; 20], &[10, 2])).is_err(), "another width");
    }

    fn recorded(name: &str) -> crate::weights::Archive {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/functions");
        crate::weights::Archive::open(&folder.join(name)).expect("the fixture")
    }

    /// Largest difference over largest number.
    fn error(made: &[f32], wanted: &[f32]) -> f32 {
        let largest = wanted.iter().fold(0f32, |m, x| m.max(x.abs()));
        made.iter().zip(wanted).fold(0f32, |m, (a, b)| m.max((a - b).abs())) / largest
    }

    #[test]
    fn offset_grid_equals_the_reference() {
        let mut file = recorded("relative_table.safetensors");
        let (table, wanted) = (file.read("in.table").expect("it"), file.read("out.table").expect("it"));
        let (from, to) = (table.as_floats().expect("numbers"), wanted.as_floats().expect("numbers"));
        let rule = |extra| Some(Resize::OffsetGrid { extra });
        let fresh = vec![0.0; to.len()];
        let sizes = ((from, &table.dims[..]), (&fresh[..], &wanted.dims[..]));
        let made = resize(rule(19), "p", sizes.0, sizes.1).expect("fits");
        assert!(error(&made, to) <= 1e-6, "{}", error(&made, to));
        assert_eq!(made[121 * 3..], from[49 * 3..]);
        assert!(
            resize(rule(18), "p", sizes.0, sizes.1).is_err()
                && resize(rule(900), "p", sizes.0, sizes.1).is_err()
        );
    }

    #[test]
    fn grid_equals_the_reference() {
        let mut file = recorded("position_table.safetensors");
        let table = file.floats("in.table", &[1, 17, 6]).expect("the table");
        for side in [2, 3, 6, 7, 8] {
            let dims = [1, side * side + 1, 6];
            let wanted = file.floats(&format!("out.to_{side}"), &dims).expect("the result");
            let fresh = vec![0.0; wanted.len()];
            let made = resize(Some(Resize::Grid), "p", (&table, &[1, 17, 6]), (&fresh, &dims)).expect("fits");
            assert!(error(&made, &wanted) <= 1e-6, "{side}: {}", error(&made, &wanted));
        }
    }
}
