//! The spaces between two tokens of one line.

use super::entry::Entries;
use super::piece::Piece;
use crate::token::Kind;

/// How many spaces stand before piece `at`, if the one before it is on the same line.
pub fn before(pieces: &[Piece], entries: &Entries, at: usize) -> usize {
    let (left, right) = (&pieces[at - 1], &pieces[at]);
    if entries.starts[at].is_some() && left.kind != Kind::LeftBrace {
        return 2;
    }
    let apart = entries.apart[at];
    usize::from(
        apart || !(tight_behind(left.kind, entries.unary[at - 1]) || tight_before(left.kind, right.kind)),
    )
}

fn tight_behind(left: Kind, unary: bool) -> bool {
    matches!(left, Kind::LeftParen | Kind::LeftBracket | Kind::Dot | Kind::Range | Kind::Tilde) || unary
}

fn tight_before(left: Kind, right: Kind) -> bool {
    match right {
        Kind::Comma | Kind::RightParen | Kind::RightBracket | Kind::Dot | Kind::Quote => true,
        Kind::Colon | Kind::Range => left != Kind::Comma,
        Kind::LeftParen | Kind::LeftBracket => ends_operand(left),
        _ => false,
    }
}

/// Whether a value may end here, so that a bracket is a call or an index.
fn ends_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Name
            | Kind::Capital
            | Kind::Number
            | Kind::Text
            | Kind::RightParen
            | Kind::RightBracket
            | Kind::RightBrace
            | Kind::Quote
    )
}
