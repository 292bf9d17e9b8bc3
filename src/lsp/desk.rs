//! What lies on the desk: open documents, and what is known of each.
//!
//! Invariant: `known` has documents that are open only. A place of the newest text is looked up in the newest analysis, and
//! if that knows nothing, in the last one whose text could be read; [`carry`] finds it there.

use super::document::Document;
use super::library;
use super::position::carry;
use super::protocol::At;
use crate::lower::analysis::Analysis;
use chiasm_dsl::span::{FileId, Span};
use chiasm_dsl::token::{Kind, Token, read};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a question waits for the first analysis of its document.
const PATIENCE: Duration = Duration::from_millis(500);

/// Everything about the open documents.
#[derive(Debug, Default)]
pub struct Desk {
    /// By address.
    pub documents: BTreeMap<String, Document>,
    /// What is known of them.
    pub known: BTreeMap<String, Known>,
    /// Documents that have been checked at least once, even if nothing is known of them.
    pub checked: BTreeSet<String>,
    /// The newest analysis of any document: what is known of the library.
    pub last: Option<Arc<Analysis>>,
}

/// What is known of a document.
#[derive(Debug)]
pub struct Known {
    /// The newest analysis.
    pub newest: Arc<Analysis>,
    /// The newest one of a text that could be read.
    pub readable: Arc<Analysis>,
}

/// A place in an analysis.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// What is known.
    pub analysis: &'a Analysis,
    /// The file.
    pub file: FileId,
    /// The byte.
    pub at: usize,
    /// Whether the text there is the one that the editor shows.
    pub exact: bool,
}

impl Desk {
    /// Forgets a document; whether it was there.
    pub fn close(&mut self, uri: &str) -> bool {
        self.known.remove(uri);
        self.checked.remove(uri);
        self.documents.remove(uri).is_some()
    }

    /// Takes over a new analysis.
    pub fn learn(&mut self, uri: &str, analysis: Arc<Analysis>) {
        self.last = Some(analysis.clone());
        match self.known.get_mut(uri) {
            Some(known) => {
                if analysis.readable {
                    known.readable = analysis.clone();
                }
                known.newest = analysis;
            }
            None => {
                let known = Known { newest: analysis.clone(), readable: analysis };
                self.known.insert(uri.to_string(), known);
            }
        }
    }

    /// A place in everything that is known of its document, the newest first.
    pub fn spots(&self, at: &At) -> Vec<Spot<'_>> {
        let Some(document) = self.documents.get(&at.text_document.uri) else { return Vec::new() };
        let place = document.offset(at.position);
        let found: Vec<(&Analysis, FileId)> = match self.known.get(&at.text_document.uri) {
            Some(Known { newest, readable }) => {
                let older = (!Arc::ptr_eq(newest, readable)).then_some((&**readable, readable.main()));
                std::iter::once((&**newest, newest.main())).chain(older).collect()
            }
            None => self.in_library(document).into_iter().collect(),
        };
        let spots = found.into_iter().map(|(analysis, file)| {
            let carried = carry(document.body(), &analysis.sources.file(file).text, place);
            let (exact, at) = (carried.is_ok(), carried.unwrap_or_else(|nearest| nearest));
            Spot { analysis, file, at, exact }
        });
        spots.collect()
    }

    /// A document that is a file of the library.
    fn in_library(&self, document: &Document) -> Option<(&Analysis, FileId)> {
        let (name, analysis) = (library::name(&document.path)?, self.last.as_deref()?);
        let index = analysis.sources.files().iter().position(|file| file.library && file.name == name)?;
        Some((analysis, FileId(index as u32)))
    }
}

impl<'a> Spot<'a> {
    /// The token that a place touches; of two that meet there, the one that is a word.
    pub fn token(&self) -> Option<Token> {
        let at = self.at as u32;
        let tokens = read(self.file, &self.analysis.sources.file(self.file).text).tokens;
        let touches =
            |token: &&Token| token.kind != Kind::End && token.span.start <= at && at <= token.span.end;
        let mut found: Vec<Token> = tokens.iter().filter(touches).copied().collect();
        found.sort_by_key(|token| (!is_word(token.kind), token.span.start < at && at == token.span.end));
        found.first().copied()
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &'a str {
        self.analysis.sources.text(span)
    }

    /// Where the name under a token is declared.
    pub fn declared(&self, token: Token) -> Option<Span> {
        let notes = &self.analysis.notes;
        let mentioned = notes.mentions.get(&token.span).copied();
        mentioned.or_else(|| notes.declared.contains_key(&token.span).then_some(token.span))
    }
}

/// Whether a token is a name or a reserved word.
pub fn is_word(kind: Kind) -> bool {
    matches!(kind, Kind::Name | Kind::Capital) || kind.is_reserved()
}

/// A desk that the loop and the checker share.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<(Mutex<Desk>, Condvar)>);

impl Shared {
    /// The desk. It is whole between any two statements of its users, so a panic elsewhere does not spoil it.
    pub fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for a first analysis.
    pub fn tell(&self) {
        self.0.1.notify_all();
    }

    /// Answers a question about a document, as soon as something is known of it.
    pub fn look<T>(&self, uri: &str, answer: impl FnOnce(&Desk) -> T) -> T {
        let waits = |desk: &mut Desk| {
            let open = desk.documents.get(uri);
            let library = open.is_some_and(|document| library::name(&document.path).is_some());
            open.is_some() && !library && !desk.checked.contains(uri)
        };
        let waited = self.0.1.wait_timeout_while(self.lock(), PATIENCE, waits);
        let (desk, _) = waited.unwrap_or_else(PoisonError::into_inner);
        answer(&desk)
    }
}
