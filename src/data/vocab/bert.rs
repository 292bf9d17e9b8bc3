//! BERT's WordPiece: one token a line; text is cleaned, lower-cased and freed of accents, then cut into the longest known pieces.
//!
//! Example: `embeddings` becomes `em ##bed ##ding ##s`.

use std::collections::HashSet;

use tokenizers::models::bpe::Vocab;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, Model, Tokenizer, decoders};

const UNCASED: &str = include_str!("bert-base-uncased.txt");
/// The words of the captions of the built-in scenes, and none else.
const SCENES: &str = include_str!("scenes.txt");

/// The vocabularies that are part of the program, by name.
pub(in crate::data) fn built_in(name: &str) -> Option<Result<Tokenizer, String>> {
    match name {
        "bert-base-uncased" => Some(from_words(UNCASED)),
        "scenes" => Some(from_words(SCENES)),
        _ => None,
    }
}

/// A tokenizer of the words of a `vocab.txt`.
pub(in crate::data) fn from_words(text: &str) -> Result<Tokenizer, String> {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    if let Some(missing) = ["[UNK]", "[CLS]", "[SEP]"].into_iter().find(|token| !lines.contains(token)) {
        return Err(format!("is no WordPiece vocabulary: it lacks {missing}"));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = lines.iter().find(|line| !seen.insert(**line)) {
        return Err(format!("has `{twice}` twice"));
    }
    let words: Vocab = lines.iter().enumerate().map(|(id, word)| ((*word).to_owned(), id as u32)).collect();
    let model =
        WordPiece::builder().vocab(words).unk_token("[UNK]".into()).max_input_chars_per_word(100).build();
    let mut tokenizer = Tokenizer::new(model.map_err(|e| e.to_string())?);
    tokenizer.with_normalizer(Some(normalizer()));
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer()));
    tokenizer.with_decoder(Some(decoders::wordpiece::WordPiece::default()));
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].into_iter();
    let known: Vec<AddedToken> = special
        .filter(|token| tokenizer.get_model().token_to_id(token).is_some())
        .map(|token| AddedToken::from(token, true))
        .collect();
    tokenizer.add_special_tokens(&known);
    Ok(tokenizer)
}

/// Cleans text, lower-cases it and takes accents away.
pub(super) fn normalizer() -> BertNormalizer {
    BertNormalizer::new(true, true, None, true)
}

/// Cuts text at spaces and around every sign.
pub(super) fn pre_tokenizer() -> BertPreTokenizer {
    BertPreTokenizer
}
