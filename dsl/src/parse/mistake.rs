//! A mistake while it travels up through nom, and the message it becomes.
//!
//! A mistake is small and holds no text, since most of them only say "try the next rule". Example: `Expected("a type")`
//! at token 7 becomes `error[E0102]: expected a type, found `=``.

use super::input::{MOST_DEPTH, Tokens};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::token::{Kind, Token};
use nom::Err;
use nom::error::{ErrorKind, ParseError};

/// What is wrong at which token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mistake {
    /// The number of the token.
    pub at: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The kinds of mistake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Problem {
    /// Something else should stand here.
    Expected(&'static str),
    /// A reserved word where a name should stand.
    Reserved,
    /// An operator behind the step of a pipe.
    AfterPipe,
    /// Too many expressions inside each other.
    Deep,
}

impl Mistake {
    /// Something else should stand here.
    pub fn expected(at: usize, what: &'static str) -> Self {
        Self { at, problem: Problem::Expected(what) }
    }

    /// A reserved word where a name should stand.
    pub fn reserved(at: usize) -> Self {
        Self { at, problem: Problem::Reserved }
    }

    /// An operator behind the step of a pipe.
    pub fn after_pipe(at: usize) -> Self {
        Self { at, problem: Problem::AfterPipe }
    }

    /// Too many expressions inside each other.
    pub fn deep(at: usize) -> Self {
        Self { at, problem: Problem::Deep }
    }

    /// The message.
    pub fn diagnostic(self, tokens: Tokens) -> Diagnostic {
        let token = tokens.jump(self.at).first();
        let text = tokens.text(token);
        let error = |code, message: String| Diagnostic::error(code, token.span, message);
        match self.problem {
            Problem::Expected(what) => {
                let said = error(Code::E0102, format!("expected {what}, found {}", found(token, text)));
                said.notes(advice(what, token, text))
            }
            Problem::Reserved => {
                let said = error(Code::E0104, format!("`{text}` is a reserved word and cannot be a name"));
                said.note(format!("reserved are: {}", crate::token::RESERVED.join(" ")))
            }
            Problem::AfterPipe => {
                let message = format!("`{text}` cannot follow a pipe; put the pipe in parentheses");
                error(Code::E0105, message).note(grouped(token, text))
            }
            Problem::Deep => {
                let message =
                    format!("expected at most {MOST_DEPTH} expressions inside each other, found more");
                error(Code::E0102, message).note("give parts of it names")
            }
        }
    }
}

/// How to write an operator behind a pipe.
fn grouped(token: Token, text: &str) -> String {
    match token.kind {
        Kind::Quote => "write (… -> …)'".to_string(),
        Kind::Dot | Kind::LeftParen | Kind::LeftBracket => format!("write (… -> …){text}…"),
        _ => format!("write (… -> …) {text} …"),
    }
}

/// A token in words.
pub fn found(token: Token, text: &str) -> String {
    match token.kind {
        Kind::End => Kind::End.words().to_string(),
        Kind::Text => text.to_string(),
        _ => format!("`{text}`"),
    }
}

fn advice(expected: &str, token: Token, text: &str) -> Option<String> {
    let value = expected.starts_with("an expression") || expected.starts_with("an operand");
    match token.kind {
        Kind::If if value => Some("here an `if` needs parentheses: (if … then … else …)".to_string()),
        Kind::Not if value => Some("here a `not` needs parentheses: (not …)".to_string()),
        Kind::Capital if expected.starts_with("the name of a module") => {
            Some(format!("give it a name first: layer = {text}(…), then … -> layer"))
        }
        _ => None,
    }
}

/// The mistake inside an error of nom.
pub fn of(error: Err<Mistake>, input: Tokens) -> Mistake {
    match error {
        Err::Error(mistake) | Err::Failure(mistake) => mistake,
        Err::Incomplete(_) => Mistake::expected(input.place(), "more"),
    }
}

impl<'t> ParseError<Tokens<'t>> for Mistake {
    fn from_error_kind(input: Tokens<'t>, _: ErrorKind) -> Self {
        Self::expected(input.place(), "something else")
    }

    fn append(_: Tokens<'t>, _: ErrorKind, other: Self) -> Self {
        other
    }

    fn or(self, other: Self) -> Self {
        if self.at > other.at { self } else { other }
    }
}
