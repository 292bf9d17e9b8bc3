//! Vocabularies: text becomes ids, first token in front, last token behind, cut to a length.
//!
//! Built in are `WordPiece("bert-base-uncased")`, `WordPiece("scenes")` with the words of drawn scenes only, and `Bpe("clip")`. Other
//! names are files below a `--data` folder: `tokenizers/NAME/tokenizer.json`, `tokenizers/NAME/vocab.txt` for WordPiece,
//! `tokenizers/NAME/NAME.spm` or `NAME.model` for SentencePiece; `NAME/...` is tried as well.
//!
//! CLIP pads with 0, as OpenAI's code does: its text tower is causal and reads the last used place, so padding is never looked at.
//!
//! Invariant: `encode` always gives `length` ids; the used ones begin with `cls` and end with `sep`, however long or odd the text is.
//!
//! ```
//! use chiasm::data::{Kind, Library, Vocabulary};
//! let words = Vocabulary::open(Kind::WordPiece, "bert-base-uncased", &["[DEC]".into()], &Library::default())?;
//! assert_eq!(words.encode("A cat.", 8), (vec![101, 1037, 4937, 1012, 102, 0, 0, 0], 5));
//! assert_eq!((words.size(), words.id("[DEC]")), (30523, Some(30522)));
//! # Ok::<(), chiasm::data::Error>(())
//! ```

use std::fs;
use std::path::Path;

use tokenizers::{AddedToken, ModelWrapper, Tokenizer};

use super::clean::clean;
use super::vocab::{bert, clip, sentencepiece};
use super::{Column, Error, Library, Values};

/// Begins a piece that begins a word, where spaces are part of pieces.
const SPACE: char = '▁';

/// How a vocabulary cuts words, as the language names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// BERT's pieces.
    WordPiece,
    /// Byte pairs.
    Bpe,
    /// Sentencepiece's, the likeliest pieces.
    SentencePiece,
}

/// The words of a language model and their ids.
#[derive(Debug)]
pub struct Vocabulary {
    name: String,
    tokenizer: Tokenizer,
    size: usize,
    special: Special,
    /// OpenAI's cleaning comes first.
    cleaned: bool,
}

/// Ids with a meaning of their own.
#[derive(Clone, Copy, Debug)]
struct Special {
    pad: i32,
    cls: i32,
    sep: i32,
    mask: Option<i32>,
    unk: Option<i32>,
}

impl Vocabulary {
    /// Opens a vocabulary; `extra` tokens get ids after all others, in order. One of letters and digits is a word as any other;
    /// one with other characters, as `[DEC]`, is special: it is found anywhere and left out of what is decoded.
    ///
    /// # Errors
    /// `NoVocabulary` if the name is neither built in nor a file, `Vocabulary` or `Read` if the file cannot be used or has an
    /// extra token already.
    pub fn open(kind: Kind, name: &str, extra: &[String], library: &Library) -> Result<Self, Error> {
        let fail = |reason: String| Error::Vocabulary { name: name.into(), reason };
        let built_in = match (kind, name) {
            (Kind::WordPiece, name) => bert::built_in(name),
            (Kind::Bpe, "clip") => Some(clip::built_in()),
            (Kind::Bpe | Kind::SentencePiece, _) => None,
        };
        if let Some(tokenizer) = built_in {
            return Self::finish(name, tokenizer.map_err(fail)?, extra, kind == Kind::Bpe);
        }
        let [spm, model] = ["spm", "model"].map(|ending| format!("{name}.{ending}"));
        let files: &[&str] = match kind {
            Kind::WordPiece => &["tokenizer.json", "vocab.txt"],
            Kind::Bpe => &["tokenizer.json"],
            Kind::SentencePiece => &[&spm, &model, "sentencepiece.bpe.model", "tokenizer.json"],
        };
        Self::read(&library.tokenizer_file(name, files)?, name, extra)
    }

    /// Reads a `tokenizer.json`, a WordPiece `vocab.txt`, or a `.spm` or `.model` of sentencepiece.
    ///
    /// # Errors
    /// `Read` or `Vocabulary`.
    pub fn read(path: &Path, name: &str, extra: &[String]) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let fail = |reason: String| Error::Vocabulary { name: path.display().to_string(), reason };
        let tokenizer = match path.extension().and_then(|ending| ending.to_str()) {
            Some("json") => Tokenizer::from_bytes(&bytes).map_err(|e| fail(e.to_string()))?,
            Some("spm" | "model") => sentencepiece::read(&bytes).map_err(fail)?,
            _ => {
                let text = String::from_utf8(bytes).map_err(|e| fail(format!("is not UTF-8: {e}")))?;
                bert::from_words(&text).map_err(fail)?
            }
        };
        Self::finish(name, tokenizer, extra, false)
    }

    fn finish(name: &str, mut tokenizer: Tokenizer, extra: &[String], cleaned: bool) -> Result<Self, Error> {
        // Padding and cutting are the batch's business, not the file's.
        tokenizer.with_padding(None);
        let _ = tokenizer.with_truncation(None);
        let special = Special::find(&tokenizer).ok_or_else(|| Error::Vocabulary {
            name: name.into(),
            reason:
                "has no first and last token: neither [CLS] [SEP], <s> </s> nor <|startoftext|> <|endoftext|>"
                    .into(),
        })?;
        if let Some(known) = extra.iter().find(|token| tokenizer.token_to_id(token).is_some()) {
            let reason = format!("has the token `{known}` already: leave it out of `extra`");
            return Err(Error::Vocabulary { name: name.into(), reason });
        }
        tokenizer.add_tokens(&extra.iter().map(|token| extra_token(token)).collect::<Vec<_>>());
        let size = tokenizer.get_vocab_size(true);
        Ok(Self { name: name.into(), tokenizer, size, special, cleaned })
    }

    /// As the model names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many ids there are, extra tokens included.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Fills unused places.
    pub fn pad(&self) -> i32 {
        self.special.pad
    }

    /// The first token of every text.
    pub fn cls(&self) -> i32 {
        self.special.cls
    }

    /// The last token of every text.
    pub fn sep(&self) -> i32 {
        self.special.sep
    }

    /// Hides a word, if the vocabulary has such a token.
    pub fn mask(&self) -> Option<i32> {
        self.special.mask
    }

    /// Stands for what cannot be written with the vocabulary, if there is such a token.
    pub fn unk(&self) -> Option<i32> {
        self.special.unk
    }

    /// The id of a token, `"[DEC]"` for example.
    pub fn id(&self, token: &str) -> Option<i32> {
        named(&self.tokenizer, token)
    }

    /// `length` ids, padded, and how many of them are used. A longer text loses its end but keeps the last token.
    pub fn encode(&self, text: &str, length: usize) -> (Vec<i32>, usize) {
        let mut ids = self.tokens(text, length);
        let used = ids.len();
        ids.resize(length, self.pad());
        (ids, used)
    }

    /// The used ids only, at most `length` of them.
    pub fn tokens(&self, text: &str, length: usize) -> Vec<i32> {
        let cleaned = if self.cleaned { clean(text) } else { String::new() };
        let text = if self.cleaned { &cleaned } else { text };
        let inner = self.tokenizer.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec());
        let inner = inner.unwrap_or_default();
        let mut ids = Vec::with_capacity(inner.len() + 2);
        ids.push(self.cls());
        ids.extend(inner.into_iter().take(length.saturating_sub(2)).map(|id| id as i32));
        ids.push(self.sep());
        ids.truncate(length);
        ids
    }

    /// For every id 1 where it begins a word; for byte pairs, where it ends one.
    pub fn word_marks(&self) -> Vec<f32> {
        let spaced = matches!(self.tokenizer.get_model(), ModelWrapper::Unigram(_));
        let special = self.tokenizer.get_added_vocabulary();
        let marks = |token: String| match (spaced, self.cleaned) {
            (true, _) => token.starts_with(SPACE) || special.is_special_token(&token),
            (_, true) => token.ends_with("</w>") && !token.starts_with("##"),
            _ => !token.starts_with("##"),
        };
        let of = |id: u32| self.tokenizer.id_to_token(id).is_some_and(marks);
        (0..self.size as u32).map(|id| f32::from(u8::from(of(id)))).collect()
    }

    /// The text of ids, without special tokens.
    pub fn decode(&self, ids: &[i32]) -> String {
        let ids: Vec<u32> = ids.iter().filter_map(|id| u32::try_from(*id).ok()).collect();
        self.tokenizer.decode(&ids, true).unwrap_or_default()
    }

    /// Texts as a column `[n, length]` with lengths.
    ///
    /// # Errors
    /// `Wish` if `length` is below 2.
    pub fn column(&self, name: &str, texts: &[&str], length: usize) -> Result<Column, Error> {
        if length < 2 {
            let reason = "a text has at least two places, the first and last token".into();
            return Err(Error::Wish { name: name.into(), reason });
        }
        let mut ids = Vec::with_capacity(texts.len() * length);
        let mut lengths = Vec::with_capacity(texts.len());
        for text in texts {
            let (row, used) = self.encode(text, length);
            ids.extend(row);
            lengths.push(used as i32);
        }
        let dims = vec![texts.len(), length];
        Ok(Column { name: name.into(), dims, values: Values::Ids(ids), lengths: Some(lengths) })
    }
}

/// A token that the vocabulary lacks: a word, which is no part of longer ones and is written when decoding, or a special token.
fn extra_token(token: &str) -> AddedToken {
    let word = token.chars().all(char::is_alphanumeric);
    AddedToken::from(token, !word).single_word(word)
}

/// The id of a token under its own name, or that of sentencepiece's special ones.
fn named(tokenizer: &Tokenizer, token: &str) -> Option<i32> {
    let id = tokenizer.token_to_id(token).or_else(|| tokenizer.token_to_id(&sentencepiece::hidden(token)));
    id.and_then(|id| i32::try_from(id).ok())
}

impl Special {
    fn find(tokenizer: &Tokenizer) -> Option<Self> {
        let id = |token: &str| named(tokenizer, token);
        let pairs = [("[CLS]", "[SEP]"), ("<|startoftext|>", "<|endoftext|>"), ("<s>", "</s>")];
        let (cls, sep) = pairs.into_iter().find_map(|(first, last)| Some((id(first)?, id(last)?)))?;
        Some(Self {
            pad: id("[PAD]").or_else(|| id("<pad>")).unwrap_or(0),
            cls,
            sep,
            mask: id("[MASK]").or_else(|| id("<mask>")),
            unk: id("[UNK]").or_else(|| id("<unk>")),
        })
    }
}
