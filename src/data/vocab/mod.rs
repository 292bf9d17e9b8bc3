//! The vocabularies that are part of the program; where they come from is in the README beside this file.
//!
//! Text of a vocabulary file becomes a tokenizer. Example: line 101 of BERT's file, counted from 0, is `[CLS]`.

pub(super) mod bert;
pub(super) mod clip;
pub(super) mod learn;
pub(super) mod sentencepiece;
