//! Answers that were written: are they what people answered?
//!
//! Both sides are compared as the VQA challenge does it (lower case, no articles, digits for number words). What an answer is worth
//! follows from the share of people who gave it: a third and more is worth 1, less three times its share; so of ten votes one is
//! worth 0.3, two 0.6, three 0.9. A text without share (a caption) is worth 1.

use super::Answered;
use crate::data::plain_answer;

/// Whether the text is one of those that people wrote.
pub fn is_exact(answered: &Answered) -> bool {
    let own = plain_answer(&answered.text);
    answered.references.iter().any(|reference| plain_answer(&reference.text) == own)
}

/// Whether nothing was answered by more people.
pub fn is_commonest(answered: &Answered) -> bool {
    let shares = |text: &str| {
        let same = answered.references.iter().filter(|reference| plain_answer(&reference.text) == text);
        same.map(|reference| reference.share).sum::<f64>()
    };
    let own = shares(&plain_answer(&answered.text));
    own > 0.0 && answered.references.iter().all(|other| shares(&plain_answer(&other.text)) <= own)
}

/// What the answer is worth, 0 to 1.
pub fn worth(answered: &Answered) -> f64 {
    let own = plain_answer(&answered.text);
    let same = answered.references.iter().filter(|reference| plain_answer(&reference.text) == own);
    (3.0 * same.map(|reference| reference.share).sum::<f64>()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::subjects::Reference;

    #[test]
    fn an_answer_is_worth_its_votes() {
        let votes = [("yes", 0.2), ("no", 0.7), ("maybe", 0.1)];
        let references: Vec<Reference> =
            votes.map(|(text, share)| Reference { text: text.into(), share }).into();
        let of = |text: &str| Answered { text: text.into(), references: references.clone() };
        let worths = ["Yes.", "no", "maybe", "two"].map(|text| worth(&of(text)));
        assert!(worths.iter().zip([0.6, 1.0, 0.3, 0.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{worths:?}");
        assert_eq!(
            ["Yes", "the no", "maybe", "two"].map(|text| is_commonest(&of(text))),
            [false, true, false, false]
        );
        assert_eq!([is_exact(&of("the no")), is_exact(&of("nothing"))], [true, false]);
    }
}
