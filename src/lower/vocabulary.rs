//! Vocabularies as the compiler knows them: sizes and special tokens by name (6.1).

use super::model::{Vocabulary, VocabularyKind};
use super::object::Object;
use super::state::{Eval, Lower};
use chiasm_dsl::code::Code;
use chiasm_dsl::diagnostic::{Diagnostic, nearest};
use chiasm_dsl::tree::Name;
use std::rc::Rc;

/// Tokens of the known vocabularies, extra ones not counted.
const KNOWN: &[(&str, usize)] = &[
    ("bert-base-uncased", 30522),
    ("scenes", 54),
    ("clip", 49408),
    ("beit3", 64010),
    ("coca-64k", 64000),
    ("t5-32k", 32100),
];

/// Special tokens that have a name.
pub const FIELDS: [&str; 5] = ["pad", "cls", "sep", "mask", "unk"];

/// Ids of [`FIELDS`]; -1 where a vocabulary has no such token.
const SPECIAL: &[(&str, [i64; 5])] = &[
    ("bert-base-uncased", [0, 101, 102, 103, 100]),
    ("scenes", [0, 2, 3, 4, 1]),
    ("clip", [0, 49406, 49407, -1, 49407]),
    ("beit3", [1, 0, 2, 64001, 3]),
];

/// Of pieces that `chiasm vocabulary` learned: `[PAD] [UNK] [CLS] [SEP] [MASK]` come first.
const LEARNED: [i64; 5] = [0, 2, 3, 4, 1];

/// How many ids a vocabulary has.
pub fn size(vocabulary: &Vocabulary) -> usize {
    let known = KNOWN.iter().find(|(name, _)| *name == vocabulary.name).map(|(_, size)| *size);
    vocabulary.size.or(known).unwrap_or(0) + vocabulary.extra.len()
}

/// Ids of [`FIELDS`]: as the file says, as is known, or as learned pieces have them; -1 where there is no such token.
pub fn special(vocabulary: &Vocabulary) -> Option<[i64; 5]> {
    let known = SPECIAL.iter().find(|(name, _)| *name == vocabulary.name).map(|(_, ids)| *ids);
    let learned = vocabulary.size.is_some() && vocabulary.kind == VocabularyKind::WordPiece;
    vocabulary.special.or(known).or_else(|| learned.then_some(LEARNED))
}

/// Ids of the special tokens, extra ones with them, if they are known.
pub fn special_ids(vocabulary: &Vocabulary) -> Option<Vec<i64>> {
    let mut ids = special(vocabulary)?.to_vec();
    let all = size(vocabulary) as i64;
    ids.extend(all - vocabulary.extra.len() as i64..all);
    ids.retain(|id| *id >= 0);
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

/// Names of the vocabularies whose sizes are known.
pub fn known() -> Vec<&'static str> {
    KNOWN.iter().map(|(name, _)| *name).collect()
}

/// What may stand behind the dot of a vocabulary, with its value.
pub fn fields(vocabulary: &Vocabulary) -> Vec<(String, String)> {
    let ids = special(vocabulary).into_iter().flat_map(|ids| FIELDS.iter().zip(ids));
    let ids = ids.filter(|(_, id)| *id >= 0).map(|(name, id)| (name.to_string(), id.to_string()));
    let token = ("id".to_string(), "id(\"…\"): an extra token".to_string());
    let size = ("size".to_string(), size(vocabulary).to_string());
    std::iter::once(size).chain(ids).chain([token]).collect()
}

impl<'p> Lower<'p> {
    /// `V.size`, `V.cls` ...
    pub fn vocabulary_field(&mut self, vocabulary: &Rc<Vocabulary>, name: &Name) -> Eval<Object<'p>> {
        if name.text == "size" {
            return Ok(Object::whole(size(vocabulary) as i64));
        }
        if name.text == "id" {
            return Ok(Object::TokenId(vocabulary.clone()));
        }
        let Some(field) = FIELDS.iter().position(|f| *f == name.text) else {
            let message = format!("a vocabulary has no field `{}`", name.text);
            let near = nearest(&name.text, FIELDS).map(|n| format!("did you mean `{n}`?"));
            let error = Diagnostic::error(Code::E0213, name.span, message).notes(near);
            return self.report(error.note("its fields: size, pad, cls, sep, mask, unk, id(\"…\")"));
        };
        let message = match special(vocabulary).map(|ids| ids[field]) {
            Some(id) if id >= 0 => return Ok(Object::whole(id)),
            Some(_) => format!("the vocabulary {} has no token `{}`", vocabulary.name, name.text),
            None => format!("the id of `{}` in the vocabulary {} is not known", name.text, vocabulary.name),
        };
        self.fail(Code::E0213, name.span, message)
    }

    /// `V.id("[DEC]")`: an extra token.
    pub fn token_id(
        &mut self,
        vocabulary: &Vocabulary,
        token: &str,
        span: chiasm_dsl::span::Span,
    ) -> Eval<Object<'p>> {
        match vocabulary.extra.iter().position(|t| t == token) {
            Some(index) => Ok(Object::whole((size(vocabulary) - vocabulary.extra.len() + index) as i64)),
            None => {
                let message = format!("unknown special token `{token}` of {}", vocabulary.name);
                let near = nearest(token, vocabulary.extra.iter().map(String::as_str))
                    .map(|n| format!("did you mean `{n}`?"));
                self.report(Diagnostic::error(Code::E0213, span, message).notes(near))
            }
        }
    }

    /// `WordPiece(name, extra: […])` and its kin.
    pub fn vocabulary(
        &mut self,
        kind: VocabularyKind,
        name: String,
        extra: Vec<String>,
        (size, special): (Option<usize>, Option<[i64; 5]>),
        span: chiasm_dsl::span::Span,
    ) -> Eval<Object<'p>> {
        if size.is_none() && !known().contains(&name.as_str()) {
            let message = format!("the size of the vocabulary `{name}` is not known");
            let near = nearest(&name, known()).map(|n| format!("did you mean `{n}`?"));
            let error = Diagnostic::error(Code::E0314, span, message).notes(near);
            return self.report(error.note("say how many ids it has, as in WordPiece(\"mine\", size: 8000)"));
        }
        Ok(Object::Vocabulary(Rc::new(Vocabulary { kind, name, extra, size, special })))
    }
}
