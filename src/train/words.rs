//! A vocabulary that a model names, opened, and compared with what the model counts on: its size and its special tokens.
//!
//! Invariant: no id that the model was compiled with means another token in the file.
//!
//! ```
//! use chiasm::{data::Library, lower::model, train::words::words};
//! let kind = model::VocabularyKind::WordPiece;
//! let scenes = model::Vocabulary { kind, name: "scenes".into(), extra: vec![], size: Some(50), special: None };
//! let error = words(&scenes, &Library::default()).unwrap_err();
//! assert_eq!(error, "vocabulary scenes: has 54 pieces, but the model says `size: 50`");
//! ```

use crate::data::{Error, Kind, Library, Vocabulary};
use crate::lower::model::{self, VocabularyKind};
use crate::lower::vocabulary::{FIELDS, special};
use std::sync::Arc;

/// Opens a vocabulary as the file names it.
///
/// # Errors
/// It is not there, cannot be read, or is another than the model counts on.
pub fn words(named: &model::Vocabulary, library: &Library) -> Result<Arc<Vocabulary>, String> {
    let kind = match named.kind {
        VocabularyKind::WordPiece => Kind::WordPiece,
        VocabularyKind::Bpe => Kind::Bpe,
        VocabularyKind::SentencePiece => Kind::SentencePiece,
    };
    let opened =
        Vocabulary::open(kind, &named.name, &named.extra, library).map_err(|error| error.to_string())?;
    match size_differs(named, &opened).or_else(|| special_differs(named, &opened)) {
        None => Ok(Arc::new(opened)),
        Some(reason) => Err(Error::Vocabulary { name: named.name.clone(), reason }.to_string()),
    }
}

/// A table may have more rows than there are pieces, unless extra tokens follow: those would have other ids.
fn size_differs(named: &model::Vocabulary, opened: &Vocabulary) -> Option<String> {
    let (said, found) = (named.size?, opened.size() - named.extra.len());
    let fits = if named.extra.is_empty() { found <= said } else { found == said };
    (!fits).then(|| format!("has {found} pieces, but the model says `size: {said}`"))
}

/// CLIP's file calls no token unknown: what it cannot write does not occur.
fn special_differs(named: &model::Vocabulary, opened: &Vocabulary) -> Option<String> {
    let said = special(named)?;
    let id = |token: Option<i32>, none: i64| token.map_or(none, i64::from);
    let found = [
        opened.pad().into(),
        opened.cls().into(),
        opened.sep().into(),
        id(opened.mask(), -1),
        id(opened.unk(), said[4]),
    ];
    let at = (0..FIELDS.len()).find(|at| said[*at] != found[*at])?;
    Some(format!(
        "`{}` is {}, but the model counts on {}; say `special: {found:?}`, the ids of {} (-1: none)",
        FIELDS[at],
        found[at],
        said[at],
        FIELDS.join(", "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_as_the_compiler_knows_it() {
        let known = [
            (VocabularyKind::WordPiece, "bert-base-uncased", None),
            (VocabularyKind::WordPiece, "scenes", None),
            (VocabularyKind::Bpe, "clip", None),
            (VocabularyKind::Bpe, "clip", Some(49408)),
        ];
        for (kind, name, size) in known {
            let named = model::Vocabulary { kind, name: name.into(), extra: vec![], size, special: None };
            let opened = words(&named, &Library::default()).expect("opens");
            assert_eq!(opened.size(), crate::lower::vocabulary::size(&named), "{name}");
        }
    }
}
