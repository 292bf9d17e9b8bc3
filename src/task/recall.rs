//! Recall at k: in how many queries one of the right answers is among the k best.
//!
//! Ties never flatter: an answer that is wrong and scores the same as the right one counts as better, so a model that
//! gives everything the same score finds nothing. NaN counts as the worst score for the right answer and best for others.

use serde::{Deserialize, Serialize};

/// One direction of retrieval, in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// The cut-offs.
    pub at: Vec<usize>,
    /// In percent, one a cut-off.
    pub percent: Vec<f64>,
}

/// Both directions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BothWays {
    /// Pictures asked for, texts found: a hit if any caption of the picture is among the first k.
    pub text: Recall,
    /// Texts asked for, pictures found.
    pub image: Recall,
    /// Mean of all numbers of both.
    pub mean: f64,
}

/// Scores `[images, texts]`, row-major, for either direction, and the picture that each text belongs to.
pub fn both_ways(
    by_image: &[f32],
    by_text: &[f32],
    owners: &[usize],
    images: usize,
    at: &[usize],
) -> BothWays {
    let texts = owners.len();
    let of_image = |i: usize| rank(texts, |t| by_image[i * texts + t], |t| owners[t] == i);
    let of_text = |t: usize| rank(images, |i| by_text[i * texts + t], |i| owners[t] == i);
    let described = (0..images).filter(|i| owners.contains(i));
    let text = recall(described.map(of_image).collect(), at);
    let image = recall((0..texts).map(of_text).collect(), at);
    let all = text.percent.iter().chain(&image.percent);
    let mean = all.sum::<f64>() / (2 * at.len()).max(1) as f64;
    BothWays { text, image, mean }
}

/// How many wrong candidates score at least as well as the best right one.
fn rank(candidates: usize, score: impl Fn(usize) -> f32, right: impl Fn(usize) -> bool) -> usize {
    let best = (0..candidates)
        .filter(|c| right(*c))
        .map(&score)
        .filter(|s| !s.is_nan())
        .fold(f32::NEG_INFINITY, f32::max);
    (0..candidates)
        .filter(|c| !right(*c) && !matches!(score(*c).partial_cmp(&best), Some(std::cmp::Ordering::Less)))
        .count()
}

fn recall(ranks: Vec<usize>, at: &[usize]) -> Recall {
    let share = |k: &usize| {
        let hits = ranks.iter().filter(|rank| *rank < k).count();
        100.0 * hits as f64 / ranks.len().max(1) as f64
    };
    Recall { at: at.to_vec(), percent: at.iter().map(share).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_do_not_flatter() {
        let found = both_ways(&[0.0; 8], &[0.0; 8], &[0, 0, 1, 1], 2, &[1]);
        assert_eq!((found.text.percent[0], found.image.percent[0]), (0.0, 0.0));
    }

    #[test]
    fn any_caption_counts() {
        let scores = [0.1, 0.9, 0.2, 0.3, 0.0, 0.0, 0.5, 0.1];
        let found = both_ways(&scores, &scores, &[0, 0, 1, 1], 2, &[1, 2]);
        assert_eq!(found.text.percent, [100.0, 100.0]);
        assert_eq!(found.image.percent, [75.0, 100.0]);
        assert_eq!(found.mean, 93.75);
    }

    #[test]
    fn equals_the_reference() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/functions/retrieval.safetensors");
        let mut file = crate::weights::Archive::open(&path).expect("the fixture");
        let scores = file.floats("in.scores", &[24, 120]).expect("scores");
        let wanted = file.floats("out.result", &[6]).expect("results");
        let owners: Vec<usize> = (0..120).map(|text| text / 5).collect();
        let found = both_ways(&scores, &scores, &owners, 24, &[1, 5, 10]);
        let found: Vec<f32> =
            found.text.percent.iter().chain(&found.image.percent).map(|x| *x as f32).collect();
        assert_eq!(found, wanted);
    }
}
