//! The Chiasm language: text to tree, tree to text.
//!
//! ```text
//!  text ──token──▶ tokens ──parse──▶ tree ──print──▶ text
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
//! | [`print`] | tree to text |
//! | [`library`] | the standard library, embedded |
//!
//! Invariants. Parsing never fails: it returns a tree and messages, in linear time. Printing a tree and parsing the text
//! gives the same tree but for the spans. Nothing here knows tensors, reads files or prints. `GRAMMAR.md` has every rule.
//!
//! ```
//! use chiasm_dsl::{parse::parse, print::print, span::Sources};
//! let mut sources = Sources::default();
//! let file = sources.add("mine.chi", "set size=64\nfeature = image -> vision->cls", false);
//! let parsed = parse(file, &sources.file(file).text);
//! assert!(parsed.diagnostics.is_empty());
//! assert_eq!(print(&parsed.tree), "set size = 64\nfeature = image -> vision -> cls\n");
//! ```

pub mod code;
pub mod diagnostic;
pub mod library;
pub mod parse;
pub mod print;
pub mod span;
pub mod token;
pub mod tree;
