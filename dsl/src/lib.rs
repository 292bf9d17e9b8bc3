//! The Chiasm language: text to tree, text to its one form.
//!
//! ```text
//!  text ──token──▶ tokens ──parse──▶ tree
//!  text ──format──▶ the same text in its one form
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`span`] | places in text, and the files they point into |
//! | [`code`] | every error code, with explanation and cure |
//! | [`diagnostic`] | what the compiler tells its user |
//! | [`token`] | text to tokens |
//! | [`parse`] | tokens to tree |
//! | [`tree`] | a file as its author wrote it |
//! | [`format`](mod@format) | text to its one form |
//! | [`library`] | the standard library, embedded |
//!
//! Invariants. Parsing never fails: it returns a tree and messages, in linear time. Formatting keeps
//! the tree but for its spans. Nothing here knows tensors, reads files or prints. `GRAMMAR.md` has every rule.
//!
//! ```
//! use chiasm_dsl::{format::format, parse::parse, span::Sources};
//! let mut sources = Sources::default();
//! let file = sources.add("mine.chi", "set size=64\nfeature = image -> vision->cls", false);
//! let parsed = parse(file, &sources.file(file).text);
//! assert!(parsed.diagnostics.is_empty());
//! assert_eq!(format(&sources.file(file).text).unwrap(), "set size = 64\nfeature = image -> vision -> cls\n");
//! ```

pub mod code;
pub mod diagnostic;
pub mod format;
pub mod library;
pub mod parse;
pub mod print;
pub mod span;
pub mod token;
pub mod tree;
