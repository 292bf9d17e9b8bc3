//! One text: the likeliest token at every place (greedy), or one drawn from the likeliest that together hold a share of the
//! probability (nucleus; Holtzman et al., 2020).
//!
//! Draws are addressed by the task's seed and name, the row and the place, so they depend on nothing else.

use super::hypotheses::{Hypotheses, Rules, Written};
use crate::random::Stream;

/// How a token is chosen.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// The likeliest; of equal ones the first.
    Greedy,
    /// Drawn.
    Nucleus {
        /// How much probability the likeliest hold together, 0 to 1.
        share: f64,
        /// The draws of the task.
        draws: Stream,
        /// The row written about.
        row: u32,
    },
}

/// One text that is being written.
pub struct Single {
    rules: Rules,
    choice: Choice,
    text: Vec<i32>,
    sum: f64,
    ended: bool,
}

impl Single {
    /// Begins with the first token and the prompt.
    pub fn new(rules: Rules, choice: Choice, start: &[i32]) -> Self {
        Self { rules, choice, text: start.to_vec(), sum: 0.0, ended: false }
    }
}

impl Hypotheses for Single {
    fn open(&self) -> Vec<&[i32]> {
        if self.ended { Vec::new() } else { vec![&self.text] }
    }

    fn parents(&self) -> Vec<usize> {
        vec![0; self.open().len()]
    }

    fn extend(&mut self, logits: &[&[f32]]) {
        let [logits] = logits else { return };
        let next = self.rules.log_probabilities(&self.text, logits);
        let token = match self.choice {
            Choice::Greedy => likeliest(&next),
            Choice::Nucleus { share, draws, row } => {
                draw(&next, share, f64::from(draws.uniform(row, self.text.len() as u32)))
            }
        };
        self.sum += next.get(token).copied().unwrap_or(0.0);
        self.ended = token as i32 == self.rules.end || self.rules.must_end(&self.text);
        if !self.ended {
            self.text.push(token as i32);
        }
    }

    fn best(&self) -> Written {
        self.rules.ended(&self.text, self.sum)
    }
}

fn likeliest(next: &[f64]) -> usize {
    let better = |best: usize, i: usize| if next[i] > next[best] { i } else { best };
    (0..next.len()).reduce(better).unwrap_or(0)
}

/// A token of the smallest set that holds the share, by a number in 0..1.
fn draw(next: &[f64], share: f64, number: f64) -> usize {
    let total: f64 = next.iter().map(|x| x.exp()).sum();
    let mut order: Vec<usize> = (0..next.len()).collect();
    order.sort_by(|a, b| next[*b].total_cmp(&next[*a]));
    let mut held = 0.0;
    let mut nucleus: Vec<(usize, f64)> = Vec::new();
    for token in order {
        held += next[token].exp();
        nucleus.push((token, held));
        if held >= share * total {
            break;
        }
    }
    let found = nucleus.iter().find(|(_, below)| number * held < *below);
    found.or(nucleus.last()).map_or(0, |(token, _)| *token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nucleus_is_the_smallest_set_of_likeliest_tokens() {
        let next = [0.1_f64, 0.5, 0.15, 0.25].map(f64::ln);
        let drawn = |share, number| draw(&next, share, number);
        assert_eq!([drawn(0.5, 0.0), drawn(0.5, 0.999)], [1, 1]);
        assert_eq!([drawn(0.7, 0.6), drawn(0.7, 0.7), drawn(0.7, 0.999)], [1, 3, 3]);
        assert_eq!([drawn(1.0, 0.8), drawn(1.0, 0.95)], [2, 0]);
    }

    #[test]
    fn draws_follow_the_probabilities() {
        let rules = Rules { end: 0, min: 0, max: 9, length_penalty: 0.0 };
        let draws = Stream::new(3, "t", "generate");
        let logits = [0.2_f32.ln(), 0.3_f32.ln(), 0.5_f32.ln()];
        let count = |token| {
            let chosen = |row: &u32| {
                let mut text = Single::new(rules, Choice::Nucleus { share: 1.0, draws, row: *row }, &[1]);
                text.extend(&[&logits]);
                let first = if text.ended { 0 } else { text.text[1] };
                first == token
            };
            (0..4000).filter(chosen).count() as f64 / 4000.0
        };
        assert!((count(0) - 0.2).abs() < 0.03 && (count(2) - 0.5).abs() < 0.03);
    }

    #[test]
    fn the_likeliest_token_is_written_until_the_end() {
        let rules = Rules { end: 0, min: 2, max: 9, length_penalty: 0.0 };
        let mut text = Single::new(rules, Choice::Greedy, &[2]);
        let logits: [f32; 3] = [3.0, 1.0, 0.0];
        text.extend(&[&logits]);
        assert_eq!(text.open(), [&[2, 1]], "the end would come too early");
        text.extend(&[&logits]);
        assert!(text.open().is_empty());
        assert_eq!(text.best().tokens, [2, 1, 0]);
    }
}
