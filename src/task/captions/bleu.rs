//! BLEU (Papineni et al., 2002) over all captions as pycocoevalcap computes it: the geometric mean of the shares of right runs of one to
//! n words, each counted at most as often as in one reference, lowered if the captions are shorter than their closest references.

use super::Pair;
use super::ngrams::Ngrams;

/// So that nothing is divided by zero.
const SMALL: f64 = 1e-9;
/// So that a share is never zero.
const TINY: f64 = 1e-15;

/// What is counted of one caption, or of all.
#[derive(Clone, Debug, Default)]
struct Counts {
    /// Runs by length, and those that are right.
    runs: Vec<(f64, f64)>,
    words: f64,
    /// Words of the closest reference.
    closest: f64,
}

/// BLEU over runs of one to `n` words, 0 to 1.
pub fn bleu(pairs: &[Pair], n: usize) -> f64 {
    let n = n.max(1);
    let mut all = Counts { runs: vec![(0.0, 0.0); n], ..Counts::default() };
    for counts in pairs.iter().map(|pair| Counts::of(pair, n)) {
        all.words += counts.words;
        all.closest += counts.closest;
        for (sum, one) in all.runs.iter_mut().zip(counts.runs) {
            *sum = (sum.0 + one.0, sum.1 + one.1);
        }
    }
    all.score()
}

/// The same of every caption alone.
pub fn bleu_each(pairs: &[Pair], n: usize) -> Vec<f64> {
    pairs.iter().map(|pair| Counts::of(pair, n.max(1)).score()).collect()
}

impl Counts {
    fn of(pair: &Pair, n: usize) -> Self {
        let own = Ngrams::new(&pair.candidate, n);
        let references: Vec<Ngrams<'_>> = pair.references.iter().map(|r| Ngrams::new(r, n)).collect();
        let most = |k: usize, run: &[String]| {
            references.iter().filter_map(|r| r.counts[k].get(run)).copied().max().unwrap_or(0)
        };
        let right =
            |k: usize| own.counts[k].iter().map(|(run, count)| most(k, run).min(*count)).sum::<usize>();
        let runs = (0..n).map(|k| (own.total(k) as f64, right(k) as f64)).collect();
        let lengths = references.iter().map(|r| (r.words.abs_diff(own.words), r.words));
        let closest = lengths.min().map_or(0, |(_, words)| words) as f64;
        Self { runs, words: own.words as f64, closest }
    }

    fn score(&self) -> f64 {
        let shares = self.runs.iter().map(|(all, right)| (right + TINY) / (all + SMALL));
        let mean = shares.product::<f64>().powf(1.0 / self.runs.len() as f64);
        let ratio = (self.words + TINY) / (self.closest + SMALL);
        if ratio < 1.0 { mean * (1.0 - 1.0 / ratio).exp() } else { mean }
    }
}
