//! Texts become a WordPiece vocabulary: every letter that occurs, then one after the other the join that occurs most often.
//!
//! Pieces are learned as byte pairs are (Sennrich et al., 2016), on words as BERT cleans and cuts them; this is how the Hugging Face
//! library makes vocabularies of BERT's kind. Invariant: the same texts give the same pieces in the same order, whatever the order of the
//! texts, and none twice.
//!
//! ```
//! use chiasm::data::learn_pieces;
//! let pieces = learn_pieces("mine", &["red sky", "red bed"], 18)?;
//! assert_eq!(pieces[..5], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
//! assert!(pieces.contains(&"red".to_string()) && !pieces.contains(&"sky".to_string()));
//! # Ok::<(), chiasm::data::Error>(())
//! ```

use std::collections::BTreeSet;

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, Trainer,
};

use super::bert;
use crate::data::Error;

/// Tokens that no text contains, first in every vocabulary.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
/// In front of a piece that does not begin a word.
const INSIDE: &str = "##";

/// `size` pieces for the vocabulary `name`, in the order of their ids, special tokens among them.
///
/// # Errors
/// `Vocabulary` if the texts have more letters than `size`, or too few words for it.
pub fn learn_pieces(name: &str, texts: &[&str], size: usize) -> Result<Vec<String>, Error> {
    let fail = |reason: String| Error::Vocabulary { name: name.into(), reason };
    let letters = letters(texts);
    let least = SPECIAL.len() + letters.len();
    if size < least {
        return Err(fail(format!(
            "{size} pieces are too few, as letters alone are {least}; say `size: {least}` or more"
        )));
    }
    let mut model = BPE::default();
    let mut trainer = trainer(&letters, size);
    let fed = trainer.feed(texts.iter(), |text| Ok(words(text)));
    fed.and_then(|()| trainer.train(&mut model)).map_err(|error| fail(error.to_string()))?;
    let mut pieces: Vec<(u32, String)> =
        model.get_vocab().into_iter().map(|(piece, id)| (id, piece)).collect();
    pieces.sort_unstable();
    match pieces.len() {
        n if n == size => Ok(pieces.into_iter().map(|(_, piece)| piece).collect()),
        n => Err(fail(format!("the texts give only {n} pieces; say `size: {n}`"))),
    }
}

/// The words of a text as BERT cuts it.
fn words(text: &str) -> Vec<String> {
    let mut normalized = NormalizedString::from(text);
    // Neither step can fail on text that is UTF-8.
    let _ = bert::normalizer().normalize(&mut normalized);
    let mut cut = PreTokenizedString::from(normalized);
    let _ = bert::pre_tokenizer().pre_tokenize(&mut cut);
    let pieces = cut.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    pieces.into_iter().map(|(word, _, _)| word.to_string()).collect()
}

/// Every letter as a piece of its own, those inside of words too.
fn letters(texts: &[&str]) -> Vec<String> {
    let (mut all, mut inside) = (BTreeSet::new(), BTreeSet::new());
    for word in texts.iter().flat_map(|text| words(text)) {
        all.extend(word.chars());
        inside.extend(word.chars().skip(1));
    }
    let inside = inside.into_iter().map(|letter| format!("{INSIDE}{letter}"));
    all.into_iter().map(String::from).chain(inside).collect()
}

/// Letters are given as special tokens: the trainer would number them by the order of a hash table.
fn trainer(letters: &[String], size: usize) -> BpeTrainer {
    let given = SPECIAL.into_iter().chain(letters.iter().map(String::as_str));
    BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(size)
        .continuing_subword_prefix(INSIDE.into())
        .special_tokens(given.map(|token| AddedToken::from(token, true)).collect())
        .build()
}

#[cfg(test)]
mod tests {
    use super::learn_pieces;

    const TEXTS: [&str; 4] =
        ["The Café's red door", "a red, red rose", "roses are red; doors aren't", "狗 a dog"];

    #[test]
    fn the_same_texts_give_the_same_pieces() {
        let once = learn_pieces("mine", &TEXTS, 46).expect("learns");
        let backwards: Vec<&str> = TEXTS.into_iter().rev().collect();
        for _ in 0..8 {
            assert_eq!(learn_pieces("mine", &TEXTS, 46).expect("learns"), once);
            assert_eq!(learn_pieces("mine", &backwards, 46).expect("learns"), once);
        }
    }

    #[test]
    fn sizes_that_do_not_fit_say_which_do() {
        let few = learn_pieces("mine", &TEXTS, 10).expect_err("has more letters").to_string();
        assert!(few.contains("say `size: "), "{few}");
        let many = learn_pieces("mine", &TEXTS, 5000).expect_err("has fewer words").to_string();
        let size: usize =
            many.split("size: ").nth(1).and_then(|n| n.trim_end_matches('`').parse().ok()).expect("a size");
        assert!(learn_pieces("mine", &TEXTS, size).is_ok_and(|pieces| pieces.len() == size));
        assert!(learn_pieces("mine", &[], 5).is_ok_and(|pieces| pieces.len() == 5));
    }
}
