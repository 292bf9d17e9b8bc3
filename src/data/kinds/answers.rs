//! Answers as the VQA challenge compares them, the commonest of a set, and what a chosen answer is worth.
//!
//! Answers are compared in lower case, without articles, with digits for number words and without punctuation (the evaluation
//! code of VQA 2). Of ten people, an answer given once is worth 0.3, twice 0.6, three times 0.9, oftener 1 (BEiT-3, ViLT); if a
//! question has one answer alone, that is worth 1.

use std::collections::BTreeMap;

const NUMBERS: [&str; 11] =
    ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// An answer in the form in which answers are compared.
pub fn plain(answer: &str) -> String {
    let lower = answer.trim().to_lowercase();
    let letters: String =
        lower.chars().map(|c| if c.is_alphanumeric() || "'.:-".contains(c) { c } else { ' ' }).collect();
    let words = letters.split_whitespace().map(|word| word.trim_end_matches('.'));
    let words = words.filter(|word| !["a", "an", "the", ""].contains(word)).map(digit);
    words.collect::<Vec<_>>().join(" ")
}

fn digit(word: &str) -> String {
    let number = NUMBERS.iter().position(|number| *number == word);
    number.map_or_else(|| word.to_string(), |number| number.to_string())
}

/// The `n` commonest of many answers, the most frequent first, equally frequent ones in alphabetical order.
pub(super) fn commonest<'a>(answers: impl Iterator<Item = &'a str>, n: usize) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    answers.for_each(|answer| *counts.entry(answer).or_default() += 1);
    let mut sorted: Vec<(&str, usize)> = counts.into_iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted.into_iter().take(n).map(|(answer, _)| answer.to_string()).collect()
}

/// How often each answer was given, in the order of their first.
pub(super) fn shares(answers: &[String]) -> Vec<(&str, usize)> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for answer in answers {
        match counts.iter_mut().find(|(known, _)| known == answer) {
            Some((_, count)) => *count += 1,
            None => counts.push((answer, 1)),
        }
    }
    counts
}

/// What an answer is worth that `count` of `all` people gave.
pub(super) fn worth(count: usize, all: usize) -> f32 {
    match (count, all) {
        (0, _) => 0.0,
        (_, 1) => 1.0,
        (1..=3, _) => 0.3 * count as f32,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_without_articles_and_with_digits() {
        for (typed, compared) in
            [("The Dog", "dog"), ("two.", "2"), ("a red, round ball", "red round ball"), ("yes", "yes")]
        {
            assert_eq!(plain(typed), compared);
        }
    }

    #[test]
    fn the_commonest_come_first() {
        assert_eq!(commonest(["b", "a", "c", "b", "a"].into_iter(), 2), ["a", "b"]);
        let given = ["2", "3", "2"].map(String::from);
        assert_eq!(shares(&given), [("2", 2), ("3", 1)]);
        assert_eq!([worth(2, 10), worth(5, 10), worth(1, 1), worth(0, 1)], [0.6, 1.0, 1.0, 0.0]);
    }
}
