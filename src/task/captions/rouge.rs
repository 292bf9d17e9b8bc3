//! ROUGE-L (Lin, 2004) as pycocoevalcap computes it: the longest common subsequence of words as a share of the caption and of the
//! reference, the best of each over all references, joined with the weight of recall 1.2.

use super::Pair;

const BETA: f64 = 1.2;

/// ROUGE-L of every caption, 0 to 1; what is usually reported is their mean.
pub fn rouge_l(pairs: &[Pair]) -> Vec<f64> {
    pairs.iter().map(of_pair).collect()
}

fn of_pair(pair: &Pair) -> f64 {
    let (mut precision, mut recall) = (0.0_f64, 0.0_f64);
    for reference in &pair.references {
        let common = common(&pair.candidate, reference) as f64;
        precision = precision.max(common / pair.candidate.len().max(1) as f64);
        recall = recall.max(common / reference.len().max(1) as f64);
    }
    if precision == 0.0 || recall == 0.0 {
        return 0.0;
    }
    (1.0 + BETA * BETA) * precision * recall / (recall + BETA * BETA * precision)
}

/// The length of the longest common subsequence.
fn common(a: &[String], b: &[String]) -> usize {
    let mut best = vec![0; b.len() + 1];
    for word in a {
        let mut before = 0;
        for (place, other) in b.iter().enumerate() {
            let above = best[place + 1];
            best[place + 1] = if word == other { before + 1 } else { above.max(best[place]) };
            before = above;
        }
    }
    best[b.len()]
}
