//! Tokens to tree. The rule of the grammar stands above each function; `GRAMMAR.md` explains them.
//!
//! Conventions: a function named after a rule parses it or fails with a [`Mistake`]. nom's `Error` means "not here, nothing
//! read", its `Failure` (made by `cut`) means "begun and wrong", which ends the definition. Two tokens of lookahead decide.
//!
//! Invariants: [`parse`] always returns; time is linear in the text; no expression of the tree is deeper than
//! [`MOST_DEPTH`], so that whoever walks it may recurse.
//!
//! ```
//! use chiasm_dsl::{parse::parse, span::FileId};
//! let parsed = parse(FileId(0), "a = (1 +\nb = 2\nset = = 3\nc = 4");
//! assert_eq!(parsed.diagnostics.len(), 2);
//! assert_eq!(parsed.tree.items.len(), 4);
//! ```

mod atom;
mod block;
mod expr;
mod input;
mod item;
mod mistake;
mod recover;
mod stage;
mod types;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::FileId;
use crate::token::{Comment, Lexed, Token, read};
use crate::tree::{File, Item, ItemKind};
use input::Tokens;
use mistake::Mistake;
use nom::IResult;

pub use input::MOST_DEPTH;
pub use item::WORDS;

/// What a rule gives: the tokens behind it and its part of the tree.
type Parse<'t, O> = IResult<Tokens<'t>, O, Mistake>;

/// A file as a tree, with all that was said about it.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The definitions that could be read. Where a value could not be read, it is an `Error`.
    pub tree: File,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The tokens; the last is the end.
    pub tokens: Vec<Token>,
    /// The comments in order.
    pub comments: Vec<Comment>,
}

/// Parses a text without byte-order mark (`Sources` has dropped it).
pub fn parse(file: FileId, text: &str) -> Parsed {
    let lexed = read(file, text);
    let (items, mut diagnostics) = items(&lexed, text);
    diagnostics.extend(lexed.diagnostics);
    diagnostics.sort_by_key(|said| said.span);
    Parsed { tree: File { items }, diagnostics, tokens: lexed.tokens, comments: lexed.comments }
}

/// file = { item } .
fn items(lexed: &Lexed, text: &str) -> (Vec<Item>, Vec<Diagnostic>) {
    let (mut items, mut said) = (Vec::new(), Vec::new());
    let mut input = Tokens::new(&lexed.tokens, text);
    let mut reach = 0;
    while !input.is_at_end() {
        let first = input.place() == 0;
        input = match item::item(input) {
            Ok((rest, item)) => {
                said.extend(misplaced(&item, first));
                items.push(item);
                rest
            }
            Err(error) => {
                let found = recover::recover(input, mistake::of(error, input), reach, &lexed.diagnostics);
                said.extend(found.said);
                items.extend(found.item);
                reach = found.reach;
                found.resume
            }
        };
    }
    (items, said)
}

/// `extend` comes first, so it comes once.
fn misplaced(item: &Item, first: bool) -> Option<Diagnostic> {
    let wrong = matches!(item.kind, ItemKind::Extend(_)) && !first;
    wrong.then(|| Diagnostic::error(Code::E0109, item.span, "`extend` comes first in a file, and once"))
}
