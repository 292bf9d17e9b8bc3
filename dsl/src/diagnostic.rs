//! What the compiler tells its user: a code, one primary place, a text, and notes.
//!
//! Invariant: the primary span lies in the user's own file whenever there is one; places in the library go into notes.
//!
//! ```
//! use chiasm_dsl::{code::Code, diagnostic::Diagnostic, span::{Sources, Span}};
//! let mut sources = Sources::default();
//! let file = sources.add("mine.chi", "x = y", false);
//! let said = Diagnostic::error(Code::E0201, Span { file, start: 4, end: 5 }, "unknown name `y`").note("did you mean `x`?");
//! assert!(said.render(&sources).starts_with("error[E0201]: unknown name `y`\n --> mine.chi:1:5"));
//! ```

use crate::code::Code;
use crate::span::{Sources, Span};
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably says something that was not meant.
    Warning,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// What kind of mistake.
    pub code: Code,
    /// The primary place; `None` for the command line.
    pub span: Option<Span>,
    /// One line: what was expected, what was found.
    pub message: String,
    /// Values, their origin, what to write instead.
    pub notes: Vec<String>,
    /// Places that notes speak of, with the note; for editors.
    pub related: Vec<(Span, String)>,
}

/// A message as one JSON object, places counted from 1.
#[derive(Serialize)]
struct Json<'a> {
    code: &'static str,
    severity: Severity,
    message: &'a str,
    notes: &'a [String],
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::everywhere(code, message) }
    }

    /// An error without a place, as of the command line.
    pub fn everywhere(code: Code, message: impl Into<String>) -> Self {
        let (severity, message) = (Severity::Error, message.into());
        Self { severity, code, span: None, message, notes: Vec::new(), related: Vec::new() }
    }

    /// A warning at a place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a note that speaks of a place.
    #[must_use]
    pub fn note_at(mut self, place: Span, note: impl Into<String>) -> Self {
        let note = note.into();
        self.related.push((place, note.clone()));
        self.note(note)
    }

    /// Adds several notes.
    #[must_use]
    pub fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// The message as text, with the line underlined.
    pub fn render(&self, sources: &Sources) -> String {
        let kind = if self.severity == Severity::Error { "error" } else { "warning" };
        let mut text = format!("{kind}[{}]: {}\n", self.code.name(), self.message);
        let mut margin = 0;
        if let Some(span) = self.span {
            let place = sources.place(span);
            let number = place.line.to_string();
            margin = number.len();
            let line = sources.line(span.file, place.line);
            text += &format!(
                "{:margin$}--> {}:{}:{}\n",
                "",
                sources.file(span.file).name,
                place.line,
                place.column
            );
            let (line, under) = excerpt(line, &place);
            text += &format!("{:margin$} |\n{number} | {line}\n{:margin$} | {under}\n", "", "");
        }
        for note in &self.notes {
            text += &format!("{:margin$} = {note}\n", "");
        }
        text
    }

    /// The message as one line of JSON.
    pub fn json(&self, sources: &Sources) -> String {
        let place = self.span.map(|s| sources.place(s));
        let (line, column) = place.as_ref().map_or((0, 0), |p| (p.line, p.column));
        let (end_line, end_column) = place.as_ref().map_or((0, 0), |p| (p.end_line, p.end_column));
        let file = self.span.map_or("", |s| sources.file(s.file).name.as_str());
        let (code, severity, message, notes) = (self.code.name(), self.severity, &self.message, &self.notes);
        let json = Json { code, severity, message, notes, file, line, column, end_line, end_column };
        serde_json::to_string(&json).unwrap_or_default()
    }
}

/// Characters of a line that are shown.
const WIDEST: usize = 160;

/// The line with what underlines the place; of a long line only what lies around it.
fn excerpt(line: &str, place: &crate::span::Place) -> (String, String) {
    let count = line.chars().count();
    let first = place.column - 1;
    let end = if place.end_line == place.line { place.end_column } else { count };
    let skip = if count > WIDEST { first.saturating_sub(WIDEST / 4) } else { 0 };
    let shown: String = line.chars().skip(skip).take(WIDEST).collect();
    let lead = line.chars().skip(skip).take(first - skip);
    let lead: String = lead.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let width = (end + 1).saturating_sub(place.column).clamp(1, WIDEST);
    (shown, lead + &"^".repeat(width))
}

/// Names longer than this are not compared.
const LONGEST: usize = 64;

/// The known name closest to `wrong`, if one is close enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = wrong.chars().count();
    let limit = (length / 3).max(1) + usize::from(wrong.len() > 3);
    let known = known.into_iter().filter(|name| length <= LONGEST && name.len() <= LONGEST);
    let scored = known.map(|name| (distance(wrong, name), name));
    scored.filter(|(d, name)| *d <= limit && *d < name.len().max(2)).min().map(|(_, name)| name)
}

/// Edit distance with transpositions (Damerau, restricted).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if swap { best.min(rows[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    rows[a.len()][b.len()]
}
