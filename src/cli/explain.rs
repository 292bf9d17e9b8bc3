//! `chiasm explain E0604`: what the code of an error or a warning means, with lines that give it and lines that do not.

use super::{Problem, say};
use chiasm_dsl::code::Code;

/// Texts are broken to fit a narrow terminal.
const WIDTH: usize = 78;

/// Prints the section of a code.
pub fn run(code: &str) -> Result<(), Problem> {
    let unknown =
        || Problem::new(2, format!("error: there is no code `{code}`; codes look like E0604 or W0701"));
    say::line(text(Code::find(code).ok_or_else(unknown)?));
    Ok(())
}

fn text(code: Code) -> String {
    let page = code.page();
    let mut text = format!("{}: {}\n", code.name(), code.title());
    for paragraph in page.text.split("\n\n") {
        text += &format!("\n{}\n", wrapped(paragraph));
    }
    text + &format!("\nWrong:\n\n{}\n\nRight:\n\n{}", indented(page.wrong), indented(page.right))
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// A paragraph in lines of at most [`WIDTH`] characters.
fn wrapped(paragraph: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        let fits = column + 1 + length <= WIDTH;
        let gap = if text.is_empty() {
            ""
        } else if fits {
            " "
        } else {
            "\n"
        };
        column = if fits { column + gap.len() + length } else { length };
        text = text + gap + word;
    }
    text
}
