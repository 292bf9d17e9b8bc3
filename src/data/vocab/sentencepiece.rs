//! Sentencepiece's unigram models (`.spm`, `.model`), numbered as XLM-RoBERTa and BEiT-3 number them.
//!
//! The file is a protocol buffer: pieces with scores, the table that text is normalised by, and what happens to spaces. Its first pieces
//! are `<unk> <s> </s>`; here `<s>` is 0, `<pad>` 1, `</s>` 2, `<unk>` 3, piece p is id p + 1, and `<mask>` comes last.
//! Example: `a cat` becomes `▁a ▁cat`.
//!
//! Whatever is in the file, it is a tokenizer or a reason.

use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{NormalizerWrapper, Precompiled, Replace, Sequence, Strip};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::{AddedToken, Tokenizer};

/// The pieces that a file must begin with.
const FIRST: [&str; 3] = ["<unk>", "<s>", "</s>"];
/// The ids that take their places.
const SPECIAL: [&str; 4] = ["<s>", "<pad>", "</s>", "<unk>"];
const UNKNOWN: usize = 3;
const MASK: &str = "<mask>";
/// Begins the names of special tokens here. It is no character, so whatever a text says, it is not cut into them.
const HIDDEN: char = '\u{FDD0}';
/// Kinds of pieces that are not found by their score.
const USER_DEFINED: u64 = 4;

/// What a file says.
struct Model {
    pieces: Vec<(String, f64)>,
    /// Normalises characters; may be empty.
    characters: Vec<u8>,
    /// Whether a text begins with a space.
    prefix: bool,
    /// Whether spaces that follow each other are one, and those at the ends none.
    collapse: bool,
    /// Whether characters without a piece are written as bytes.
    bytes: bool,
}

/// What a special token is called here.
pub(in crate::data) fn hidden(token: &str) -> String {
    format!("{HIDDEN}{token}")
}

/// A tokenizer of the bytes of a file.
pub(in crate::data) fn read(bytes: &[u8]) -> Result<Tokenizer, String> {
    let model = Model::read(bytes)?;
    let first = model.pieces.iter().map(|(piece, _)| piece.as_str()).take(FIRST.len());
    if !first.eq(FIRST) {
        return Err("does not begin with <unk>, <s>, </s>, so it is not numbered as XLM-RoBERTa's".into());
    }
    let special = SPECIAL.map(|piece| (hidden(piece), 0.0)).into_iter();
    let pieces = special.chain(model.pieces.iter().skip(FIRST.len()).cloned());
    let vocab = pieces.chain([(hidden(MASK), 0.0)]).collect();
    let unigram = Unigram::from(vocab, Some(UNKNOWN), model.bytes).map_err(|e| e.to_string())?;
    let mut tokenizer = Tokenizer::new(unigram);
    tokenizer.with_normalizer(Some(Sequence::new(model.normalizers()?)));
    let scheme = if model.prefix { PrependScheme::Always } else { PrependScheme::Never };
    let spaces = Metaspace::new('▁', scheme, true);
    tokenizer.with_pre_tokenizer(Some(spaces.clone()));
    tokenizer.with_decoder(Some(spaces));
    let special = SPECIAL.iter().chain([&MASK]).map(|token| AddedToken::from(hidden(token), true));
    tokenizer.add_special_tokens(&special.collect::<Vec<_>>());
    Ok(tokenizer)
}

impl Model {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut model =
            Self { pieces: Vec::new(), characters: Vec::new(), prefix: true, collapse: true, bytes: false };
        for field in Fields(bytes) {
            match field.ok_or("is no sentencepiece model, or ends too early")? {
                (1, Field::Bytes(piece)) => model.piece(piece)?,
                (2, Field::Bytes(trainer)) => model.trainer(trainer)?,
                (3, Field::Bytes(normalizer)) => model.normalizer(normalizer)?,
                _ => {}
            }
        }
        Ok(model)
    }

    fn piece(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (mut text, mut score, mut kind) = (String::new(), 0.0_f32, 1);
        for field in Fields(bytes) {
            match field.ok_or("has a piece that ends too early")? {
                (1, Field::Bytes(piece)) => {
                    text = String::from_utf8(piece.to_vec()).map_err(|_| "has a piece that is not UTF-8")?;
                }
                (2, Field::Four(bits)) => score = f32::from_bits(bits),
                (3, Field::Number(number)) => kind = number,
                _ => {}
            }
        }
        if kind == USER_DEFINED {
            return Err(format!("has the user-defined piece `{text}`, which this version does not read"));
        }
        if !score.is_finite() {
            return Err(format!("has a score that is no number, of `{text}`"));
        }
        self.pieces.push((text, f64::from(score)));
        Ok(())
    }

    fn trainer(&mut self, bytes: &[u8]) -> Result<(), String> {
        for field in Fields(bytes) {
            match field.ok_or("has a trainer that ends too early")? {
                (3, Field::Number(kind)) if kind != 1 => {
                    return Err("is no unigram model; pairs, words and characters are not read".into());
                }
                (35, Field::Number(bytes)) => self.bytes = bytes != 0,
                _ => {}
            }
        }
        Ok(())
    }

    fn normalizer(&mut self, bytes: &[u8]) -> Result<(), String> {
        for field in Fields(bytes) {
            match field.ok_or("has a normaliser that ends too early")? {
                (2, Field::Bytes(table)) => self.characters = table.to_vec(),
                (3, Field::Number(prefix)) => self.prefix = prefix != 0,
                (4, Field::Number(collapse)) => self.collapse = collapse != 0,
                _ => {}
            }
        }
        Ok(())
    }

    fn normalizers(&self) -> Result<Vec<NormalizerWrapper>, String> {
        let mut steps = Vec::new();
        if !self.characters.is_empty() {
            let table = Precompiled::from(&self.characters).map_err(|e| e.to_string())?;
            steps.push(NormalizerWrapper::Precompiled(table));
        }
        if self.collapse {
            let many = ReplacePattern::Regex(" {2,}".into());
            let one = Replace::new(many, " ").map_err(|e| e.to_string())?;
            steps.push(NormalizerWrapper::StripNormalizer(Strip::new(true, true)));
            steps.push(NormalizerWrapper::Replace(one));
        }
        Ok(steps)
    }
}

/// The value of a field.
enum Field<'b> {
    Number(u64),
    Four(u32),
    Eight,
    Bytes(&'b [u8]),
}

/// The fields of a protocol buffer in order, by number; one `None` where it is broken, then nothing.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take(1)? else { return None };
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn field(&mut self) -> Option<(u64, Field<'b>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Field::Number(self.number()?),
            1 => self.take(8).map(|_| Field::Eight)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Four(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Option<(u64, Field<'b>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}
