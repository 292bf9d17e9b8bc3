//! Texts that are being written about one subject, and how they go on.
//!
//! A text is a list of tokens: the first token of the vocabulary, the prompt, words, and at last the end token. `max` counts all of
//! them: at the last place stands the end, whatever was likeliest there, and the likelihood of that counts. `min` is how many stand
//! before the end at least. Both as the peers count (`max_length`, `min_length`).
//!
//! Invariant: all open texts of a subject are equally long, and longer after every [`Hypotheses::extend`].

/// Texts about one subject.
pub trait Hypotheses {
    /// The texts that are not at their end; none if all is written.
    fn open(&self) -> Vec<&[i32]>;
    /// Of each open text, which of those that were open before the last [`Hypotheses::extend`] it continues.
    fn parents(&self) -> Vec<usize>;
    /// Goes on by logits over the vocabulary, one row an open text.
    fn extend(&mut self, logits: &[&[f32]]);
    /// The best text.
    fn best(&self) -> Written;
}

/// A text with its score.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// First token, prompt, words, end.
    pub tokens: Vec<i32>,
    /// The sum of the log-probabilities of all tokens after the prompt, divided by the number of all tokens to the power of the
    /// length penalty.
    pub score: f64,
}

/// When a text may and must end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The end token.
    pub end: i32,
    /// Fewest tokens before the end.
    pub min: usize,
    /// Most tokens, the end included.
    pub max: usize,
    /// Sums are divided by length to this power.
    pub length_penalty: f64,
}

impl Rules {
    /// Whether a text is so long that only the end has a place.
    pub fn must_end(&self, text: &[i32]) -> bool {
        text.len() + 1 >= self.max
    }

    /// Log-probabilities of what follows a text; the end has none where it may not stand yet.
    pub fn log_probabilities(&self, text: &[i32], logits: &[f32]) -> Vec<f64> {
        let mut next = log_softmax(logits);
        if text.len() < self.min
            && let Some(end) = usize::try_from(self.end).ok().and_then(|end| next.get_mut(end))
        {
            *end = f64::NEG_INFINITY;
        }
        next
    }

    /// A text brought to its end; `sum` holds the end's log-probability.
    pub fn ended(&self, text: &[i32], sum: f64) -> Written {
        let tokens: Vec<i32> = text.iter().copied().chain([self.end]).collect();
        let score = sum / self.length(tokens.len());
        Written { tokens, score }
    }

    /// What sums are divided by.
    pub fn length(&self, tokens: usize) -> f64 {
        (tokens as f64).powf(self.length_penalty)
    }
}

/// Log-probabilities of logits.
pub fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().fold(f32::NEG_INFINITY, |top, x| top.max(*x));
    let top = f64::from(top);
    let sum: f64 = logits.iter().map(|x| (f64::from(*x) - top).exp()).sum();
    logits.iter().map(|x| f64::from(*x) - top - sum.ln()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_waits_for_min_and_comes_at_max() {
        let rules = Rules { end: 1, min: 3, max: 5, length_penalty: 1.0 };
        let early = rules.log_probabilities(&[0, 2], &[0.0, 9.0, 0.0]);
        assert_eq!(early[1], f64::NEG_INFINITY);
        let late = rules.log_probabilities(&[0, 2, 2], &[0.0, 0.0, 0.0]);
        assert!((late[1] + 3_f64.ln()).abs() < 1e-12);
        assert_eq!([rules.must_end(&[0, 2, 2]), rules.must_end(&[0, 2, 2, 2])], [false, true]);
        let ended = rules.ended(&[0, 2], -6.0);
        assert_eq!((ended.tokens, ended.score), (vec![0, 2, 1], -2.0));
    }
}
