//! CIDEr-D (Vedantam et al., 2015) as pycocoevalcap computes it: runs of one to four words, each weighted by how few pictures it is
//! said of; the cosine between the caption and each reference, clipped, damped by the difference in length.
//!
//! As there, "length" is the number of runs of two words, document frequencies come from the references, and the result is times 10.

use super::Pair;
use super::ngrams::Ngrams;
use std::collections::{BTreeMap, BTreeSet};

const N: usize = 4;
const SIGMA: f64 = 6.0;

/// How many pictures a run is said of.
type Frequencies<'a> = BTreeMap<&'a [String], f64>;

/// CIDEr-D of every caption, 0 to 10; what is usually reported is their mean times 100.
pub fn cider(pairs: &[Pair]) -> Vec<f64> {
    let counted: Vec<Vec<Ngrams<'_>>> = { pairs.iter() }
        .map(|pair| pair.references.iter().map(|words| Ngrams::new(words, N)).collect())
        .collect();
    let frequencies = frequencies(&counted);
    let pictures = (pairs.len() as f64).ln();
    let score = |(pair, references): (&Pair, &Vec<Ngrams<'_>>)| {
        let own = Ngrams::new(&pair.candidate, N);
        let candidate = Vector::new(&own, &frequencies, pictures);
        let likeness =
            |reference: &Ngrams<'_>| candidate.likeness(&Vector::new(reference, &frequencies, pictures));
        let sum: f64 = references.iter().map(likeness).sum();
        10.0 * sum / references.len().max(1) as f64
    };
    pairs.iter().zip(&counted).map(score).collect()
}

fn frequencies<'a>(counted: &[Vec<Ngrams<'a>>]) -> Frequencies<'a> {
    let mut frequencies = Frequencies::new();
    for references in counted {
        let runs = references.iter().flat_map(|r| r.counts.iter().flat_map(|runs| runs.keys().copied()));
        let said: BTreeSet<&[String]> = runs.collect();
        said.into_iter().for_each(|run| *frequencies.entry(run).or_default() += 1.0);
    }
    frequencies
}

/// The weights of a text's runs, by length, with their norms.
struct Vector<'a> {
    weights: Vec<BTreeMap<&'a [String], f64>>,
    norms: Vec<f64>,
    length: f64,
}

impl<'a> Vector<'a> {
    fn new(ngrams: &Ngrams<'a>, frequencies: &Frequencies<'_>, pictures: f64) -> Self {
        let weight = |(run, count): (&&'a [String], &usize)| {
            let said = frequencies.get(*run).copied().unwrap_or(0.0).max(1.0).ln();
            (*run, *count as f64 * (pictures - said))
        };
        let weights: Vec<BTreeMap<_, _>> =
            ngrams.counts.iter().map(|runs| runs.iter().map(weight).collect()).collect();
        let norm = |runs: &BTreeMap<&[String], f64>| runs.values().map(|w| w * w).sum::<f64>().sqrt();
        let norms = weights.iter().map(norm).collect();
        Self { weights, norms, length: ngrams.total(1) as f64 }
    }

    /// The clipped cosines, damped, as a mean over lengths of runs.
    fn likeness(&self, reference: &Vector<'_>) -> f64 {
        let difference = self.length - reference.length;
        let damping = (-difference * difference / (2.0 * SIGMA * SIGMA)).exp();
        let cosine = |k: usize| {
            let of = |run: &[String]| reference.weights[k].get(run).copied().unwrap_or(0.0);
            let product: f64 = self.weights[k].iter().map(|(run, w)| w.min(of(run)) * of(run)).sum();
            let norms = self.norms[k] * reference.norms[k];
            if norms == 0.0 { product } else { product / norms }
        };
        damping * (0..N).map(cosine).sum::<f64>() / N as f64
    }
}
