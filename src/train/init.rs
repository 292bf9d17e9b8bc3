//! Initial values (6.2) to numbers.
//!
//! Every element is drawn at (seed, "init", path, element), so a parameter starts the same whatever else the model has, and
//! on any number of threads. Redraws of a truncated normal use the next row.

use crate::random::Stream;
use crate::recipe::Init;

/// Elements that one thread fills at a time.
const PIECE: usize = 1 << 15;

/// Fills `values`, a tensor of these axes, as `init` says.
pub fn fill(values: &mut [f32], dims: &[usize], init: &Init, seed: u64, path: &str) {
    let stream = Stream::new(seed, "init", path);
    match *init {
        Init::Fill(value) => values.fill(value as f32),
        Init::Normal(deviation) => draw(values, |e| deviation * stream.normal(0, e)),
        Init::Truncated { deviation, cut } => draw(values, |e| deviation * truncated(stream, e, cut)),
        Init::FanIn => {
            let bound = 1.0 / (inputs(dims) as f64).sqrt();
            draw(values, |e| bound * (2.0 * f64::from(stream.uniform(0, e)) - 1.0));
        }
        Init::Sphere => {
            draw(values, |e| stream.normal(0, e));
            let width = dims.last().copied().unwrap_or(1).max(1);
            values.chunks_mut(width).for_each(to_unit_length);
        }
    }
}

/// The bits of ids, as flat memory keeps them.
pub fn fill_ids(values: &mut [f32], init: &Init) {
    let id = if let Init::Fill(value) = init { *value as i32 } else { 0 };
    values.fill(f32::from_bits(id as u32));
}

/// Inputs of a layer: the first axis of a matrix, all but the first of a convolution.
fn inputs(dims: &[usize]) -> usize {
    let inputs = if dims.len() > 2 { dims[1..].iter().product() } else { dims.first().copied().unwrap_or(1) };
    inputs.max(1)
}

fn draw(values: &mut [f32], number: impl Fn(u32) -> f64 + Sync) {
    let pieces = std::sync::Mutex::new(values.chunks_mut(PIECE).enumerate());
    let work = || {
        loop {
            let piece = pieces.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            let Some((index, piece)) = piece else { return };
            let first = index * PIECE;
            piece.iter_mut().enumerate().for_each(|(e, value)| *value = number((first + e) as u32) as f32);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
}

/// A standard normal number within ±cut: the first of the rows 0, 1, 2 … that fits.
fn truncated(stream: Stream, element: u32, cut: f64) -> f64 {
    let tries = (0..1000).map(|row| stream.normal(row, element));
    tries.into_iter().find(|x| x.abs() <= cut).unwrap_or(0.0)
}

fn to_unit_length(row: &mut [f32]) {
    let norm = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt().max(1e-12);
    row.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(dims: &[usize], init: Init) -> Vec<f32> {
        let mut values = vec![0.0; dims.iter().product()];
        fill(&mut values, dims, &init, 5, "here");
        values
    }

    #[test]
    fn keeps_its_bounds() {
        let cut = filled(&[100, 700], Init::Truncated { deviation: 0.02, cut: 1.0 });
        assert!(cut.iter().all(|x| x.abs() <= 0.02 + 1e-9));
        let fan = filled(&[100, 30], Init::FanIn);
        assert!(fan.iter().all(|x| x.abs() <= 0.1) && fan.iter().any(|x| x.abs() > 0.09));
        assert!(filled(&[30, 10, 10], Init::FanIn).iter().all(|x| x.abs() <= 0.1));
    }

    #[test]
    fn deviation_is_as_asked() {
        let values = filled(&[300, 300], Init::Normal(0.5));
        let variance = values.iter().map(|x| f64::from(x * x)).sum::<f64>() / values.len() as f64;
        assert!((variance - 0.25).abs() < 0.01, "{variance}");
    }

    #[test]
    fn rows_lie_on_the_sphere() {
        for row in filled(&[20, 7], Init::Sphere).chunks(7) {
            assert!((row.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_longer_tensor_starts_alike() {
        let (short, long) = (filled(&[10], Init::Normal(1.0)), filled(&[100_000], Init::Normal(1.0)));
        assert_eq!(short, long[..10]);
    }
}
