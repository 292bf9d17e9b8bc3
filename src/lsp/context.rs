//! What may stand at a place: decided by the tokens before it, so that unfinished text is no hindrance.
//!
//! ```text
//! fused = text_tokens -> fusion(image_tokens, ma▮     an argument of `fusion`, the first of which is piped
//! ```
//!
//! Invariant: any list of tokens gives an answer, in time linear in the tokens of the definition around the place.

use super::desk::is_word;
use super::manual;
use chiasm_dsl::span::FileId;
use chiasm_dsl::token::{Kind, Token, read};

/// What may stand somewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Context {
    /// Nothing that is known: a comment, a text, a new name.
    Nothing,
    /// The start of a definition.
    Item,
    /// A part of what the path leads to.
    Part(Path),
    /// A modality, or the start of a type.
    Label,
    /// A field of a stage or task.
    Field(&'static [&'static str]),
    /// A part of a module that is being written.
    ModulePart,
    /// A part or definition that `with` replaces in what the path leads to.
    Replaced(Path),
    /// An expression.
    Value(Around),
}

/// What is around an expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    /// The call whose argument begins here.
    pub call: Option<Call>,
    /// The field of a stage or task whose value this is, or the word in front: `on`, `stage`.
    pub field: Option<String>,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called.
    pub path: Path,
    /// Whether its first argument stands before an arrow.
    pub piped: bool,
}

/// Names, parts and indices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// The first name.
    pub name: String,
    /// What follows: the name of a part, or `None` for an index.
    pub steps: Vec<Option<String>>,
    /// Where it ends.
    pub end: usize,
}

/// The tokens before a place, without the word that is being written there.
struct Before<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// Whether what is written there begins a line.
    margin: bool,
}

/// What may stand at a place of a text.
pub fn context(text: &str, place: usize) -> Context {
    let lexed = read(FileId(0), text);
    let inside = |start: u32, end: u32| (start as usize) < place && place <= end as usize;
    let commented = lexed.comments.iter().any(|comment| inside(comment.span.start, comment.span.end));
    let quoted = lexed.tokens.iter().any(|token| {
        let (start, end) = (token.span.start as usize, token.span.end as usize);
        let closed = end > start + 1 && text[start..end].ends_with('"');
        token.kind == Kind::Text && start < place && (place < end || (place == end && !closed))
    });
    if commented || quoted {
        return Context::Nothing;
    }
    let mut tokens: Vec<Token> =
        lexed.tokens.into_iter().filter(|t| (t.span.start as usize) < place).collect();
    tokens.retain(|token| token.kind != Kind::End);
    let mut begin = place;
    if let Some(last) = tokens.last().copied().filter(|t| is_word(t.kind) && place <= t.span.end as usize) {
        begin = last.span.start as usize;
        tokens.pop();
    }
    let margin = begin == 0 || text[..begin].ends_with('\n');
    Before { text, tokens, margin }.context()
}

/// What is said of a field of a stage or task, if the word is one.
pub fn field_of(tokens: &[Token], text: &str, word: Token) -> Option<String> {
    let at = tokens.iter().position(|token| token.span == word.span)?;
    if tokens.get(at + 1)?.kind != Kind::Assign {
        return None;
    }
    let before = Before { text, tokens: tokens[..at].to_vec(), margin: false };
    let open = before.enclosing()?;
    let Context::Field(_) = before.brace(open) else { return None };
    manual::field(&text[word.span.start as usize..word.span.end as usize])
}

impl Before<'_> {
    fn context(&self) -> Context {
        let Some(last) = self.tokens.last() else { return Context::Item };
        match last.kind {
            Kind::Dot => return self.path(self.tokens.len() - 1).map_or(Context::Nothing, Context::Part),
            Kind::As => return Context::Label,
            _ if self.margin => return Context::Item,
            _ => {}
        }
        match self.enclosing() {
            None => self.open_air(*last),
            Some(open) => match self.tokens[open].kind {
                Kind::LeftParen => self.parenthesis(open, *last),
                Kind::LeftBrace if last.kind == Kind::LeftBrace || ends(last.kind) => self.brace(open),
                Kind::LeftBrace => Context::Value(Around { call: None, field: self.field(open) }),
                _ => Context::Value(Around { call: None, field: self.outer_field(open) }),
            },
        }
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| &self.text[t.span.start as usize..t.span.end as usize])
    }

    fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::End, |token| token.kind)
    }

    /// The first token of the definition around a token.
    fn item(&self, at: usize) -> usize {
        let begins = |i: &usize| self.tokens[*i].margin && self.tokens[*i].kind == Kind::Name;
        (0..=at.min(self.tokens.len().saturating_sub(1))).rev().find(begins).unwrap_or(0)
    }

    /// The innermost bracket that is open at the end, in the definition that is there.
    fn enclosing(&self) -> Option<usize> {
        self.enclosing_before(self.tokens.len())
    }

    fn enclosing_before(&self, end: usize) -> Option<usize> {
        let first = self.item(end.checked_sub(1)?);
        let mut depth = 0usize;
        for at in (first..end).rev() {
            match self.kind(at) {
                Kind::RightParen | Kind::RightBracket | Kind::RightBrace => depth += 1,
                Kind::LeftParen | Kind::LeftBracket | Kind::LeftBrace if depth == 0 => return Some(at),
                Kind::LeftParen | Kind::LeftBracket | Kind::LeftBrace => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// The path that ends before a token.
    fn path(&self, end: usize) -> Option<Path> {
        let mut at = end;
        let mut steps = Vec::new();
        loop {
            at = at.checked_sub(1)?;
            match self.kind(at) {
                Kind::RightBracket | Kind::RightParen => {
                    if self.kind(at) == Kind::RightBracket {
                        steps.push(None);
                    }
                    at = self.enclosing_before(at)?;
                }
                Kind::Name | Kind::Capital if at > 0 && self.kind(at - 1) == Kind::Dot => {
                    steps.push(Some(self.word(at).to_string()));
                    at -= 1;
                }
                Kind::Name | Kind::Capital => break,
                _ => return None,
            }
        }
        steps.reverse();
        let end = self.tokens[end - 1].span.end as usize;
        Some(Path { name: self.word(at).to_string(), steps, end })
    }

    /// How many tokens before `end` the path takes.
    fn path_start(&self, end: usize) -> usize {
        let mut at = end;
        while at > 0 {
            match self.kind(at - 1) {
                Kind::Name | Kind::Capital if at >= 2 && self.kind(at - 2) == Kind::Dot => at -= 2,
                Kind::RightBracket => match self.enclosing_before(at - 1) {
                    Some(open) => at = open,
                    None => return at,
                },
                Kind::Name | Kind::Capital => return at - 1,
                _ => return at,
            }
        }
        at
    }

    fn open_air(&self, last: Token) -> Context {
        let first = self.item(self.tokens.len() - 1);
        let (word, count) = (self.word(first), self.tokens.len() - first);
        let assigned = (first..self.tokens.len()).any(|at| self.kind(at) == Kind::Assign);
        match (word, last.kind) {
            ("input" | "state", Kind::Colon) if !assigned => Context::Label,
            (_, Kind::Name) if matches!(self.word(self.tokens.len() - 1), "on" | "from") && count > 2 => {
                Context::Value(Around { field: Some("on".into()), call: None })
            }
            ("stage" | "task", Kind::Assign) => {
                Context::Value(Around { field: Some(word.to_string()), call: None })
            }
            _ if chiasm_dsl::parse::WORDS.contains(&word) && count == 1 => Context::Nothing,
            (_, kind) if ends(kind) => Context::Item,
            _ => Context::Value(Around::default()),
        }
    }

    fn parenthesis(&self, open: usize, last: Token) -> Context {
        let start = self.path_start(open);
        let heads = |at: usize| matches!(self.word(at), "fn" | "module");
        if (open > 0 && heads(open - 1)) || (start > 0 && start < open && heads(start - 1)) {
            return match last.kind {
                Kind::Colon => Context::Label,
                Kind::LeftParen | Kind::Comma => Context::Nothing,
                _ => Context::Value(Around::default()),
            };
        }
        let begins = matches!(last.kind, Kind::LeftParen | Kind::Comma);
        let piped = start > 0 && self.kind(start - 1) == Kind::Arrow;
        let path = self.path(open).filter(|_| begins && start < open);
        let call = path.map(|path| Call { path, piped });
        Context::Value(Around { call, field: self.outer_field(open) })
    }

    /// What may begin behind a brace, or behind a field inside it.
    fn brace(&self, open: usize) -> Context {
        let first = self.item(open);
        let outermost = !(first..open).any(|at| self.kind(at) == Kind::LeftBrace);
        match self.word(first) {
            "stage" if outermost => Context::Field(crate::lower::analysis::STAGE_FIELDS),
            "task" if outermost => Context::Field(crate::lower::analysis::TASK_FIELDS),
            "weights" if outermost => Context::Nothing,
            _ if open >= 2 && self.kind(open - 2) == Kind::Route => Context::Label,
            _ if open > 0 && self.kind(open - 1) == Kind::With => {
                self.path(open - 1).map_or(Context::Nothing, Context::Replaced)
            }
            _ => Context::ModulePart,
        }
    }

    /// The field whose value is being written inside a brace.
    fn field(&self, open: usize) -> Option<String> {
        let assign = (open..self.tokens.len()).rev().find(|at| self.kind(*at) == Kind::Assign)?;
        matches!(self.brace(open), Context::Field(_)).then(|| self.word(assign - 1).to_string())
    }

    /// The field around an inner bracket: `start = [deit, ▮`.
    fn outer_field(&self, open: usize) -> Option<String> {
        let outer = self.enclosing_before(open).filter(|at| self.kind(*at) == Kind::LeftBrace)?;
        let assign = (outer..open).rev().find(|at| self.kind(*at) == Kind::Assign)?;
        matches!(self.brace(outer), Context::Field(_)).then(|| self.word(assign - 1).to_string())
    }
}

/// Whether an expression may end here; no expression goes on with a name, so a name behind it begins something new.
fn ends(kind: Kind) -> bool {
    use Kind::{Capital, Name, Number, Quote, RightBrace, RightBracket, RightParen, Text};
    matches!(kind, Capital | Name | Number | Quote | RightBrace | RightBracket | RightParen | Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The context at `|`.
    fn at(marked: &str) -> Context {
        let place = marked.find('|').expect("a mark");
        context(&marked.replacen('|', "", 1), place)
    }

    fn path(name: &str, steps: &[Option<&str>]) -> Path {
        let steps = steps.iter().map(|step| step.map(str::to_string)).collect();
        Path { name: name.into(), steps, end: 0 }
    }

    fn without_end(context: Context) -> Context {
        match context {
            Context::Part(path) => Context::Part(Path { end: 0, ..path }),
            Context::Replaced(path) => Context::Replaced(Path { end: 0, ..path }),
            other => other,
        }
    }

    #[test]
    fn what_may_stand_where() {
        let value = |field: Option<&str>| Context::Value(Around { call: None, field: field.map(Into::into) });
        let stage = crate::lower::analysis::STAGE_FIELDS;
        for (marked, wanted) in [
            ("|", Context::Item),
            ("a = 1\nin|", Context::Item),
            ("a = x # in|", Context::Nothing),
            ("use \"pa|", Context::Nothing),
            ("a = |", value(None)),
            ("a = b -> v|", value(None)),
            ("a = b.|", Context::Part(path("b", &[]))),
            ("a = b[0].attn.q|", Context::Part(path("b", &[None, Some("attn")]))),
            ("a = b as i|", Context::Label),
            ("input x : im|", Context::Label),
            ("fn f(x: i|", Context::Label),
            ("fn f(x|", Context::Nothing),
            ("stage s { d|", Context::Field(stage)),
            ("stage s { data = x  ba|", Context::Field(stage)),
            ("stage s { precision = b|", value(Some("precision"))),
            ("stage s { start = [a, b|", value(Some("start"))),
            ("stage b = a with { le|", Context::Field(stage)),
            ("task t on s|", value(Some("on"))),
            ("a = m with { k|", Context::Replaced(path("m", &[]))),
            ("a = Bert(1) with { k|", Context::Replaced(path("Bert", &[]))),
            ("module M(a) {\n  q|", Context::ModulePart),
            ("a = route x { im|", Context::Label),
            ("a = f(1\nb = g|", value(None)),
        ] {
            assert_eq!(without_end(at(marked)), wanted, "{marked}");
        }
    }

    #[test]
    fn arguments_know_their_call() {
        for (marked, name, piped) in [
            ("a = f(|", "f", false),
            ("a = x -> g(1, h|", "g", true),
            ("a = [M(2, ke| for i < 3]", "M", false),
        ] {
            let Context::Value(Around { call: Some(call), .. }) = at(marked) else { panic!("{marked}") };
            assert_eq!((call.path.name.as_str(), call.piped), (name, piped), "{marked}");
        }
        assert_eq!(at("a = f(b: |"), Context::Value(Around::default()), "the value of a named argument");
    }
}
