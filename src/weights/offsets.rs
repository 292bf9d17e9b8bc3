//! Tables over relative positions, brought to another window as BEiT and VLMo do.
//!
//! A column of the first (2w-1)² rows is a square picture over offsets. The old offsets are thought to lie at distances
//! 1, 1+q, 1+q+q² … from the centre, with the q at which they span the new window; a cubic spline through them (its third
//! derivative continuous at the second and the last but one, as FITPACK's) is read at the new whole offsets.

/// How the values at new offsets come from those at old ones, along one axis: `to` rows of `from` weights.
///
/// Both are odd; fewer than five old ones make no spline.
pub fn resampling(from: usize, to: usize) -> Option<Vec<Vec<f64>>> {
    if from < 5 || from.is_multiple_of(2) || to.is_multiple_of(2) {
        return None;
    }
    let (places, reach) = (spread(from / 2, to / 2), (to / 2) as f64);
    let curvatures = curvatures(&places);
    let at = |i: usize| (i as f64 - reach).clamp(places[0], places[from - 1]);
    Some((0..to).map(|i| weights(&places, &curvatures, at(i))).collect())
}

/// Places of `2 * count + 1` old offsets whose outermost is near `reach`.
fn spread(count: usize, reach: usize) -> Vec<f64> {
    let ratio = ratio(count, reach);
    let mut distances = Vec::with_capacity(count);
    let mut distance = 1.0;
    for step in 1..=count {
        distances.push(distance);
        distance += ratio.powi(step as i32);
    }
    let below = distances.iter().rev().map(|d| -d);
    below.chain([0.0]).chain(distances.iter().copied()).collect()
}

/// The ratio of a geometric progression of `count` terms from 1 on that sums to `reach`, found between 1.01 and 1.5.
fn ratio(count: usize, reach: usize) -> f64 {
    let (mut left, mut right, mut ratio) = (1.01, 1.5, 1.01);
    while right - left > 1e-6 {
        ratio = (left + right) / 2.0;
        let sum = (1.0 - f64::powi(ratio, count as i32)) / (1.0 - ratio);
        if sum > reach as f64 { right = ratio } else { left = ratio }
    }
    ratio
}

/// The spline's second derivatives at its places, each as weights of the values there.
fn curvatures(x: &[f64]) -> Vec<Vec<f64>> {
    let n = x.len();
    let step: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Each row: coefficients of the derivatives, then of the values.
    let mut rows = vec![vec![0.0; 2 * n]; n];
    for (end, [a, b, c], [near, far]) in
        [(0, [0, 1, 2], [0, 1]), (n - 1, [n - 1, n - 2, n - 3], [n - 2, n - 3])]
    {
        let row = &mut rows[end];
        (row[a], row[b], row[c]) = (step[far], -step[near] - step[far], step[near]);
    }
    for i in 1..n - 1 {
        let (before, after) = (step[i - 1], step[i]);
        let row = &mut rows[i];
        (row[i - 1], row[i], row[i + 1]) = (before, 2.0 * (before + after), after);
        (row[n + i - 1], row[n + i + 1]) = (6.0 / before, 6.0 / after);
        row[n + i] = -6.0 / before - 6.0 / after;
    }
    solve(&mut rows);
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}

/// Makes the left half of the rows the identity (Gauss and Jordan, largest pivot first).
fn solve(rows: &mut [Vec<f64>]) {
    for column in 0..rows.len() {
        let largest =
            (column..rows.len()).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        rows.swap(column, largest.unwrap_or(column));
        let pivot = rows[column][column];
        let lead: Vec<f64> = rows[column].iter().map(|x| x / pivot).collect();
        for (at, row) in rows.iter_mut().enumerate() {
            let factor = if at == column { 0.0 } else { row[column] };
            row.iter_mut().zip(&lead).for_each(|(x, l)| *x -= factor * l);
        }
        rows[column] = lead;
    }
}

/// The spline at one place, as weights of its values.
fn weights(x: &[f64], curvatures: &[Vec<f64>], at: f64) -> Vec<f64> {
    let i = x.partition_point(|place| *place <= at).clamp(1, x.len() - 1) - 1;
    let step = x[i + 1] - x[i];
    let (a, b) = ((x[i + 1] - at) / step, (at - x[i]) / step);
    let (bend_a, bend_b) = ((a * a * a - a) * step * step / 6.0, (b * b * b - b) * step * step / 6.0);
    let both = curvatures[i].iter().zip(&curvatures[i + 1]);
    let mut weights: Vec<f64> = both.map(|(low, high)| bend_a * low + bend_b * high).collect();
    weights[i] += a;
    weights[i + 1] += b;
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_met_exactly() {
        let (places, cubic) = (spread(3, 5), |x: f64| x * x * x - 2.0 * x + 1.0);
        let curvatures = curvatures(&places);
        for at in [-4.5, -1.0, 0.3, 2.0] {
            let weights = weights(&places, &curvatures, at);
            let value: f64 = weights.iter().zip(&places).map(|(w, x)| w * cubic(*x)).sum();
            assert!((value - cubic(at)).abs() < 1e-9, "{at}: {value}");
        }
    }

    #[test]
    fn the_old_offsets_span_the_new_window() {
        let places = spread(13, 23);
        assert!((places[26] - 23.0).abs() < 1e-3 && places[13] == 0.0 && places[14] == 1.0, "{places:?}");
        assert!(resampling(3, 9).is_none() && resampling(6, 9).is_none());
    }
}
