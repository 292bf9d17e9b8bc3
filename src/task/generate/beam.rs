//! Beam search: the likeliest continuations of several texts, until no open text can beat the best that ended.
//!
//! As in the captioning code of BEiT-3 (`BeamHypotheses` of early transformers, one hypothesis kept): candidates are taken by the sum
//! of their log-probabilities; an end among them makes its text a result, scored by `sum / tokens ^ length_penalty`; the others fill
//! the beam. Sums only fall and no text is longer than `max`, so `best sum / max ^ length_penalty` bounds what may still come.

use super::hypotheses::{Hypotheses, Rules, Written};

/// The texts of a beam.
pub struct Beam {
    rules: Rules,
    width: usize,
    open: Vec<(Vec<i32>, f64)>,
    /// Of each open text, its place in the beam before.
    parents: Vec<usize>,
    best: Option<Written>,
}

/// A text of the beam with one more token.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    text: usize,
    token: i32,
    sum: f64,
}

impl Beam {
    /// Begins with the first token and the prompt; `width` texts go on together.
    pub fn new(rules: Rules, width: usize, start: &[i32]) -> Self {
        Self { rules, width: width.max(1), open: vec![(start.to_vec(), 0.0)], parents: vec![0], best: None }
    }

    /// The best continuations, the best first; of equal ones that of the earlier text, then of the smaller id.
    fn candidates(&self, logits: &[&[f32]]) -> Vec<Candidate> {
        let mut all = Vec::new();
        for (text, ((tokens, sum), logits)) in self.open.iter().zip(logits).enumerate() {
            let next = self.rules.log_probabilities(tokens, logits);
            // One more than the beam holds, because one of them may be the end.
            let best = best(&next, self.width + 1).into_iter();
            all.extend(best.map(|token| Candidate { text, token: token as i32, sum: sum + next[token] }));
        }
        all.retain(|candidate: &Candidate| candidate.sum.is_finite());
        all.sort_by(|a, b| b.sum.total_cmp(&a.sum));
        all
    }

    fn end(&mut self, candidate: Candidate) {
        let ended = self.rules.ended(&self.open[candidate.text].0, candidate.sum);
        if self.best.as_ref().is_none_or(|best| ended.score > best.score) {
            self.best = Some(ended);
        }
    }

    fn is_decided(&self, sum: f64) -> bool {
        self.best.as_ref().is_some_and(|best| best.score >= sum / self.rules.length(self.rules.max))
    }
}

impl Hypotheses for Beam {
    fn open(&self) -> Vec<&[i32]> {
        self.open.iter().map(|(tokens, _)| tokens.as_slice()).collect()
    }

    fn parents(&self) -> Vec<usize> {
        self.parents.clone()
    }

    fn extend(&mut self, logits: &[&[f32]]) {
        let candidates = self.candidates(logits);
        let (mut open, mut parents) = (Vec::new(), Vec::new());
        let decided = candidates.first().is_none_or(|first| self.is_decided(first.sum));
        for candidate in candidates.into_iter().filter(|_| !decided) {
            let tokens = &self.open[candidate.text].0;
            if candidate.token == self.rules.end || self.rules.must_end(tokens) {
                self.end(candidate);
            } else {
                open.push(([tokens.as_slice(), &[candidate.token]].concat(), candidate.sum));
                parents.push(candidate.text);
            }
            if open.len() == self.width {
                break;
            }
        }
        (self.open, self.parents) = (open, parents);
    }

    fn best(&self) -> Written {
        let open = || self.open.first().map_or((&[][..], 0.0), |(tokens, sum)| (tokens.as_slice(), *sum));
        self.best.clone().unwrap_or_else(|| self.rules.ended(open().0, open().1))
    }
}

/// The places of the `count` largest numbers, the largest first; of equal ones the first.
fn best(next: &[f64], count: usize) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::with_capacity(count + 1);
    for (token, value) in next.iter().enumerate() {
        if best.len() == count && best.last().is_some_and(|last| next[*last] >= *value) {
            continue;
        }
        let place = best.partition_point(|known| next[*known] >= *value);
        best.insert(place, token);
        best.truncate(count);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { end: 0, min: 0, max: 4, length_penalty: 0.0 };

    fn ln(shares: [f32; 3]) -> [f32; 3] {
        shares.map(f32::ln)
    }

    #[test]
    fn a_beam_finds_what_greedy_misses() {
        let mut beam = Beam::new(RULES, 2, &[9]);
        beam.extend(&[&ln([0.1, 0.5, 0.4])]);
        assert_eq!((beam.open(), beam.parents()), (vec![&[9, 1][..], &[9, 2]], vec![0, 0]));
        // After 1 all is open, after 2 the end is nearly sure.
        beam.extend(&[&ln([0.3, 0.35, 0.35]), &ln([0.98, 0.01, 0.01])]);
        assert_eq!(beam.best().tokens, [9, 2, 0]);
        assert!((beam.best().score - (0.4_f64 * 0.98).ln()).abs() < 1e-6);
        beam.extend(&[&ln([0.9, 0.05, 0.05]), &ln([0.9, 0.05, 0.05])]);
        assert!(beam.open().is_empty(), "no open text can become likelier");
        assert_eq!(beam.best().tokens, [9, 2, 0]);
    }

    #[test]
    fn at_the_last_place_every_token_is_the_end() {
        let mut beam = Beam::new(RULES, 1, &[9]);
        for _ in 0..3 {
            beam.extend(&[&ln([0.1, 0.2, 0.7])]);
        }
        assert!(beam.open().is_empty());
        assert_eq!(beam.best().tokens, [9, 2, 2, 0]);
        assert!((beam.best().score - 3.0 * 0.7_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn the_largest_come_first_and_of_equal_ones_the_earlier() {
        assert_eq!(best(&[1.0, 3.0, 2.0, 3.0, f64::NEG_INFINITY], 3), [1, 3, 2]);
    }
}
