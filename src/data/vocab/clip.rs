//! CLIP's byte pairs: 256 bytes, the same at the end of a word, 48,894 merges, start and end of text.
//!
//! Ids follow the order of the file's merges. Example: `a photo` becomes `a</w> photo</w>`, 320 1125.

use std::io::Read;

use flate2::read::GzDecoder;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;
use tokenizers::{AddedToken, Tokenizer, decoders};

const MERGES: &[u8] = include_bytes!("bpe_simple_vocab_16e6.txt.gz");
/// Lines of the file that count; the rest was for a larger vocabulary.
const COUNT: usize = 49_152 - 256 - 2;
const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
const WORDS: &str =
    r"(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

pub(in crate::data) fn built_in() -> Result<Tokenizer, String> {
    let (vocab, merges) = tables()?;
    let model = BPE::builder()
        .vocab_and_merges(vocab, merges)
        .unk_token(END.into())
        .end_of_word_suffix("</w>".into())
        .build()
        .map_err(|e| e.to_string())?;
    let mut tokenizer = Tokenizer::new(model);
    let pattern = SplitPattern::Regex(WORDS.into());
    let split = Split::new(pattern, SplitDelimiterBehavior::Removed, true).map_err(|e| e.to_string())?;
    let bytes = ByteLevel::new(false, true, false);
    let steps = vec![PreTokenizerWrapper::Split(split), PreTokenizerWrapper::ByteLevel(bytes)];
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    tokenizer.with_decoder(Some(decoders::bpe::BPEDecoder::new("</w>".into())));
    tokenizer.add_special_tokens(&[AddedToken::from(START, true), AddedToken::from(END, true)]);
    Ok(tokenizer)
}

fn tables() -> Result<(Vocab, Merges), String> {
    let mut text = String::new();
    GzDecoder::new(MERGES).read_to_string(&mut text).map_err(|e| e.to_string())?;
    let lines = text.lines().skip(1).take(COUNT);
    let merges: Merges = lines
        .map(|line| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())))
        .collect::<Option<_>>()
        .ok_or("has a line that is no pair")?;
    let bytes: Vec<String> = byte_letters().map(String::from).collect();
    let ends = bytes.iter().map(|letter| format!("{letter}</w>"));
    let merged = merges.iter().map(|(a, b)| format!("{a}{b}"));
    let special = [START, END].into_iter().map(String::from);
    let words = bytes.iter().cloned().chain(ends).chain(merged).chain(special);
    Ok((words.enumerate().map(|(id, word)| (word, id as u32)).collect(), merges))
}

/// A visible letter for every byte: those that are visible first, the others from U+0100 on.
fn byte_letters() -> impl Iterator<Item = char> {
    let visible = (b'!'..=b'~').chain(0xA1..=0xAC).chain(0xAE..=0xFF).map(char::from);
    visible.chain((0x100..0x144).filter_map(char::from_u32))
}
