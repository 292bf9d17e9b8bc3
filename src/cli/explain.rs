//! `chiasm explain E0604`: what an error code means.

use super::{Problem, say};
use chiasm_dsl::code::Code;

/// Prints the row of a code.
pub fn run(code: &str) -> Result<(), Problem> {
    let unknown =
        || Problem::new(2, format!("error: there is no error code `{code}`; codes look like E0604"));
    let code = Code::find(code).ok_or_else(unknown)?;
    say::line(format!("{}: {}\n\n{}\n{}", code.name(), code.title(), code.explanation(), code.cure()));
    Ok(())
}
