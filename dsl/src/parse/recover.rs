//! After a mistake: what to say, what to keep of the definition, where to go on.
//!
//! Reading goes on at the next name in column 1. A bracket that is still open when a definition begins in column 1 is the
//! mistake itself: it is what the message points at, and reading goes on at that definition.
//!
//! ```text
//! vision = ViT(768,      <- error: this bracket is never closed
//! text = Bert(768)       <- goes on here
//! ```

use super::input::Tokens;
use super::item::WORDS;
use super::mistake::{Mistake, Problem, found};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::token::Kind;
use crate::tree::{Expr, ExprKind, Field, Item, ItemKind, Name};

/// What to do after a mistake.
pub struct Recovery<'t> {
    /// The message, unless one about the same text was given.
    pub said: Option<Diagnostic>,
    /// What is kept of the definition.
    pub item: Option<Item>,
    /// How far the file was read; going back before it a second time would take more than linear time.
    pub reach: usize,
    /// Where to go on.
    pub resume: Tokens<'t>,
}

/// Decides after a mistake in the definition that begins at `start`. `unread` are the messages about characters and texts.
pub fn recover<'t>(start: Tokens<'t>, mistake: Mistake, reach: usize, unread: &[Diagnostic]) -> Recovery<'t> {
    if let Some(taken) = taken(start).filter(|_| start.place() > reach) {
        let said = Mistake::expected(taken.place(), "an expression").diagnostic(start);
        return Recovery { said: Some(said), item: None, reach: start.place(), resume: taken };
    }
    let unclosed = if start.place() < reach { None } else { unclosed(start, mistake) };
    let at = unclosed.and_then(|open| open.next).unwrap_or(mistake.at);
    let resume = next(start.jump(at.max(start.place() + 1)));
    let known = is_known(start, mistake, unread);
    let said = (!known).then(|| match unclosed {
        Some(open) => never_closed(start, open, at),
        None => misspelt(start, mistake, mistake.diagnostic(start)),
    });
    Recovery { said, item: salvage(start, mistake), reach: reach.max(mistake.at), resume }
}

/// In `a =`, next line `b = 3`, the name `b` was read as the value of `a`.
fn taken(start: Tokens) -> Option<Tokens> {
    let before = start.jump(start.place().checked_sub(1)?);
    begins_item(before).then_some(before)
}

/// The next name in column 1, or the end.
fn next(mut tokens: Tokens) -> Tokens {
    let begins = |tokens: Tokens| tokens.first().margin && tokens.begins(&[Kind::Name]);
    while !tokens.is_at_end() && !begins(tokens) {
        tokens = tokens.jump(tokens.place() + 1);
    }
    tokens
}

/// A bracket that is still open, and the definition that begins in spite of it.
#[derive(Clone, Copy)]
struct Open {
    bracket: usize,
    next: Option<usize>,
}

/// Looks for an open bracket between the start of the definition and the mistake.
fn unclosed(start: Tokens, mistake: Mistake) -> Option<Open> {
    let Problem::Expected(_) = mistake.problem else { return None };
    let mut open: Vec<usize> = Vec::new();
    for place in start.place()..=mistake.at {
        let tokens = start.jump(place);
        match tokens.first().kind {
            Kind::LeftParen | Kind::LeftBracket | Kind::LeftBrace => open.push(place),
            Kind::RightParen | Kind::RightBracket | Kind::RightBrace => drop(open.pop()),
            Kind::End => return open.pop().map(|bracket| Open { bracket, next: None }),
            _ if place > start.place() && begins_item(tokens) => {
                let bracket = open.iter().rev().find(|bracket| !start.jump(**bracket + 1).first().margin);
                if let Some(bracket) = bracket {
                    return Some(Open { bracket: *bracket, next: Some(place) });
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a definition clearly begins here: in column 1, with its first two tokens.
fn begins_item(tokens: Tokens) -> bool {
    let word = WORDS.contains(&tokens.text(tokens.first()));
    let second = tokens.token(1).kind;
    let worded = word && matches!(second, Kind::Name | Kind::Capital | Kind::Text);
    tokens.begins(&[Kind::Name])
        && tokens.first().margin
        && (worded || matches!(second, Kind::Assign | Kind::With))
}

fn never_closed(start: Tokens, open: Open, at: usize) -> Diagnostic {
    let bracket = start.jump(open.bracket).first();
    let close = match bracket.kind {
        Kind::LeftParen => ")",
        Kind::LeftBracket => "]",
        _ => "}",
    };
    let stop = start.jump(at);
    let found = found(stop.first(), stop.text(stop.first()));
    let message = format!("expected `{close}` for this `{}`, found {found}", start.text(bracket));
    let note =
        open.next.map(|_| "a definition begins in column 1, but this bracket is still open".to_string());
    Diagnostic::error(Code::E0102, bracket.span, message).notes(note)
}

/// `stge pretrain {`: a word in front of a name is meant to be one of the words that begin a definition.
fn misspelt(start: Tokens, mistake: Mistake, said: Diagnostic) -> Diagnostic {
    let named = matches!(start.token(1).kind, Kind::Name | Kind::Capital | Kind::Text);
    let close = nearest(start.text(start.first()), WORDS.iter().copied());
    let meant = close.filter(|word| {
        *word != start.text(start.first())
            && named
            && mistake.at == start.place() + 1
            && start.begins(&[Kind::Name])
    });
    said.notes(meant.map(|word| format!("did you mean `{word}`?")))
}

/// Whether a character or text in or just before this definition could not be read, which explains the mistake.
fn is_known(start: Tokens, mistake: Mistake, unread: &[Diagnostic]) -> bool {
    let begin = match start.place() {
        0 => 0,
        place => start.jump(place - 1).first().span.end.saturating_sub(1),
    };
    let end = start.jump(mistake.at).first().span.end;
    let first = unread.partition_point(|said| said.span.is_some_and(|span| span.start < begin));
    unread.get(first).and_then(|said| said.span).is_some_and(|span| span.start <= end)
}

/// A definition whose name is clear stays, with an `Error` as its value, so that later phases know the name.
fn salvage(start: Tokens, mistake: Mistake) -> Option<Item> {
    let word = start.text(start.first());
    let (make, skip): (fn(Field) -> ItemKind, usize) = match word {
        _ if start.begins(&[Kind::Name, Kind::Assign]) => (ItemKind::Define, 0),
        "set" => (ItemKind::Set, 1),
        "loss" => (ItemKind::Loss, 1),
        "data" => (ItemKind::Data, 1),
        _ => return None,
    };
    let named = start.jump(start.place() + skip);
    if !named.begins(&[Kind::Name, Kind::Assign]) {
        return None;
    }
    let span = start.first().span.to(start.jump(mistake.at.max(named.place() + 1) - 1).first().span);
    let value = Expr { kind: ExprKind::Error, span: named.token(1).span };
    let name = Name { text: named.text(named.first()).to_string(), span: named.first().span };
    Some(Item { kind: make(Field { name, value }), span })
}
