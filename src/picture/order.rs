//! The order of each layer, so that few lines cross: barycentres from below and from above, the best order is kept.

use super::layer::Layers;

const SWEEPS: usize = 40;

/// Orders the rows.
pub fn order(layers: &mut Layers) {
    let mut best = (crossings(layers), layers.rows.clone());
    for sweep in 0..SWEEPS {
        let up = sweep % 2 == 0;
        let rows: Vec<usize> = if up {
            (1..layers.rows.len()).collect()
        } else {
            (0..layers.rows.len().saturating_sub(1)).rev().collect()
        };
        for row in rows {
            sort(layers, row, up);
        }
        swap(layers);
        let found = crossings(layers);
        if found < best.0 {
            best = (found, layers.rows.clone());
        }
    }
    layers.rows = best.1;
}

/// Sorts a row by the mean place of its neighbours below or above.
fn sort(layers: &mut Layers, row: usize, below: bool) {
    let place = places(layers);
    let mean = |slot: usize, at: usize| {
        let ends = layers.links.iter().filter_map(|link| match below {
            true => (link.to == slot).then_some(link.from),
            false => (link.from == slot).then_some(link.to),
        });
        let found: Vec<f64> = ends.map(|end| place[end]).collect();
        if found.is_empty() { at as f64 } else { found.iter().sum::<f64>() / found.len() as f64 }
    };
    let mut keyed: Vec<(f64, usize)> =
        layers.rows[row].iter().enumerate().map(|(at, slot)| (mean(*slot, at), *slot)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    layers.rows[row] = keyed.into_iter().map(|(_, slot)| slot).collect();
}

/// Swaps neighbours as long as that helps.
fn swap(layers: &mut Layers) {
    for row in 0..layers.rows.len() {
        for at in 1..layers.rows[row].len() {
            let before = crossings(layers);
            layers.rows[row].swap(at - 1, at);
            if crossings(layers) >= before {
                layers.rows[row].swap(at - 1, at);
            }
        }
    }
}

/// Where each slot stands in its row.
fn places(layers: &Layers) -> Vec<f64> {
    let mut place = vec![0.0; layers.slots.len()];
    for row in &layers.rows {
        row.iter().enumerate().for_each(|(at, slot)| place[*slot] = at as f64);
    }
    place
}

/// How many pairs of lines cross.
pub fn crossings(layers: &Layers) -> usize {
    let (place, mut row) = (places(layers), vec![0; layers.slots.len()]);
    for (number, slots) in layers.rows.iter().enumerate() {
        slots.iter().for_each(|slot| row[*slot] = number);
    }
    let mut count = 0;
    for (at, a) in layers.links.iter().enumerate() {
        let beside = layers.links[at + 1..].iter().filter(|b| row[a.from] == row[b.from]);
        count +=
            beside.filter(|b| (place[a.from] - place[b.from]) * (place[a.to] - place[b.to]) < 0.0).count();
    }
    count
}
